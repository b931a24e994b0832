import type { BigIntegers } from '../model/schema-kinds.ts'
import { isAbove, judgeNumber, NUMBER_FAULTS, type NumberFault, type NumberKind } from './number-literal.ts'
import { type Holder, RISKY_NUMBER, scanNumbers } from './number-scan.ts'

/** What a look at the numbers of a message found. */
export type NumbersResult =
  | {
      readonly ok: true
      /** Whether a number is not the double that stands for it: see `withNeighbours`. */
      readonly near: boolean
      /** Whether bigints replace integers of 64 bits. */
      readonly big: boolean
    }
  | { readonly ok: false; readonly path: string; readonly fault: string }

const FINE: NumbersResult = Object.freeze({ ok: true, near: false, big: false })

/**
 * Judges the numbers of a message by the digits that were sent: an integer must be within ±(2^53 − 1), a number with a
 * fraction or an exponent finite, not underflowed and of at most 17 significant digits. Unless `bigIntegers` is
 * `refuse`, an integer of 64 bits passes, and `value` holds a bigint in its place. `value` is what JSON.parse made of
 * `text`, of which each key is written once.
 */
export function checkNumbers(text: string, value: object, bigIntegers: BigIntegers): NumbersResult {
  if (!RISKY_NUMBER.test(text)) return FINE
  let near = false
  let big = false
  const fault = scanNumbers<NumberFault>(text, value, (token, holder, key) => {
    const kind = judgeNumber(token)
    if (kind === 'exact') return null
    if (kind === 'near') {
      near = true
      return null
    }
    if (kind !== 'big') return kind
    if (bigIntegers === 'refuse') return 'big-integer'
    // At most 20 digits: judgeNumber has counted them.
    put(holder, key, BigInt(token))
    big = true
    return null
  })
  if (fault !== null) return { ok: false, path: fault.path, fault: NUMBER_FAULTS[fault.found] }
  return near || big ? { ok: true, near, big } : FINE
}

/** Parses a text again that `checkNumbers` let pass, with bigints where it had put them. */
export function parseAgain(text: string, bigIntegers: BigIntegers): object {
  const value = JSON.parse(text) as object
  if (bigIntegers !== 'refuse') checkNumbers(text, value, bigIntegers)
  return value
}

/** Parses a text that the app wrote, with a bigint for each integer of 64 bits beyond ±(2^53 − 1). */
export function parseWithBigints(text: string): unknown {
  const value = JSON.parse(text) as unknown
  if (typeof value !== 'object' || value === null || !RISKY_NUMBER.test(text)) return value
  scanNumbers(text, value, (token, holder, key) => {
    if (judgeNumber(token) === 'big') put(holder, key, BigInt(token))
    return null
  })
  return value
}

/**
 * The message, where each number that is not the double JSON.parse reads is replaced by the next double: the sent number
 * lies between the two. A bound or constant that both doubles satisfy is satisfied by the number that was sent.
 */
export function withNeighbours(text: string, bigIntegers: BigIntegers): object {
  const value = parseAgain(text, bigIntegers)
  scanNumbers(text, value, (token, holder, key) => {
    const kind: NumberKind = judgeNumber(token)
    if (kind === 'near') put(holder, key, neighbour(token))
    return null
  })
  return value
}

const double = new Float64Array(1)
const bits = new BigInt64Array(double.buffer)

/** The double on the other side of a number that lies between two. */
function neighbour(token: string): number {
  const value = Number(token)
  double[0] = value
  // The bits of positive doubles are ordered as the doubles are; of negative ones the other way.
  bits[0]! += isAbove(token, value) === value > 0 ? 1n : -1n
  return double[0] ?? value
}

/** A copy with the digits of each bigint as text; the value itself where there is none. */
export function withDigits(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null) return value
  let copy: Holder | null = null
  for (const key of Object.keys(value)) {
    const before: unknown = (value as Record<string, unknown>)[key]
    const after = withDigits(before)
    if (after === before) continue
    copy ??= Array.isArray(value) ? [...(value as unknown[])] : copyOf(value)
    put(copy, key, after)
  }
  return copy ?? value
}

function copyOf(value: object): Record<string, unknown> {
  return Object.defineProperties({}, Object.getOwnPropertyDescriptors(value)) as Record<string, unknown>
}

/** Sets an own property. Assigning `__proto__` would set the prototype. */
export function put(holder: Holder, key: string | number, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(holder, key, { value, writable: true, enumerable: true, configurable: true })
  else (holder as Record<string | number, unknown>)[key] = value
}
