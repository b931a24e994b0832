import { parseDuration, parseSize } from 'sallyport/policy'
import { nearest } from 'sallyport/internal'
import type { Path } from './path.ts'
import { readMounted, type Reading, refuse, refuseSecret } from './reading.ts'
import { kindOf } from './shown-value.ts'

/** How one value of the file is read, and how it is described to an editor: one table for both. */
export interface Shape<T> {
  /** The value; undefined, and a problem told, where it will not do. */
  read(reading: Reading, path: Path, value: unknown): T | undefined
  /** JSON Schema, for editors. */
  readonly schema: { readonly [keyword: string]: unknown }
}

/** One key of an object. */
export interface Field<T> {
  readonly shape: Shape<T>
  readonly doc: string
  /** What to write where this required key is missing. */
  readonly must: string | null
  readonly fallback: T | (() => T) | undefined
}

/** A key that is read for what the reading then knows: the object is without it. */
export interface Note extends Field<unknown> {
  readonly isNote: true
}

/** What the fields of an object come to. */
export type FieldsOf<F> = {
  readonly [K in keyof F as F[K] extends Note ? never : K]: F[K] extends Field<infer T> ? T : never
}

/** A key that may be left out. */
export function may<T, const D>(shape: Shape<T>, fallback: D | (() => D), doc: string): Field<T | D> {
  return { shape: shape, doc, must: null, fallback }
}

/** A key that must be there; `write` says how. */
export function must<T>(shape: Shape<T>, write: string, doc: string): Field<T> {
  return { shape, doc, must: write, fallback: undefined }
}

/** A key that may be left out, and is read for what the reading then knows. */
export function note(shape: Shape<unknown>, doc: string): Note {
  return { ...may(shape, undefined, doc), isNote: true }
}

/** An object of known keys. */
// oxlint-disable-next-line typescript/no-explicit-any -- fields of any type; each keeps its own
export function object<F extends { readonly [key: string]: Field<any> }>(fields: F): Shape<FieldsOf<F>> {
  const known = Object.keys(fields)
  const needed = Object.values(fields).flatMap(field => field.must ?? [])
  return {
    read(reading, path, value) {
      if (!isObject(value)) {
        refuse(reading, path, value, {
          message: `${kindOf(value)} where keys are meant`,
          remedy: `${needed.length > 0 ? needed.join('; ') : `write ${known.join(', ')}`}, below it`,
        })
        return undefined
      }
      const told = reading.problems.length
      refuseUnknown(reading, path, value, known)
      const found: { [key: string]: unknown } = {}
      for (const [key, field] of Object.entries(fields)) {
        const said = Object.hasOwn(value, key) ? value[key] : undefined
        const isSaid = said !== undefined && said !== null
        if ('isNote' in field) {
          if (isSaid) field.shape.read(reading, [...path, key], said)
        } else if (isSaid) {
          found[key] = field.shape.read(reading, [...path, key], said)
        } else if (field.must === null) {
          found[key] = typeof field.fallback === 'function' ? (field.fallback as () => unknown)() : field.fallback
        } else {
          refuse(reading, [...path, key], undefined, { message: 'required key is missing', remedy: field.must })
        }
      }
      return reading.problems.length === told ? (found as FieldsOf<F>) : undefined
    },
    schema: {
      type: 'object',
      additionalProperties: false,
      properties: Object.fromEntries(
        Object.entries(fields).map(([key, { shape, doc }]) => [key, { ...shape.schema, description: doc }]),
      ),
      ...(known.some(key => fields[key]!.must !== null)
        ? { required: known.filter(key => fields[key]!.must !== null) }
        : {}),
    },
  }
}

/** Tells of every key that is not known. */
export function refuseUnknown(reading: Reading, path: Path, value: object, known: readonly string[]): void {
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue
    const near = nearest(key, known)
    refuse(reading, [...path, key], undefined, {
      message: 'unknown key',
      remedy: near === undefined ? `known here: ${known.join(', ')}` : `did you mean \`${near}\`?`,
      nearest: near,
      atKey: true,
    })
  }
}

/** An object whose keys are names that the file chooses. */
export function named<T>(shape: Shape<T>, what: string): Shape<ReadonlyMap<string, T>> {
  return {
    read(reading, path, value) {
      if (!isObject(value)) {
        refuse(reading, path, value, {
          message: `${kindOf(value)} where names are meant`,
          remedy: `write the name of ${what} and below it what it is`,
        })
        return undefined
      }
      const found = new Map<string, T>()
      for (const [name, entry] of Object.entries(value)) {
        if (!/^[a-z][\w-]{0,63}$/i.test(name)) {
          refuse(reading, [...path, name], undefined, {
            message: `not a name for ${what}`,
            remedy: "write letters, digits, '-' and '_', 64 at most",
            atKey: true,
          })
          continue
        }
        const one = shape.read(reading, [...path, name], entry)
        if (one !== undefined) found.set(name, one)
      }
      if (Object.keys(value).length === 0) {
        refuse(reading, path, value, { message: 'empty', remedy: `write the name of ${what} and below it what it is` })
      }
      return found
    },
    schema: { type: 'object', additionalProperties: shape.schema, minProperties: 1 },
  }
}

/** A list. */
export function list<T>(shape: Shape<T>, least: number, example: string): Shape<readonly T[]> {
  return {
    read(reading, path, value) {
      if (!Array.isArray(value) || value.length < least || value.length > 1000) {
        refuse(reading, path, value, {
          message: least > 0 ? 'a list of one or more is meant here' : 'a list is meant here',
          remedy: `write [${example}]`,
        })
        return undefined
      }
      const found = value.map((item, index) => shape.read(reading, [...path, index], item))
      return found.every(item => item !== undefined) ? found : undefined
    },
    schema: { type: 'array', items: shape.schema, ...(least > 0 ? { minItems: least } : {}) },
  }
}

