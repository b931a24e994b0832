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
 * Writes a refusal on the socket of a handshake, and closes it once it is out; what the peer still sends is not waited
 * for. In the middle of an earlier request's answer nothing is said.
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
  // The stream of an `upgrade` event need not be a socket; see `socketOf`.
  if ('setNoDelay' in stream) {
    sendLatin1(socket, text)
    flush()
    // Written whole at once, as so short an answer nearly always is: to wait for the peer's FIN would cost more than it.
    if (socket.writableLength === 0 && socket.readableLength === 0) {
      socket.destroy()
      return
    }
    socket.pause()
  } else stream.write(text, 'latin1')
  cutUntaken(socket)
  // A server's sockets may stay half open: the end of ours alone would leave the peer's half, and the socket, for ever.
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
