import type { Budget } from '../model/store.ts'
import { readBudget } from './budget.ts'
import { type Fields, readFlag } from './fields.ts'
import { readChoice, readCount, readDuration, readEach, readFunction, readSize, readWord } from './scalars.ts'
import { type Key, key, type Shape } from './shape.ts'
import { budgetInWords, countInWords, durationInWords, sizeInWords } from './words.ts'

/** Milliseconds, or words: `'30 seconds'`, `'1 minute'`, `'12 h'`. */
export type Duration = number | string
/** Bytes, or words: `'64 KiB'`, `'1 MB'`. */
export type Size = number | string
/** An amount per time. `burst` defaults to the amount. */
export interface RateInput {
  readonly per: Duration
  readonly burst?: number
}

/** A time in ms. `least` and `most` in ms. */
export function duration(least = 1, most?: number): Shape<number, Duration> {
  return {
    type: 'Duration',
    schema: { type: ['string', 'integer'] },
    read: (fields, name, fallback) => readDuration(fields, name, fallback, least, most),
    words: durationInWords,
    times: [''],
  }
}

/** A number of bytes. */
export const size: Shape<number, Size> = {
  type: 'Size',
  schema: { type: ['string', 'integer'] },
  read: readSize,
  words: sizeInWords,
}

/** A whole number within bounds. */
export function count(least = 1, most = 1_000_000_000): Shape<number, number> {
  return {
    type: 'number',
    schema: { type: 'integer' },
    read: (fields, name, fallback) => readCount(fields, name, fallback, least, most),
    words: countInWords,
  }
}

/** True or false. */
export const flag: Shape<boolean, boolean> = {
  type: 'boolean',
  schema: { type: 'boolean' },
  read: readFlag,
  words: String,
}

/** One of a few words. */
export function choice<const W extends string>(...words: readonly W[]): Shape<W, W> {
  const quoted = words.map(word => `'${word}'`)
  return {
    type: `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`,
    schema: { enum: words },
    read: (fields, name, fallback) => readChoice(fields, name, words, fallback),
    words: word => `'${word}'`,
  }
}

/** Printable text of 1 to 64 characters; `meant` says of what: `the name of the app`. */
export function word(meant: string): Shape<string, string> {
  return {
    type: 'string',
    schema: { type: 'string' },
    read: (fields, name, fallback) => readWord(fields, name, fallback, meant),
    words: text => `'${text}'`,
  }
}

/** A list; `read` reads one element, and answers null after it told a problem. Null where the list is unsaid. */
export function list<T>(
  example: string,
  read: (element: unknown, at: Fields, index: number) => T | null,
): Shape<readonly T[] | null, readonly T[]> {
  return {
    type: 'string[]',
    schema: { type: 'array', items: { type: 'string' } },
    read: (fields, name, fallback) => readEach(fields, name, example, read) ?? fallback,
    words: found => (found === null ? 'none' : found.join(', ')),
  }
}

/** An amount per time: `{ attempts: 60, per: '1 minute', burst: 40 }`; `unit` names the amount. */
export function budget<const U extends string>(unit: U): Shape<Budget, RateInput & { readonly [name in U]: number }> {
  return {
    type: `{ ${unit}, per, burst? }`,
    schema: {
      type: 'object',
      additionalProperties: false,
      properties: { [unit]: { type: 'integer' }, per: { type: ['string', 'integer'] }, burst: { type: 'integer' } },
    },
    read: (fields, name, fallback) => readBudget(fields, name, unit, fallback),
    words: value => budgetInWords(value, unit),
    times: ['per'],
  }
}

/** A function of the app; `type` is its signature as the docs write it. */
// oxlint-disable-next-line typescript/no-explicit-any -- a function of any parameters; each keeps its own
export function rule<F extends (...given: any[]) => unknown>(type: string): Shape<F | null, F> {
  return {
    type,
    schema: {},
    read: (fields, name, fallback) => readFunction<F>(fields, name) ?? fallback,
    words: value => (value === null ? 'none' : "the app's"),
  }
}

/** A key that turns the control off, or makes it weaker: false unless the policy says true. */
export function danger(meaning: string): Key<boolean, boolean> {
  return key(flag, false, meaning, { weakens: true })
}

/** The key that turns a control off. */
export const OFF: Key<boolean, boolean> = danger('Turns the control off.')
