import type { BigIntegers } from '../../model/schema-kinds.ts'
import type { MessageSubject } from './message-control.ts'
import { type Holder, scanNumbers, UNUSUAL_NUMBER } from '../../schema/number-scan.ts'

/**
 * The text of an altered message: its value as JSON, with each number written as the peer wrote it. With `keepsBig`,
 * integers of 64 bits stay numbers if the value contains the text of their digits.
 */
export function alteredText({ value, text }: Pick<MessageSubject, 'value' | 'text'>, keepsBig = false): string {
  if (text === null || !UNUSUAL_NUMBER.test(text)) return plainText(value)
  const sent = JSON.parse(text) as unknown
  if (typeof sent !== 'object' || sent === null) return plainText(value)
  const literals = new Map<Holder, Map<string, string>>()
  scanNumbers(text, sent, (token, holder, key) => {
    let inside = literals.get(holder)
    if (inside === undefined) literals.set(holder, (inside = new Map()))
    inside.set(String(key), token)
    return null
  })
  return write(value, sent, { literals, keepsBig }) ?? 'null'
}

/**
 * The JSON of a value if JavaScript writes its numbers as the peer did. A bigint from a transform is written as an
 * integer.
 */
function plainText(value: unknown): string {
  if (!('toJSON' in BigInt.prototype)) {
    try {
      return JSON.stringify(value) ?? 'null'
    } catch {
      // The value contains a bigint.
    }
  }
  return write(value, undefined, { literals: new Map(), keepsBig: false }) ?? 'null'
}

interface Writing {
  readonly literals: ReadonlyMap<Holder, ReadonlyMap<string, string>>
  readonly keepsBig: boolean
}

function write(value: unknown, sent: unknown, writing: Writing): string | undefined {
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const inside = typeof sent === 'object' && sent !== null ? (sent as Record<string, unknown>) : {}
  const literals = writing.literals.get(inside)
  const field = (key: string): string | undefined => {
    const held = (value as Record<string, unknown>)[key]
    const literal = literals?.get(key)
    if (literal !== undefined && stands(literal, held, writing.keepsBig)) return literal
    return write(held, Object.hasOwn(inside, key) ? inside[key] : undefined, writing)
  }
  if (Array.isArray(value)) return `[${value.map((_, index) => field(String(index)) ?? 'null').join()}]`
  const parts: string[] = []
  for (const key of Object.keys(value)) {
    const written = field(key)
    if (written !== undefined) parts.push(`${JSON.stringify(key)}:${written}`)
  }
  return `{${parts.join()}}`
}

/** Whether a number in the peer's text equals the number in the value at the same place. */
function stands(literal: string, held: unknown, keepsBig: boolean): boolean {
  if (typeof held === 'number') return Number(literal) === held
  return (typeof held === 'bigint' || (keepsBig && typeof held === 'string')) && literal === String(held)
}

/**
 * Whether the output of a schema says the same as the text. `input` is the parsed value. A schema may have changed it
 * in place, so a part of it that appears in the output is compared with a new parse of the text.
 */
export function isAsSent(input: unknown, output: unknown, parse: () => unknown): boolean {
  const shared = { is: input === output }
  if (!isSame(input, output, shared)) return false
  return !shared.is || isSame(parse(), output, { is: false })
}

function isSame(sent: unknown, made: unknown, shared: { is: boolean }): boolean {
  if (typeof sent !== 'object' || sent === null) return Object.is(sent, made)
  if (typeof made !== 'object' || made === null) return false
  if (sent === made) {
    shared.is = true
    return true
  }
  if (Array.isArray(sent)) {
    return (
      Array.isArray(made) && sent.length === made.length && sent.every((item, at) => isSame(item, made[at], shared))
    )
  }
  if (!isPlain(made)) return false
  const keys = Object.keys(sent)
  if (keys.length !== Object.keys(made).length) return false
  return keys.every(
    key => Object.hasOwn(made, key) && isSame((sent as Record<string, unknown>)[key], made[key], shared),
  )
}

/** The first place in a value that JSON cannot express, as a JSON Pointer with its kind. Null if there is none. */
export function unwritable(value: unknown, bigIntegers: BigIntegers): string | null {
  if (typeof value === 'bigint') return bigIntegers === 'bigint' && isOf64Bits(value) ? null : ' bigint'
  if (typeof value === 'number') return Number.isFinite(value) ? null : ' number'
  if (typeof value === 'string' || typeof value === 'boolean' || value === null || value === undefined) return null
  if (!Array.isArray(value) && !isPlain(value)) return ` ${kindOf(value)}`
  for (const key of Object.keys(value)) {
    const found = unwritable((value as Record<string, unknown>)[key], bigIntegers)
    if (found !== null) return `/${key}${found}`
  }
  return null
}

/** Whether an integer fits in 64 bits, signed or unsigned. */
export function isOf64Bits(value: bigint): boolean {
  return value >= -(2n ** 63n) && value < 2n ** 64n
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return (prototype === Object.prototype || prototype === null) && typeof value['toJSON' as never] !== 'function'
}

function kindOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return typeof value
  const { name } = (Object.getPrototypeOf(value) as { readonly constructor?: { readonly name?: unknown } } | null)
    ?.constructor ?? { name: 'object' }
  return typeof name === 'string' && /^\w{1,40}$/.test(name) ? name : 'object'
}
