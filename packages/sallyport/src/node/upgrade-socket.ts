import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type HttpAnswer, refusalOf } from '../guard/refusal.ts'
import { deny } from '../model/verdict.ts'

/**
 * The socket of an `upgrade` event. Since Node 26 the stream of the event is not a socket if the request announces a
 * body that has not arrived completely, which any client can do. Such a stream has no time-out and no `setNoDelay`, and
 * a call to them ends the process. Such a request must be refused on the socket below. See {@link hasBodyUnderWay}.
 */
export function socketOf({ socket }: IncomingMessage, stream: Duplex): Socket {
  if ('setNoDelay' in stream) return stream as Socket
  stream.on('error', ignore)
  return socket
}

/**
 * Whether Node's HTTP parser still expects a body on the socket. The door refuses every handshake with a body. In
 * report mode it does not, but frames cannot be read while a body arrives.
 */
export function hasBodyUnderWay(request: IncomingMessage): boolean {
  return !request.complete
}

/** The answer to such a request, in report mode too. */
export const BODY_REFUSED: HttpAnswer = refusalOf(deny('SALLY_REQUEST_MALFORMED', { reason: 'body' }))

/** Time that a peer has to read its refusal, in ms. */
const REFUSAL_MS = 5_000

/**
 * Cuts a peer that does not read its refusal. Unread earlier bytes can fill the network, so that even the refusal does
 * not get through. No other bound applies to an upgraded socket.
 */
export function cutUntaken(socket: Socket): void {
  if ('setTimeout' in socket) {
    socket.setTimeout(REFUSAL_MS, () => socket.destroy())
    return
  }
  // The stream of an `upgrade` event may not be a socket. See `socketOf`.
  const stream = socket as Duplex
  const timer = setTimeout(() => stream.destroy(), REFUSAL_MS).unref()
  stream.once('close', () => clearTimeout(timer))
}

function ignore(): void {
  // It ends together with the socket below, which reports the error.
}
