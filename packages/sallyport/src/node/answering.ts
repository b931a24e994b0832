import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

interface HttpSocket extends Duplex {
  /** Node's own: the answer that is under way on the socket; null between two. */
  readonly _httpMessage?: ServerResponse | null
}

/**
 * Whether an earlier request of this connection is not answered yet: a handshake that was sent all the same would be
 * answered in the middle of that answer, the rest of which would be read as frames. Where the handshake went through an
 * app's own router (`@fastify/websocket` puts a `ServerResponse` on its socket), say which one it is:
 * its own answer is none before it, as long as nothing of it is out.
 */
export function isAnswering(socket: Duplex, handshake?: IncomingMessage): boolean {
  const { _httpMessage: answer } = socket as HttpSocket
  return answer != null && (answer.req !== handshake || answer.headersSent)
}

/** Whether a part of that answer is out: whatever is said now would be read as its body. */
export function isMidAnswer(socket: Duplex): boolean {
  return (socket as HttpSocket)._httpMessage?.headersSent === true
}
