import { bearsSecret, hidden } from './secret-text.ts'
import { isThenable } from '../model/thenable.ts'

/** Characters of a string that an error shows. */
const LONGEST = 60

/** Control, format and line-separating characters: they could forge a line of a log or turn a terminal around. */
const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}]/gu

/** A value as an error shows it: strings quoted, escaped and cut, objects by their kind alone. What may be secret is hidden. */
export function show(value: unknown): string {
  return typeof value === 'string' ? quote(value) : typeof value === 'number' ? String(value) : kindOf(value)
}

/** What sort of value it is, without its content. */
export function kindOf(value: unknown): string {
  try {
    if (value === undefined) return 'nothing'
    if (value === null) return 'null'
    if (typeof value === 'boolean') return String(value)
    if (typeof value !== 'object') return `a ${typeof value}`
    if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`
    if (value instanceof RegExp) return 'a RegExp'
    if (isThenable(value)) return 'a Promise'
    if (value instanceof URL) return 'a URL'
    if (value instanceof Map) return 'a Map'
    if (value instanceof Set) return 'a Set'
    if (value instanceof Date) return 'a Date'
    if (value instanceof Uint8Array) return 'bytes'
    return 'an object'
  } catch {
    return 'an unreadable object'
  }
}

/** Puts a string in quotes, cut to a bounded length, with nothing in it that a terminal would obey. What may be secret is hidden. */
export function quote(text: string): string {
  if (bearsSecret(text)) return hidden(text)
  const cut = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
  return `'${escape(cut)}'`
}

/** Replaces what a terminal or a log would obey by its code point. */
export function escape(text: string): string {
  return text.replaceAll(INVISIBLE, character => `\\u{${character.codePointAt(0)!.toString(16)}}`)
}

/** The path of a key below a path; odd keys are quoted, long ones cut. */
export function pathTo(path: string, key: string | number): string {
  if (typeof key === 'number') return `${path}[${key}]`
  const plain = /^[\w$~-]{1,48}$/.test(key) && !bearsSecret(key)
  if (!plain) return `${path}[${quote(key)}]`
  return path === '' ? key : `${path}.${key}`
}

/** `Array.isArray` that a revoked Proxy cannot make throw. */
export function isList(value: unknown): value is readonly unknown[] {
  try {
    return Array.isArray(value)
  } catch {
    return false
  }
}

/** True for a list that is empty as written. */
export function isEmptyList(value: unknown): boolean {
  try {
    return Array.isArray(value) && value.length === 0
  } catch {
    return false
  }
}
