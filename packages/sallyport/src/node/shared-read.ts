import type { Socket } from 'node:net'

/** The receiver of a socket's bytes. */
export interface Reader {
  /** @returns false when the reader is paused and keeps what it did not take */
  read(chunk: Buffer, start: number, end: number, owned: boolean): boolean
  ended(): void
  gone(): void
}

/** One buffer for all sockets. Each socket reads into it and handles the bytes before the next one reads. */
const SHARED_BYTES = 65_536
/**
 * A smaller part of the same memory, for short reads: what a held connection reads ahead then stays within its bound.
 */
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

/** Reads a socket. All sockets share the same listeners, so that a connection needs no closures. */
export function readFrom(plain: Socket, reader: Reader): void {
  const socket = plain as ReadSocket
  socket[READER] = reader
  socket.on('data', onData)
  dropOwnEnd(socket)
  // Before Node's own listener, which stops the writing of a socket that may not stay half open. Waiting bytes are
  // written first.
  socket.prependListener('end', onEnd)
  // A socket of `readFirst` already has this listener.
  if (socket[FIRST] === undefined) socket.on('close', onClose)
  // Over TLS one read of the kernel becomes several reads here. Bytes that the stream already holds must come first.
  if (!('encrypted' in socket) || socket.readableLength === 0) shareBuffer(socket, onBytes)
  socket.resume()
}

/**
 * Removes Node's own `end` listener. It makes a socket that may not stay half open refuse to write. On one that may, it
 * does nothing, but two listeners need a list of more than a hundred bytes, and one needs none.
 */
function dropOwnEnd(socket: Socket): void {
  if (!socket.allowHalfOpen) return
  const own = socket.listeners('end')[0]
  if (own?.name === 'onReadableStreamEnd') socket.off('end', own as () => void)
}

/**
 * Gives the first bytes of an accepted socket to `first`. They are in the shared buffer, so `first` must copy what it
 * keeps. Later bytes are emitted as `data` events of the socket, unless `readFrom` takes it over.
 *
 * @returns false if the socket cannot do that: all its bytes are then emitted as `data` events
 */
export function readFirst(plain: Socket, first: FirstReceiver): boolean {
  const socket = plain as ReadSocket
  socket[FIRST] = first
  socket.on('close', onClose)
  // Another reader before this one, such as one for a PROXY header, has read the socket. What it put back arrives only
  // by events.
  if ('encrypted' in socket || socket.bytesRead > 0 || socket.readableFlowing !== null) return false
  return shareBuffer(socket, onFirstBytes)
}

/** Detaches the first-bytes receiver. Its `gone()` is no longer called. */
export function leaveFirst(plain: Socket): void {
  const socket = plain as ReadSocket
  socket[FIRST] = undefined
  socket.off('close', onClose)
}

/** The receiver of the first bytes of sockets. One receiver serves many sockets. */
export interface FirstReceiver {
  /** The next read overwrites the memory of `chunk`. */
  first(socket: Socket, chunk: Buffer): void
  /** The socket ended before another reader took it. */
  gone(socket: Socket): void
}

/**
 * The fast path: the socket reads into the shared buffer, as `net.connect({ onread })` does for clients. Accepted
 * sockets have no such option, so the three slots that the option fills are searched by name. If one of them is not
 * found, the socket continues with `data` events. Bytes read before this call arrive as `data` events in any case.
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

/**
 * Makes each read of a socket shorter, or sets the usual length again. Does nothing if the socket does not use the
 * shared buffer.
 */
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

/** Node's own symbols, the same for all sockets. They are searched once, and again only if they were not found. */
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
