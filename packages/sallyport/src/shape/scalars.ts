import { parseDuration } from './duration.ts'
import { refuse } from './fields.ts'
import type { Fields } from './fields.ts'
import { nearest } from './nearest.ts'
import { kindOf, pathTo, show } from './shown.ts'
import { parseSize } from './size.ts'

/** Elements of one list that are read. */
const LONGEST_LIST = 10_000

/** A time in ms. */
export function readDuration(fields: Fields, key: string, fallback: number, least = 1, most?: number): number {
  const value = fields.get(key)
  if (value === undefined) return fallback
  const parsed = parseDuration(value, least, most)
  if (typeof parsed === 'number') return parsed
  refuse(fields, key, show(value), parsed.message, parsed.remedy, parsed.nearest)
  return fallback
}

/** A number of bytes. */
export function readSize(fields: Fields, key: string, fallback: number): number {
  const value = fields.get(key)
  if (value === undefined) return fallback
  const parsed = parseSize(value)
  if (typeof parsed === 'number') return parsed
  refuse(fields, key, show(value), parsed.message, parsed.remedy, parsed.nearest)
  return fallback
}

/** A whole number within bounds. */
export function readCount(fields: Fields, key: string, fallback: number, least = 1, most = 1_000_000_000): number {
  const value = fields.get(key)
  if (value === undefined) return fallback
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value
  if (typeof value === 'string' && /^\s*\d+\s*$/.test(value)) {
    refuse(fields, key, show(value), 'a number as text', `write ${value.trim()} without quotes`)
  } else if (typeof value === 'number') {
    const bounds = `a whole number from ${least} to ${most}`
    refuse(fields, key, show(value), `not ${bounds}`, `write ${bounds}, such as ${fallback}`)
  } else {
    refuse(fields, key, show(value), 'a whole number is meant here', `write a number, such as ${fallback}`)
  }
  return fallback
}

/** One of a few words. */
export function readChoice<const T extends string>(fields: Fields, key: string, choices: readonly T[], fallback: T): T {
  const value = fields.get(key)
  if (value === undefined) return fallback
  const found = choices.find(choice => choice === value)
  if (found !== undefined) return found
  const near = typeof value === 'string' ? nearest(value, choices) : undefined
  const all = choices.map(choice => `'${choice}'`).join(', ')
  refuse(
    fields,
    key,
    show(value),
    'not a known word',
    near === undefined ? `write one of ${all}` : `did you mean '${near}'? (${all})`,
    near,
  )
  return fallback
}

/** A function of the app. */
export function readFunction<T>(fields: Fields, key: string): T | null {
  const value = fields.get(key)
  if (value === undefined) return null
  if (typeof value === 'function') return value as T
  refuse(fields, key, kindOf(value), 'a function is meant here', `write ${key}: (…) => true or false`)
  return null
}

/** Non-empty printable text of bounded length. */
export function readWord(fields: Fields, key: string, fallback: string, meant: string): string {
  const value = fields.get(key)
  if (value === undefined) return fallback
  if (typeof value === 'string' && value.length <= 64 && /^[^\p{C}\p{Zl}\p{Zp}]+$/u.test(value)) return value
  refuse(
    fields,
    key,
    show(value),
    `${meant} is meant here: printable text of 1 to 64 characters`,
    `write '${fallback}', or what it is called here`,
  )
  return fallback
}

/** The elements of a list. Null after a problem was reported. Undefined if the key is missing. */
export function readList(fields: Fields, key: string, example: string): readonly unknown[] | null | undefined {
  const value = fields.get(key)
  if (value === undefined) return undefined
  try {
    if (Array.isArray(value) && value.length <= LONGEST_LIST) {
      return Array.from({ length: value.length }, (_, index): unknown => value[index])
    }
    refuse(fields, key, kindOf(value), 'a list is meant here', `write [${example}]`)
  } catch {
    refuse(fields, key, 'an unreadable list', 'reading it throws', `write [${example}]`)
  }
  return null
}

/** A list whose every element is read by `read`; what it refuses is left out. */
export function readEach<T>(
  fields: Fields,
  key: string,
  example: string,
  read: (element: unknown, at: Fields, index: number) => T | null,
): readonly T[] | null {
  const list = readList(fields, key, example)
  if (list === undefined || list === null) return null
  const inside: Fields = { ...fields, path: pathTo(fields.path, key) }
  const found = new Set<T>()
  list.forEach((element, index) => {
    const one = read(element, inside, index)
    if (one !== null) found.add(one)
  })
  return Object.freeze([...found])
}
