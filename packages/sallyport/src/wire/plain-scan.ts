import { wordsOf } from './mask.ts'

const HIGH_BITS = 0x80808080 | 0
const LOW_BITS = 0x7f7f7f7f
/** Up to this length bytes are checked one by one. That is faster than finding the words. */
const SHORT_BYTES = 24

/**
 * Where a string of JSON (RFC 8259 §7) stops to be the same escaped and not: the first byte in `[start, end)` that is a
 * quote, a backslash or below 0x20, else `end`. Bytes beyond ASCII are plain. Four are looked at in one step.
 */
export function plainEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start
  if (end - start > SHORT_BYTES) {
    const offset = bytes.byteOffset
    while (((offset + at) & 3) !== 0) {
      if (!isPlain(bytes[at]!)) return at
      at++
    }
    at = plainWordsEnd(wordsOf(bytes), (offset + at) >>> 2, (offset + end) >>> 2) * 4 - offset
  }
  while (at < end && isPlain(bytes[at]!)) at++
  return at
}

/** The first word with a byte that is not plain, or one of the three words before it. */
function plainWordsEnd(words: Int32Array, start: number, end: number): number {
  let index = start
  for (; index + 4 <= end; index += 4) {
    const plain =
      plainBits(words[index]!) &
      plainBits(words[index + 1]!) &
      plainBits(words[index + 2]!) &
      plainBits(words[index + 3]!)
    if ((plain & HIGH_BITS) !== HIGH_BITS) break
  }
  return index
}

/**
 * The high bit of each byte of a word says whether it is plain. Of seven bits no sum carries into the next byte. With
 * its second bit flipped, below 0x21 is what was below 0x20, and the quote.
 */
function plainBits(word: number): number {
  const seven = word & LOW_BITS
  return (((seven ^ 0x02020202) + 0x5f5f5f5f) & ((seven ^ 0x5c5c5c5c) + LOW_BITS)) | word
}

function isPlain(byte: number): boolean {
  return byte >= 0x20 && byte !== 0x22 && byte !== 0x5c
}
