import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

interface HttpSocket extends Duplex {
  /** Node's own field: the answer under way on the socket. Null between two answers. */
  readonly _httpMessage?: ServerResponse | null
}

/**
 * Whether an earlier request of this connection has no complete answer yet. The answer to a handshake would then appear
 * in the middle of the earlier one, and the rest of that one would be read as frames. If the handshake went through an
 * app's own router (`@fastify/websocket` puts a `ServerResponse` on its socket), pass it as `handshake`: its own answer
 * does not count as an earlier one while nothing of it was sent.
 */
export function isAnswering(socket: Duplex, handshake?: IncomingMessage): boolean {
  const { _httpMessage: answer } = socket as HttpSocket
  return answer != null && (answer.req !== handshake || answer.headersSent)
}

/** Whether a part of that answer was sent. Anything sent now would be read as its body. */
export function isMidAnswer(socket: Duplex): boolean {
  return (socket as HttpSocket)._httpMessage?.headersSent === true
}
