const QUOTE = 0x22
const BACKSLASH = 0x5c
const MINUS = 0x2d
const POINT = 0x2e
const ZERO = 0x30
/** All digits that a double holds for certain, whatever they are. */
const DIGITS_MOST = 15
const POWERS = Float64Array.from({ length: DIGITS_MOST + 1 }, (_, digits) => 10 ** digits)

const HIGH = 0x80808080 | 0

/** From so many bytes on, the platform finds a quote or a backslash sooner than a loop does. */
const LONG = 2048

/**
 * The first byte in `[start, end)` of `view` that a plain string does not hold: a quote, a backslash, below 0x20, or
 * beyond ASCII; else `end`. `bytes` is the same memory, from `offset` on.
 */
export function plainStringEnd(view: DataView, start: number, end: number, bytes: Buffer, offset: number): number {
  let at = end - start < LONG ? start : longEnd(view, start, end, bytes, offset)
  for (; at + 16 <= end; at += 16) {
    const plain =
      plainBits(view.getInt32(at, true)) &
      plainBits(view.getInt32(at + 4, true)) &
      plainBits(view.getInt32(at + 8, true)) &
      plainBits(view.getInt32(at + 12, true))
    if ((plain & HIGH) !== HIGH) break
  }
  for (; at + 4 <= end; at += 4) if ((plainBits(view.getInt32(at, true)) & HIGH) !== HIGH) break
  while (at < end && isPlain(view.getUint8(at))) at++
  return at
}

/**
 * The high bit of each of four bytes is set where it is plain, if all four are. With its second bit flipped, below 0x21
 * is what was below 0x20, and the quote. A byte beyond ASCII has the bit in one sum at most, and what it carries into
 * the next matters no more.
 */
function plainBits(word: number): number {
  return ((word ^ 0x02020202) + 0x5f5f5f5f) & ((word ^ 0x5c5c5c5c) + 0x7f7f7f7f)
}

/** The same where it is ASCII and not below 0x20. */
function printableBits(word: number): number {
  return (word + 0x60606060) & ~word
}

/** Up to where all is plain for certain: less than 32 bytes before the first that is not, or before `end`. */
function longEnd(view: DataView, start: number, end: number, bytes: Buffer, offset: number): number {
  const part = bytes.subarray(start - offset, end - offset)
  const quote = part.indexOf(QUOTE)
  // Up to the quote alone: a message of many strings would be searched to its end for each of them.
  const backslash = (quote === -1 ? part : part.subarray(0, quote)).indexOf(BACKSLASH)
  const first = backslash !== -1 ? start + backslash : quote !== -1 ? start + quote : end
  let at = start
  for (; at + 32 <= first; at += 32) {
    const printable =
      printableBits(view.getInt32(at, true)) &
      printableBits(view.getInt32(at + 4, true)) &
      printableBits(view.getInt32(at + 8, true)) &
      printableBits(view.getInt32(at + 12, true)) &
      printableBits(view.getInt32(at + 16, true)) &
      printableBits(view.getInt32(at + 20, true)) &
      printableBits(view.getInt32(at + 24, true)) &
      printableBits(view.getInt32(at + 28, true))
    if ((printable & HIGH) !== HIGH) break
  }
  return at
}

function isPlain(byte: number): boolean {
  return byte >= 0x20 && byte < 0x80 && byte !== QUOTE && byte !== BACKSLASH
}

/**
 * Reads a number of JSON into `into[index]`: an optional minus, an integer, an optional fraction, up to 15 digits in
 * all. Answers where it ends, or `start` where it is no such number, or -0. The value is exact: an integer below 2^53,
 * or its quotient by a power of ten that a double holds, rounded once (Clinger, PLDI 1990).
 */
export function readNumber(view: DataView, start: number, end: number, into: Float64Array, index: number): number {
  const negative = start < end && view.getUint8(start) === MINUS
  const first = negative ? start + 1 : start
  const most = first + DIGITS_MOST
  let value = 0
  let at = first
  for (; at < end && at <= most; at++) {
    const digit = view.getUint8(at) - ZERO
    if (digit < 0 || digit > 9) break
    value = value * 10 + digit
  }
  let digits = at - first
  if (digits === 0 || (digits > 1 && view.getUint8(first) === ZERO)) return start
  if (at < end && view.getUint8(at) === POINT) {
    const point = at++
    for (; at < end && digits <= DIGITS_MOST; at++, digits++) {
      const digit = view.getUint8(at) - ZERO
      if (digit < 0 || digit > 9) break
      value = value * 10 + digit
    }
    if (at === point + 1) return start
    value /= POWERS[Math.min(at - point - 1, DIGITS_MOST)]!
  }
  if (digits > DIGITS_MOST || (negative && value === 0)) return start
  into[index] = negative ? -value : value
  return at
}
