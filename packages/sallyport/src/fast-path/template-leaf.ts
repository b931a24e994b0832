import type { JsonSchema } from '../model/schema-kinds.ts'
import { type BytePattern, bytePattern } from './template-pattern.ts'

/** What a leaf is written as. */
export const LEAF: Readonly<Record<'string' | 'number' | 'choice', number>> = Object.freeze({
  /** Text between two quotes, which are not part of it. */
  string: 0,
  number: 1,
  /** One of a few values, each as `JSON.stringify` writes it. */
  choice: 2,
})

/** A value that a leaf may have, and its bytes. */
export interface Choice {
  readonly token: Uint8Array
  readonly value: string | number | boolean | null
}

/** The check of one value that varies from message to message. One shape for all kinds, for speed alone. */
export interface Leaf {
  readonly kind: number
  /** Length of a string, in bytes: it is ASCII. */
  readonly least: number
  readonly most: number
  readonly pattern: BytePattern | null
  /** The pattern where it has no table. */
  readonly regExp: RegExp | null
  readonly integer: boolean
  readonly minimum: number
  readonly maximum: number
  readonly above: number
  readonly below: number
  readonly choices: readonly Choice[]
}

/** No string is longer: V8's bound is below 2^30. */
const LONGEST = 2 ** 30
const CHOICES_MOST = 64
const PLAIN_TOKEN = /^[\x20-\x5b\x5d-\x7f]*$/

const KEYWORDS: { readonly [type: string]: readonly string[] } = {
  string: ['minLength', 'maxLength', 'pattern'],
  number: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
  integer: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
  boolean: [],
  null: [],
}

/** Compiles the check of a scalar. Null where a keyword is not known here, or has a value that validators may read in their own way. */
export function compileLeaf(schema: JsonSchema, keywords: readonly string[]): Leaf | null {
  const { type } = schema
  const known = typeof type === 'string' && Object.hasOwn(KEYWORDS, type) ? KEYWORDS[type]! : null
  if (keywords.includes('type') && known === null) return null
  const rest = keywords.filter(key => key !== 'type')
  if (rest.length === 1 && rest[0] === 'const') return choiceOf([schema['const']], type)
  if (rest.length === 1 && rest[0] === 'enum') return choiceOf(schema['enum'], type)
  if (known === null || !rest.every(key => known.includes(key))) return null
  if (type === 'null') return choiceOf([null], type)
  if (type === 'boolean') return choiceOf([true, false], type)
  const bounds = rest.filter(key => key !== 'pattern')
  if (!bounds.every(key => Number.isFinite(schema[key]))) return null
  return type === 'string' ? stringOf(schema, rest) : numberOf(schema, rest, type === 'integer')
}

const BLANK: Omit<Leaf, 'kind'> = Object.freeze({
  least: 0,
  most: LONGEST,
  pattern: null,
  regExp: null,
  integer: false,
  minimum: -Infinity,
  maximum: Infinity,
  above: -Infinity,
  below: Infinity,
  choices: Object.freeze([]),
})

function stringOf(schema: JsonSchema, keywords: readonly string[]): Leaf | null {
  const has = (key: string): boolean => keywords.includes(key)
  const least = has('minLength') ? Math.ceil(schema['minLength'] as number) : BLANK.least
  const most = has('maxLength') ? Math.min(Math.floor(schema['maxLength'] as number), LONGEST) : BLANK.most
  if (!has('pattern')) return { ...BLANK, kind: LEAF.string, least, most }
  // A RegExp object may have flags, and a state.
  if (typeof schema['pattern'] !== 'string') return null
  const regExp = regExpOf(schema['pattern'])
  if (regExp === null) return null
  const pattern = bytePattern(schema['pattern'])
  return { ...BLANK, kind: LEAF.string, least, most, pattern, regExp: pattern === null ? regExp : null }
}

function numberOf(schema: JsonSchema, keywords: readonly string[], integer: boolean): Leaf {
  const bound = (key: string, otherwise: number): number =>
    keywords.includes(key) ? (schema[key] as number) : otherwise
  return {
    ...BLANK,
    kind: LEAF.number,
    integer,
    minimum: bound('minimum', BLANK.minimum),
    maximum: bound('maximum', BLANK.maximum),
    above: bound('exclusiveMinimum', BLANK.above),
    below: bound('exclusiveMaximum', BLANK.below),
  }
}

function choiceOf(options: unknown, type: unknown): Leaf | null {
  if (!Array.isArray(options) || options.length > CHOICES_MOST || !options.every(isScalar)) return null
  // An integer beyond ±(2^53 − 1) is for message/format to judge.
  const tokens = options
    .filter(option => isOf(option, type) && !(Number.isInteger(option) && !Number.isSafeInteger(option)))
    .map(option => JSON.stringify(option))
  const choices = tokens
    .filter(token => PLAIN_TOKEN.test(token))
    .map(token => ({
      token: new Uint8Array(Buffer.from(token, 'latin1')),
      value: JSON.parse(token) as Choice['value'],
    }))
  return { ...BLANK, kind: LEAF.choice, choices }
}

function isScalar(value: unknown): boolean {
  return value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)
}

function isOf(value: unknown, type: unknown): boolean {
  if (type === undefined) return true
  if (type === 'null') return value === null
  return type === 'integer' ? Number.isInteger(value) : typeof value === type
}

/** As typebox makes it. */
function regExpOf(source: string): RegExp | null {
  try {
    return new RegExp(source, 'u')
  } catch {
    return null
  }
}
