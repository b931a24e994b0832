/** What a number of JSON is, judged by the digits that were sent. */
export type NumberKind =
  /** A double holds it; its shortest form has the same value. */
  | 'exact'
  /** At most 17 significant digits; the double that JSON.parse reads has another value by less than one step. */
  | 'near'
  /** An integer of 64 bits, signed or unsigned, beyond ±(2^53 − 1). */
  | 'big'
  | NumberFault

/** Why a number cannot be passed on. */
export type NumberFault = 'big-integer' | 'long-integer' | 'not-finite' | 'underflow' | 'too-many-digits'

/** The faults in words, with what to send instead. */
export const NUMBER_FAULTS: Readonly<Record<NumberFault, string>> = Object.freeze({
  'big-integer': 'an integer beyond ±(2^53 − 1); send it as text, or set message.format.bigIntegers',
  'long-integer': 'an integer beyond 64 bits; send it as text',
  'not-finite': 'a number beyond the range of doubles',
  underflow: 'a number too small for a double; its digits would be lost',
  'too-many-digits': 'a number of more than 17 significant digits; round it, or send it as text',
})

/** Doubles below it have fewer significant digits. */
const SMALLEST_NORMAL = 2 ** -1022
/** A double holds so many significant digits, whatever they are. */
const DIGITS_CERTAIN = 15
/** Two doubles never share so many significant digits. */
const DIGITS_MOST = 17
/** Characters of the longest integer of 64 bits, minus sign included. */
const CHARACTERS_MOST = 20
const INT64_MOST = '9223372036854775808'
const UINT64_MOST = '18446744073709551615'

/** Judges one number literal of JSON. Its length is not bounded; the work is linear in it. */
export function judgeNumber(token: string): NumberKind {
  return isInteger(token) ? judgeInteger(token) : judgeFraction(token)
}

function isInteger(token: string): boolean {
  return !/[.eE]/.test(token)
}

function judgeInteger(token: string): NumberKind {
  if (token.length <= DIGITS_CERTAIN || Number.isSafeInteger(Number(token))) return 'exact'
  if (token.length > CHARACTERS_MOST) return 'long-integer'
  const negative = token.startsWith('-')
  const digits = negative ? token.slice(1) : token
  const most = negative ? INT64_MOST : UINT64_MOST
  // Of equal length, digits compare as text does.
  return digits.length < most.length || (digits.length === most.length && digits <= most) ? 'big' : 'long-integer'
}

function judgeFraction(token: string): NumberKind {
  const value = Number(token)
  if (!Number.isFinite(value)) return 'not-finite'
  const { digits } = decimalOf(token)
  if (digits === '') return 'exact'
  if (value === 0) return 'underflow'
  if (digits.length > DIGITS_MOST) return 'too-many-digits'
  if (Math.abs(value) < SMALLEST_NORMAL) {
    const rounded = value.toPrecision(digits.length)
    if (!isSameDecimal(rounded, token)) return 'underflow'
  } else if (digits.length <= DIGITS_CERTAIN) return 'exact'
  return isSameDecimal(String(value), token) ? 'exact' : 'near'
}

/** A decimal number as `± 0.digits × 10^exponent`, without zeros at either end of the digits; no digits for zero. */
export interface Decimal {
  readonly negative: boolean
  readonly digits: string
  readonly exponent: number
}

/** Reads a number literal of JSON, or what `String` makes of a finite number, without rounding. */
export function decimalOf(token: string): Decimal {
  const [mantissa = '', power = '0'] = token.toLowerCase().split('e')
  const negative = mantissa.startsWith('-')
  const [whole = '', fraction = ''] = (negative ? mantissa.slice(1) : mantissa).split('.')
  const all = whole + fraction
  let start = 0
  while (all.charCodeAt(start) === 0x30) start++
  let end = all.length
  while (end > start && all.charCodeAt(end - 1) === 0x30) end--
  const digits = all.slice(start, end)
  return { negative, digits, exponent: digits === '' ? 0 : whole.length - start + Number(power) }
}

/** Whether two number literals have the same value; zero has one value. */
export function isSameDecimal(one: string, other: string): boolean {
  const a = decimalOf(one)
  const b = decimalOf(other)
  return a.digits === b.digits && a.exponent === b.exponent && (a.negative === b.negative || a.digits === '')
}

/** Whether the literal's value is above the value of the double that JSON.parse reads. */
export function isAbove(token: string, value: number): boolean {
  const exact = fractionOf(decimalOf(token))
  const rounded = fractionOf(decimalOf(String(value)))
  const step = exact.power < rounded.power ? exact.power : rounded.power
  return exact.units * 10n ** BigInt(exact.power - step) > rounded.units * 10n ** BigInt(rounded.power - step)
}

/** A decimal as an integer of units of a power of ten. */
export function fractionOf({ negative, digits, exponent }: Decimal): {
  readonly units: bigint
  readonly power: number
} {
  const units = BigInt(digits === '' ? '0' : digits)
  return { units: negative ? -units : units, power: exponent - digits.length }
}
