import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { kindOf, show } from '../shape/shown.ts'
import { isMidAnswer } from './answering.ts'
import { type HttpAnswer, refusalText } from '../guard/refusal.ts'
import { sendLatin1 } from './frame-writer.ts'
import { cutUntaken } from './upgrade-socket.ts'
import { flush } from './write-buffer.ts'

/**
 * Writes a refusal on the socket of a handshake, and closes the socket after it was sent. Later bytes of the peer are
 * not awaited. Writes nothing in the middle of an earlier request's answer.
 */
export function refuseSocket(stream: Duplex, refusal: HttpAnswer): void {
  if (stream.destroyed || stream.writableEnded) return
  if (stream.listenerCount('error') === 0) stream.on('error', destroy)
  if (isMidAnswer(stream)) {
    stream.destroy()
    return
  }
  const text = refusalText(refusal)
  const socket = stream as Socket
  // The stream of an `upgrade` event may not be a socket. See `socketOf`.
  if ('setNoDelay' in stream) {
    sendLatin1(socket, text)
    flush()
    // Such a short answer is nearly always written at once. Waiting for the peer's FIN would cost more than the answer.
    if (socket.writableLength === 0 && socket.readableLength === 0) {
      socket.destroy()
      return
    }
    socket.pause()
  } else stream.write(text, 'latin1')
  cutUntaken(socket)
  // A server's sockets may stay half open. If only our half ends, the peer's half and the socket could stay forever.
  stream.end(() => stream.destroy())
}

const HEADERS = Object.freeze({ 'Cache-Control': 'no-store', Connection: 'close' })
const WRITE = 'write guard.refuse(socket, 404)'

/** See `Guard.refuse`. */
export function refuse(socket: Duplex, status: number): void {
  if (typeof (socket as Partial<Duplex> | undefined)?.end !== 'function') {
    throw new TypeError(
      `guard.refuse: the socket is ${kindOf(socket)}; ${WRITE} with the socket of the 'upgrade' event`,
    )
  }
  if (!Number.isInteger(status) || status < 400 || status > 599 || STATUS_CODES[status] === undefined) {
    throw new TypeError(`guard.refuse: the status is ${show(status)}, no HTTP status of a refusal; ${WRITE}`)
  }
  refuseSocket(socket, { status, headers: HEADERS, body: '' })
}

function destroy(this: Duplex): void {
  this.destroy()
}
