import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type HttpAnswer, refusalOf } from '../guard/refusal.ts'
import { deny } from '../model/verdict.ts'

/**
 * The socket of an `upgrade` event. Since Node 26 the stream of the event is none where the request announces a body that
 * is still under way, as any stranger's may: it has no time-out and no `setNoDelay`, and whoever calls them ends the
 * process. Such a request is to be refused, on the socket below; see {@link hasBodyUnderWay}.
 */
export function socketOf({ socket }: IncomingMessage, stream: Duplex): Socket {
  if ('setNoDelay' in stream) return stream as Socket
  stream.on('error', ignore)
  return socket
}

/**
 * Whether a body is still to come on the socket, to Node's HTTP parser. The door refuses every handshake with a body; in
 * report mode it does not, and no frames can be read beside this one.
 */
export function hasBodyUnderWay(request: IncomingMessage): boolean {
  return !request.complete
}

/** What it is answered with all the same. */
export const BODY_REFUSED: HttpAnswer = refusalOf(deny('SALLY_REQUEST_MALFORMED', { reason: 'body' }))

/** How long a peer may take to read its refusal, in ms. */
const REFUSAL_MS = 5_000

/**
 * Cuts a peer that does not take its refusal: what it did not read before can fill the network so that not even that gets
 * through, and nobody else has a bound for a socket that is upgraded.
 */
export function cutUntaken(socket: Socket): void {
  if ('setTimeout' in socket) {
    socket.setTimeout(REFUSAL_MS, () => socket.destroy())
    return
  }
  // The stream of an `upgrade` event need not be a socket; see `socketOf`.
  const stream = socket as Duplex
  const timer = setTimeout(() => stream.destroy(), REFUSAL_MS).unref()
  stream.once('close', () => clearTimeout(timer))
}

function ignore(): void {
  // It ends with the socket below, which tells of it.
}
