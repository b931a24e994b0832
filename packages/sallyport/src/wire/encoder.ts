import { NO_ROOM, writeJson } from './json-writer.ts'
import { applyMask, copyMasked, maskingKey } from './mask.ts'
import { FIN, MASKED, OPCODE } from './opcode.ts'

/** Greatest header of a frame that a server sends, in bytes (RFC 6455 §5.2). A client's header has four more. */
export const MAX_HEADER_BYTES = 10
const TEXT = FIN | OPCODE.text
const KEY_BYTES = 4

/** The size of a server's frame with this many bytes of payload. A client's frame has four more. */
export function frameSize(payloadBytes: number): number {
  return payloadBytes + headerBytes(payloadBytes)
}

/** The room that `writeTextFrame` may need for a string. A UTF-16 unit takes at most three bytes of UTF-8. */
export function textFrameRoom(text: string): number {
  return MAX_HEADER_BYTES + 3 * text.length
}

function headerBytes(length: number): number {
  return length < 126 ? 2 : length < 0x10000 ? 4 : 10
}

function writeHeader(target: Buffer, at: number, first: number, length: number, masked: number): number {
  target[at] = first
  if (length < 126) {
    target[at + 1] = masked | length
    return at + 2
  }
  if (length < 0x10000) {
    target[at + 1] = masked | 126
    target[at + 2] = length >>> 8
    target[at + 3] = length
    return at + 4
  }
  target[at + 1] = masked | 127
  target.writeUInt32BE(Math.floor(length / 0x100000000), at + 2)
  target.writeUInt32BE(length >>> 0, at + 6)
  return at + 10
}

function writeKey(target: Buffer, at: number, key: number): number {
  target[at] = key
  target[at + 1] = key >>> 8
  target[at + 2] = key >>> 16
  target[at + 3] = key >>> 24
  return at + KEY_BYTES
}

/** Up to this length, masking while copying is faster than a copy by the engine and a second pass over its words. */
const FUSED_BYTES = 512
/** Up to this length a loop is faster than a copy by the engine, which needs a view. */
const SHORT_BYTES = 48

function copy(target: Buffer, at: number, source: Uint8Array, from: number, to: number): number {
  const end = at + to - from
  if (to - from > SHORT_BYTES) target.set(source.subarray(from, to), at)
  else for (let index = at, next = from; index < end; index++, next++) target[index] = source[next]!
  return end
}

/**
 * Writes a server's frame, which is not masked (RFC 6455 §5.1), where `frameSize` bytes of room are. Its payload is
 * `payload[from..to)`.
 *
 * @param first the first byte: FIN, reserved bits and opcode
 * @returns the position behind the frame
 */
export function writeFrame(
  target: Buffer,
  at: number,
  first: number,
  payload: Uint8Array,
  from = 0,
  to: number = payload.length,
): number {
  return copy(target, writeHeader(target, at, first, to - from, 0), payload, from, to)
}

/**
 * Writes a text at the place of its payload. The header length is guessed for ASCII. In the rare case of a longer
 * header the text is moved.
 *
 * @returns number of bytes of the text
 */
function placeText(target: Buffer, at: number, text: string, keyBytes: number): number {
  const guess = at + headerBytes(text.length) + keyBytes
  const length = target.write(text, guess)
  const start = at + headerBytes(length) + keyBytes
  if (start !== guess) target.copyWithin(start, guess, guess + length)
  return length
}

/**
 * Writes a whole text message of a server, where `textFrameRoom` bytes of room are. A lone surrogate becomes U+FFFD:
 * what is sent is always UTF-8.
 *
 * @returns the position behind the frame
 */
export function writeTextFrame(target: Buffer, at: number, text: string): number {
  const length = placeText(target, at, text, 0)
  return writeHeader(target, at, TEXT, length, 0) + length
}

/** The size of the last header of a JSON message. The next one probably has the same size. */
let jsonHeaderBytes = 2

/**
 * Writes a whole text message of a server in `target[at..end)`: the JSON of `value`, as `JSON.stringify` has it, in one
 * step.
 *
 * @returns the position behind the frame, or what `writeJson` answers where it cannot, below 0
 */
export function writeJsonFrame(target: Buffer, at: number, end: number, value: object): number {
  const guess = at + jsonHeaderBytes
  const stop = writeJson(target, guess, end, value)
  if (stop < 0) return stop
  const length = stop - guess
  const size = headerBytes(length)
  if (at + size + length > end) return NO_ROOM
  if (size !== jsonHeaderBytes) target.copyWithin(at + size, guess, stop)
  jsonHeaderBytes = size
  writeHeader(target, at, TEXT, length, 0)
  return at + size + length
}

/**
 * Writes a client's frame, masked with a fresh key from the CSPRNG (RFC 6455 §5.3), where `frameSize` + 4 bytes are.
 * Its payload is `payload[from..to)`.
 *
 * @returns the position behind the frame
 */
export function writeMaskedFrame(
  target: Buffer,
  at: number,
  first: number,
  payload: Uint8Array,
  from = 0,
  to: number = payload.length,
): number {
  const key = maskingKey()
  const keyAt = writeHeader(target, at, first, to - from, MASKED)
  const start = writeKey(target, keyAt, key)
  if (to - from <= FUSED_BYTES) return copyMasked(target, start, payload, from, to, key)
  const end = copy(target, start, payload, from, to)
  applyMask(target, start, end, key, 0)
  return end
}

/**
 * Writes a whole text message of a client, masked as above, where `textFrameRoom` + 4 bytes of room are. A lone
 * surrogate becomes U+FFFD.
 *
 * @returns the position behind the frame
 */
export function writeMaskedTextFrame(target: Buffer, at: number, text: string): number {
  const length = placeText(target, at, text, KEY_BYTES)
  const key = maskingKey()
  const start = writeKey(target, writeHeader(target, at, TEXT, length, MASKED), key)
  const end = start + length
  applyMask(target, start, end, key, 0)
  return end
}
