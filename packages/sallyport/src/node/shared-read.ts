import type { Socket } from 'node:net'

/** Who a socket's bytes go to. */
export interface Reader {
  /** @returns false when the reader is paused and keeps what it did not take */
  read(chunk: Buffer, start: number, end: number, owned: boolean): boolean
  ended(): void
  gone(): void
}

/** One buffer for all sockets: each reads into it and is done with it before the next reads. */
const SHARED_BYTES = 65_536
/** The same memory, where a read must be short: what a held connection is read ahead stays within its bound. */
const LESS_BYTES = 16_384
const shared = Buffer.allocUnsafeSlow(SHARED_BYTES)
const less = shared.subarray(0, LESS_BYTES)

const READER = Symbol('reader')
const FIRST = Symbol('first')
interface ReadSocket extends Socket {
  [READER]?: Reader | undefined
  [FIRST]?: FirstReceiver | undefined
  _handle?: { useUserBuffer?: (buffer: Buffer) => void } | null
  [slot: symbol]: unknown
}

/** Reads a socket: its listeners are shared by all, so that a connection costs no closures. */
export function readFrom(plain: Socket, reader: Reader): void {
  const socket = plain as ReadSocket
  socket[READER] = reader
  socket.on('data', onData)
  dropOwnEnd(socket)
  // Before Node's own, which lets a socket that may not stay half open write no more: what waits is written first.
  socket.prependListener('end', onEnd)
  // Whom `readFirst` had is heard already.
  if (socket[FIRST] === undefined) socket.on('close', onClose)
  // Over TLS one read of the kernel's is several of ours: what the stream has already must go first.
  if (!('encrypted' in socket) || socket.readableLength === 0) shareBuffer(socket, onBytes)
  socket.resume()
}

/**
 * Node's own listener makes a socket that may not stay half open refuse to write; on one that may it does nothing, and
 * two listeners are a list, of more than a hundred bytes, where one is none.
 */
function dropOwnEnd(socket: Socket): void {
  if (!socket.allowHalfOpen) return
  const own = socket.listeners('end')[0]
  if (own?.name === 'onReadableStreamEnd') socket.off('end', own as () => void)
}

/**
 * Gives the first bytes of an accepted socket to `first`, read into the shared buffer: a copy is the caller's to make.
 * What comes after them the socket pushes to its `data` events, as any does, unless `readFrom` takes it over.
 *
 * @returns false where the socket cannot do that: it goes on by its `data` events from the start
 */
export function readFirst(plain: Socket, first: FirstReceiver): boolean {
  const socket = plain as ReadSocket
  socket[FIRST] = first
  socket.on('close', onClose)
  // Who stands before the first-bytes reader, a PROXY header's reader say, has read it; what it put back comes by the events alone.
  if ('encrypted' in socket || socket.bytesRead > 0 || socket.readableFlowing !== null) return false
  return shareBuffer(socket, onFirstBytes)
}

/** The socket is another's from now on: its end is not told of to whom `readFirst` named. */
export function leaveFirst(plain: Socket): void {
  const socket = plain as ReadSocket
  socket[FIRST] = undefined
  socket.off('close', onClose)
}

/** Who the first bytes of sockets go to; one for many. */
export interface FirstReceiver {
  /** `chunk` is memory that the next read writes over. */
  first(socket: Socket, chunk: Buffer): void
  /** It ended before anybody else read it. */
  gone(socket: Socket): void
}

/**
 * The fast path: the socket reads into the shared buffer, as `net.connect({ onread })` makes it do for clients. What an
 * accepted socket lacks is a way to say so, so the three slots that the option fills are looked for by name; where any
 * of them is not found the socket goes on by its `data` events. What was read before comes by those in any case.
 */
function shareBuffer(socket: ReadSocket, onRead: typeof onBytes): boolean {
  const handle = socket._handle
  if (typeof handle?.useUserBuffer !== 'function') return false
  const slots = slotsOf(socket)
  if (slots === null || !(slots.buffer in socket) || !(slots.callback in socket)) return false
  const { buffer, callback } = slots
  if (socket[buffer] === shared || socket[buffer] === less) {
    socket[callback] = onRead
    return true
  }
  if (socket[buffer] !== null || socket[callback] !== null) return false
  handle.useUserBuffer(shared)
  socket[buffer] = shared
  socket[callback] = onRead
  return true
}

/** Lets each read of a socket bring less, or as much as ever. Nothing changes where it does not read into shared memory. */
export function readLess(plain: Socket, isLess: boolean): void {
  const socket = plain as ReadSocket
  if (found === null) return
  const [from, to] = isLess ? [shared, less] : [less, shared]
  if (socket[found.buffer] !== from) return
  socket._handle?.useUserBuffer?.(to)
  socket[found.buffer] = to
}

interface Slots {
  readonly buffer: symbol
  readonly callback: symbol
}

/** Node's own symbols, the same for all sockets: looked for once, and again only where they were not found. */
let found: Slots | null = null

function slotsOf(socket: ReadSocket): Slots | null {
  if (found !== null) return found
  const slots = Object.getOwnPropertySymbols(socket)
  const buffer = slots.find(slot => slot.description === 'kBuffer')
  const callback = slots.find(slot => slot.description === 'kBufferCb')
  if (buffer !== undefined && callback !== undefined) found = { buffer, callback }
  return found
}

function onFirstBytes(this: ReadSocket, length: number, bytes: Buffer): boolean {
  shareBuffer(this, onMoreBytes)
  this[FIRST]?.first(this, bytes.subarray(0, length))
  return true
}

function onMoreBytes(this: ReadSocket, length: number, bytes: Buffer): boolean {
  return this.push(Buffer.from(bytes.subarray(0, length)))
}

function onBytes(this: ReadSocket, length: number, bytes: Buffer): boolean {
  return this[READER]!.read(bytes, 0, length, false)
}

function onData(this: Socket, chunk: Buffer): void {
  ;(this as ReadSocket)[READER]!.read(chunk, 0, chunk.length, true)
}

function onEnd(this: Socket): void {
  ;(this as ReadSocket)[READER]!.ended()
}

function onClose(this: Socket): void {
  const socket = this as ReadSocket
  const reader = socket[READER]
  if (reader === undefined) socket[FIRST]?.gone(this)
  else reader.gone()
}
