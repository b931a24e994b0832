import { randomFillSync } from 'node:crypto'

const HIGH_BITS = 0x80808080 | 0
// A key as this machine's words hold it, whatever its byte order: written as bytes, read as a word.
const keyBytes = new Uint8Array(4)
const keyWord = new Int32Array(keyBytes.buffer)

// An engine that reads into one buffer, and writes into a second, makes their words once. The buffers are told apart by
// themselves: to ask for the memory of one costs more than unmasking a short message.
let words: Int32Array = new Int32Array(0)
let others: Int32Array = words
let owner: Uint8Array = new Uint8Array(0)
let otherOwner: Uint8Array = owner

/** The whole words of a buffer's memory, in this machine's byte order; those of the last two buffers seen are kept. */
export function wordsOf(bytes: Uint8Array): Int32Array {
  if (bytes === owner) return words
  const [before, beforeOwner] = [words, owner]
  if (bytes !== otherOwner) {
    const { buffer } = bytes
    if (others.buffer !== buffer) others = words.buffer === buffer ? words : wholeWords(buffer)
    otherOwner = bytes
  }
  words = others
  owner = otherOwner
  others = before
  otherOwner = beforeOwner
  return words
}

function wholeWords(memory: ArrayBufferLike): Int32Array {
  return new Int32Array(memory, 0, memory.byteLength >>> 2)
}

function maskByte(bytes: Uint8Array, at: number, key: number, turn: number): number {
  const byte = bytes[at]! ^ ((key >>> ((turn & 3) << 3)) & 255)
  bytes[at] = byte
  return byte
}

/**
 * XORs bytes in place with a masking key (RFC 6455 §5.3), four at a time.
 *
 * @param key the four key bytes, first byte lowest
 * @param phase how many bytes of the frame went before `start`
 * @returns whether every resulting byte is ASCII: known for free, as the OR of all that was written
 */
export function applyMask(bytes: Uint8Array, start: number, end: number, key: number, phase: number): boolean {
  let at = start
  let turn = phase
  let bits = 0
  if (end - start >= 16) {
    const offset = bytes.byteOffset
    while (((offset + at) & 3) !== 0) bits |= maskByte(bytes, at++, key, turn++)
    keyBytes[0] = key >>> ((turn & 3) << 3)
    keyBytes[1] = key >>> (((turn + 1) & 3) << 3)
    keyBytes[2] = key >>> (((turn + 2) & 3) << 3)
    keyBytes[3] = key >>> (((turn + 3) & 3) << 3)
    const word = keyWord[0]!
    const memory = wordsOf(bytes)
    const last = (offset + end) >>> 2
    let index = (offset + at) >>> 2
    for (; index < last; index++) {
      const unmasked = memory[index]! ^ word
      memory[index] = unmasked
      bits |= unmasked
    }
    at = (last << 2) - offset
  }
  while (at < end) bits |= maskByte(bytes, at++, key, turn++)
  return (bits & HIGH_BITS) === 0
}

// Of the buffers that were copied between last, as above, but byte for byte: they lie at any alignment.
let sourceView: DataView = new DataView(new ArrayBuffer(0))
let targetView: DataView = sourceView
let lastSource: Uint8Array | null = null
let lastTarget: Uint8Array | null = null

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength)
}

/**
 * Copies `source[from..to)` to `target[at..)` and masks it in the same step (RFC 6455 §5.3). Throws a `RangeError` where
 * either does not hold it.
 *
 * @param key the four key bytes, first byte lowest
 * @returns the position behind what was written
 */
export function copyMasked(
  target: Uint8Array,
  at: number,
  source: Uint8Array,
  from: number,
  to: number,
  key: number,
): number {
  if (source !== lastSource) {
    sourceView = viewOf(source)
    lastSource = source
  }
  if (target !== lastTarget) {
    targetView = viewOf(target)
    lastTarget = target
  }
  const input = sourceView
  const output = targetView
  const shift = at - from
  let next = from
  for (const last = to - 15; next < last; next += 16) {
    const place = next + shift
    output.setInt32(place, input.getInt32(next, true) ^ key, true)
    output.setInt32(place + 4, input.getInt32(next + 4, true) ^ key, true)
    output.setInt32(place + 8, input.getInt32(next + 8, true) ^ key, true)
    output.setInt32(place + 12, input.getInt32(next + 12, true) ^ key, true)
  }
  for (const last = to - 3; next < last; next += 4) {
    output.setInt32(next + shift, input.getInt32(next, true) ^ key, true)
  }
  for (let left = key; next < to; next++, left >>>= 8) output.setUint8(next + shift, input.getUint8(next) ^ left)
  return to + shift
}

const KEYS = 2048
const pool = new Int32Array(KEYS)
let drawn = KEYS

/** A fresh masking key from the system's CSPRNG (RFC 6455 §5.3), never used twice. */
export function maskingKey(): number {
  if (drawn === KEYS) {
    randomFillSync(pool)
    drawn = 0
  }
  const key = pool[drawn]!
  pool[drawn++] = 0
  return key
}
