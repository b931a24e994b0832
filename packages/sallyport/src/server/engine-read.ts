import type { Socket } from 'node:net'

/** Who a socket's bytes go to. */
export interface Reader {
  /** @returns false when the reader is paused and keeps what it did not take */
  read(chunk: Buffer, start: number, end: number, owned: boolean): boolean
  ended(): void
  gone(): void
}

/** One buffer for all sockets: each reads into it and is done with it before the next reads. */
const SHARED_BYTES = 262_144
const shared = Buffer.allocUnsafeSlow(SHARED_BYTES)

const READER = Symbol('reader')
interface ReadSocket extends Socket {
  [READER]: Reader
  _handle?: { useUserBuffer?: (buffer: Buffer) => void } | null
  [slot: symbol]: unknown
}

/** Reads a socket: its listeners are shared by all, so that a connection costs no closures. */
export function readFrom(plain: Socket, reader: Reader): void {
  const socket = plain as ReadSocket
  socket[READER] = reader
  socket.on('data', onData)
  socket.on('end', onEnd)
  socket.on('close', onClose)
  shareBuffer(socket)
  socket.resume()
}

/**
 * The fast path: the socket reads into the shared buffer, as `net.connect({ onread })` makes it do for clients. What an
 * accepted socket lacks is a way to say so, so the three slots that the option fills are looked for by name; where any
 * of them is not found the socket goes on by its `data` events. What was read before comes by those in any case.
 */
function shareBuffer(socket: ReadSocket): void {
  const handle = socket._handle
  if ('encrypted' in socket || typeof handle?.useUserBuffer !== 'function') return
  const slots = Object.getOwnPropertySymbols(socket)
  const buffer = slots.find(slot => slot.description === 'kBuffer')
  const callback = slots.find(slot => slot.description === 'kBufferCb')
  if (buffer === undefined || callback === undefined || socket[buffer] !== null || socket[callback] !== null) return
  handle.useUserBuffer(shared)
  socket[buffer] = shared
  socket[callback] = onBytes
}

function onBytes(this: ReadSocket, length: number, bytes: Buffer): boolean {
  return this[READER].read(bytes, 0, length, false)
}

function onData(this: Socket, chunk: Buffer): void {
  ;(this as ReadSocket)[READER].read(chunk, 0, chunk.length, true)
}

function onEnd(this: Socket): void {
  ;(this as ReadSocket)[READER].ended()
}

function onClose(this: Socket): void {
  ;(this as ReadSocket)[READER].gone()
}
