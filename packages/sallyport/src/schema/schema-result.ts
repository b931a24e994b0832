import type { BigIntegers } from '../model/schema-kinds.ts'

/** What a compiled schema answers: the value to pass on, or why not. `detail` names a path and a keyword, never a value. */
export type SchemaResult =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly detail: string }

/** A compiled schema. Asynchronous only where the schema is. */
export interface SchemaCheck {
  (value: object): SchemaResult | Promise<SchemaResult>
  /** Whether it answers its input where nothing was stripped, and never changes it. */
  readonly isPure?: boolean
  /** Whether it may change its input, which must be a copy then: Ajv fills in, coerces and removes in place. */
  readonly mayChange?: boolean
  /** Whether numbers are judged where values hold bigints. Else, with `bigIntegers: 'text'`, it is asked about text. */
  readonly judgesBigints?: boolean
}

/** How schemas treat what they do not declare. */
export interface SchemaOptions {
  /** The key that names the type; kept in the output also where the schema does not declare it. Null for a value without one. */
  readonly discriminator: string | null
  readonly unknownFields: 'strip' | 'refuse'
  /** Whether values hold bigints instead of integers of 64 bits. */
  readonly bigIntegers?: BigIntegers
}

/** The refusal of a message that holds what its schema does not declare. */
export const UNKNOWN_FIELDS: SchemaResult = Object.freeze({
  ok: false,
  detail: 'holds fields that the schema does not declare',
})

/** A refusal at `path`, by `keyword`. Both may be the peer's words: they are cut, and what is not printable ASCII replaced. */
export function refusal(path: string, keyword: unknown): SchemaResult {
  const named = typeof keyword === 'string' && /^[\w$-]{1,40}$/.test(keyword) ? keyword : 'invalid'
  return { ok: false, detail: `${shownPath(path)} ${named}` }
}

/** A path in a message, for the log: cut, and what is not printable ASCII replaced. */
export function shownPath(path: string): string {
  return path.slice(0, 120).replaceAll(/[^\x20-\x7e]/g, '?') || '/'
}
