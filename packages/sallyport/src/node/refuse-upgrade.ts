import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { kindOf, show } from '../shape/shown.ts'
import { isMidAnswer } from './answering.ts'
import { type HttpAnswer, refusalText } from '../guard/refusal.ts'
import { cutUntaken } from './upgrade-socket.ts'

/** Writes a refusal on the socket of an `upgrade` event, and closes it once it is out; in the middle of an earlier answer nothing is said. */
export function refuseUpgrade(socket: Duplex, refusal: HttpAnswer): void {
  if (socket.destroyed || socket.writableEnded) return
  socket.on('error', () => socket.destroy())
  if (isMidAnswer(socket)) {
    socket.destroy()
    return
  }
  cutUntaken(socket as Socket)
  // A server's sockets may stay half open: the end of ours alone would leave the peer's half, and the socket, for ever.
  socket.end(refusalText(refusal), () => socket.destroy())
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
  refuseUpgrade(socket, { status, headers: HEADERS, body: '' })
}