/** Text that `check` finds no fault with; the fault is told with the example. */
export function text(check: (value: string) => string | null, example: string): Shape<string> {
  return {
    read(reading, path, value) {
      const fault = typeof value === 'string' ? check(value) : `${kindOf(value)} where text is meant`
      if (fault === null) return value as string
      refuse(reading, path, value, { message: fault, remedy: `write ${example}` })
      return undefined
    },
    schema: { type: 'string', examples: [example] },
  }
}

/** The same for text that may be secret, such as the value of a header: its kind and length alone are told. */
export function hiddenText(check: (value: string) => string | null, example: string): Shape<string> {
  return {
    read(reading, path, value) {
      const fault = typeof value === 'string' ? check(value) : `${kindOf(value)} where text is meant`
      if (fault === null) return value as string
      refuseSecret(reading, path, value, fault, `write ${example}`)
      return undefined
    },
    schema: { type: 'string', examples: [example] },
  }
}

/** One of a few words. */
export function choice<const W extends string>(...words: readonly W[]): Shape<W> {
  return {
    read(reading, path, value) {
      const found = words.find(word => word === value)
      if (found !== undefined) return found
      const near = typeof value === 'string' ? nearest(value, words) : undefined
      refuse(reading, path, value, {
        message: 'not a known word',
        remedy:
          near === undefined ? `write one of ${words.join(', ')}` : `did you mean '${near}'? (${words.join(', ')})`,
        nearest: near,
      })
      return undefined
    },
    schema: { enum: words },
  }
}

/** True or false. What the environment says is text. */
export const flag: Shape<boolean> = {
  read(reading, path, value) {
    if (typeof value === 'boolean') return value
    if (reading.document.from(path) !== null && (value === 'true' || value === 'false')) return value === 'true'
    refuse(reading, path, value, {
      message: 'true or false is meant here',
      remedy: 'write true or false, without quotes',
    })
    return undefined
  },
  schema: { type: 'boolean' },
}

/** A whole number within bounds. */
export function count(least: number, most: number): Shape<number> {
  return {
    read(reading, path, value) {
      const number =
        reading.document.from(path) !== null && typeof value === 'string' && /^\d{1,15}$/.test(value)
          ? Number(value)
          : value
      if (typeof number === 'number' && Number.isInteger(number) && number >= least && number <= most) return number
      refuse(reading, path, value, {
        message: `not a whole number from ${least} to ${most}`,
        remedy: `write one, such as ${least}, without quotes`,
      })
      return undefined
    },
    schema: { type: 'integer', minimum: least, maximum: most },
  }
}

/** Below a second a number needs its unit: who writes 60 has seconds in mind. */
const BARE_MS = 1000

/** Says of a number that it may not be the ms that it would be read as; null: it is plain, or no number. */
export function faultOfBareTime(value: unknown): { readonly message: string; readonly remedy: string } | null {
  if (typeof value !== 'number' || !(value > 0 && value < BARE_MS)) return null
  return {
    message: 'a time without a unit, which would be read as ms',
    remedy: `write '${value} seconds', or '${value} ms' where that is meant`,
  }
}

/** Milliseconds or words, as in the library; below a second words alone. */
export function duration(least = 1): Shape<number> {
  return {
    read(reading, path, value) {
      const bare = faultOfBareTime(value)
      if (bare !== null) {
        refuse(reading, path, value, bare)
        return undefined
      }
      const parsed = parseDuration(value, least)
      if (typeof parsed === 'number') return parsed
      refuse(reading, path, value, parsed)
      return undefined
    },
    schema: { type: ['string', 'integer'], examples: ['30 s', '1 minute'] },
  }
}

/** Bytes or words, as in the library. */
export const size: Shape<number> = {
  read(reading, path, value) {
    const parsed = parseSize(value)
    if (typeof parsed === 'number') return parsed
    refuse(reading, path, value, parsed)
    return undefined
  },
  schema: { type: ['string', 'integer'], examples: ['64 KiB', '1 MB'] },
}

/** A secret: written out, `${NAME}`, or `file:` and the name of a mounted file. It is never shown. `check` tells the fault. */
export function secret(check: (value: string) => string | null, remedy: string): Shape<string> {
  return {
    read(reading, path, value) {
      const told = reading.problems.length
      const read = typeof value === 'string' && value.startsWith('file:') ? readMounted(reading, path, value) : value
      if (read === null || reading.problems.length > told) return undefined
      const fault = typeof read === 'string' ? check(read) : 'a secret is text'
      if (fault === null) return read as string
      refuseSecret(reading, path, read, fault, remedy)
      return undefined
    },
    schema: { type: 'string', examples: ['${NAME}', 'file:/run/secrets/name'] },
  }
}

/** Either of two shapes, told apart by `first`. */
export function either<A, B>(first: (value: unknown) => boolean, a: Shape<A>, b: Shape<B>): Shape<A | B> {
  return {
    read: (reading, path, value) => (first(value) ? a : b).read(reading, path, value),
    schema: { anyOf: [a.schema, b.schema] },
  }
}

/** The same value, told otherwise. */
export function mapped<T, R>(shape: Shape<T>, change: (value: T) => R): Shape<R> {
  return {
    read(reading, path, value) {
      const read = shape.read(reading, path, value)
      return read === undefined ? undefined : change(read)
    },
    schema: shape.schema,
  }
}

export const isObject = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
