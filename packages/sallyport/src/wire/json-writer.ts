import { types } from 'node:util'
import { plainEnd } from './plain-scan.ts'

/** The result of `writeJson` if the room is too small. */
export const NO_ROOM = -1
/** The result of `writeJson` for a value that only `JSON.stringify` can write correctly. */
export const NOT_PLAIN = -2

/** Greatest nesting of arrays and objects. A cycle also ends here, and `JSON.stringify` then refuses it. */
const DEPTH_MOST = 8
/** Up to this length a loop is faster than a call of the engine. */
const SHORT_LENGTH = 24
/** For a longer string with an escape `JSON.stringify` is faster. */
const ESCAPED_MOST = 256

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
/** The character after the backslash for a control character with a short escape. Otherwise 0. */
const SHORT_ESCAPES = Buffer.alloc(0x20)
SHORT_ESCAPES.write('btn', 0x08, 'latin1')
SHORT_ESCAPES.write('fr', 0x0c, 'latin1')
const isRawJson = (JSON as { readonly isRawJSON?: (value: unknown) => boolean }).isRawJSON

/**
 * Writes the UTF-8 of `JSON.stringify(value)` to `target[at..end)`, byte for byte, without the string between: for plain
 * objects and arrays of strings, numbers, booleans, null and their like, at most eight deep. No code of the value runs,
 * neither getter nor `toJSON` nor a proxy's trap: where one would, the answer is `NOT_PLAIN`, and `JSON.stringify` still
 * finds it as it was.
 *
 * @returns the position behind what was written, or `NO_ROOM` or `NOT_PLAIN`, both below 0; then what was written in the
 *   range is worth nothing
 */
export function writeJson(target: Buffer, at: number, end: number, value: object): number {
  // Otherwise a property descriptor would not reveal an accessor.
  if ('value' in Object.prototype) return NOT_PLAIN
  return writeNested(target, at, end, value, 1)
}

function writeNested(target: Buffer, at: number, end: number, value: object, depth: number): number {
  if (depth > DEPTH_MOST || types.isProxy(value)) return NOT_PLAIN
  const prototype: unknown = Object.getPrototypeOf(value)
  if (Array.isArray(value)) {
    // The prototypes are known, so only their own members can define a conversion.
    if (prototype !== Array.prototype || Object.getPrototypeOf(prototype) !== Object.prototype) return NOT_PLAIN
    return 'toJSON' in value ? NOT_PLAIN : writeArray(target, at, end, value, depth)
  }
  if (prototype !== Object.prototype && prototype !== null) return NOT_PLAIN
  // A boxed primitive and raw JSON keep their meaning under any prototype.
  if ('toJSON' in value || types.isBoxedPrimitive(value)) return NOT_PLAIN
  if (prototype === null && isRawJson?.(value) === true) return NOT_PLAIN
  return writeObject(target, at, end, value, depth)
}

function writeObject(target: Buffer, at: number, end: number, value: object, depth: number): number {
  if (end - at < 2) return NO_ROOM
  const keys = Object.keys(value)
  let next = at
  let first = 0x7b
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index]!
    const property = Reflect.getOwnPropertyDescriptor(value, key)
    if (property === undefined || !('value' in property)) return NOT_PLAIN
    const held: unknown = property.value
    if (held === undefined) continue
    if (next >= end) return NO_ROOM
    target[next] = first
    first = COMMA
    next = writeString(target, next + 1, end, key)
    if (next < 0) return next
    if (next >= end) return NO_ROOM
    target[next] = COLON
    next = writeValue(target, next + 1, end, held, depth)
    if (next < 0) return next
  }
  if (first !== COMMA) {
    target[next] = first
    next++
  }
  if (next >= end) return NO_ROOM
  target[next] = 0x7d
  return next + 1
}

function writeArray(target: Buffer, at: number, end: number, value: readonly unknown[], depth: number): number {
  if (end - at < 2) return NO_ROOM
  target[at] = 0x5b
  let next = at + 1
  for (let index = 0; index < value.length; index++) {
    if (index > 0) {
      if (next >= end) return NO_ROOM
      target[next] = COMMA
      next++
    }
    // The value of a hole comes from the prototypes.
    const property = Reflect.getOwnPropertyDescriptor(value, index)
    if (property === undefined || !('value' in property)) return NOT_PLAIN
    const held: unknown = property.value
    next = writeValue(target, next, end, held === undefined ? null : held, depth)
    if (next < 0) return next
  }
  if (next >= end) return NO_ROOM
  target[next] = 0x5d
  return next + 1
}

function writeValue(target: Buffer, at: number, end: number, value: unknown, depth: number): number {
  if (typeof value === 'string') return writeString(target, at, end, value)
  if (typeof value === 'number') return writeAscii(target, at, end, Number.isFinite(value) ? `${value}` : 'null')
  if (value === null) return writeAscii(target, at, end, 'null')
  if (typeof value === 'boolean') return writeAscii(target, at, end, value ? 'true' : 'false')
  if (typeof value === 'object') return writeNested(target, at, end, value, depth + 1)
  return NOT_PLAIN
}

function writeAscii(target: Buffer, at: number, end: number, text: string): number {
  if (end - at < text.length) return NO_ROOM
  for (let index = 0; index < text.length; index++) target[at + index] = text.charCodeAt(index)
  return at + text.length
}

function writeString(target: Buffer, at: number, end: number, text: string): number {
  const { length } = text
  if (end - at < length + 2) return NO_ROOM
  if (length > SHORT_LENGTH) return writeLongString(target, at, end, text)
  target[at] = QUOTE
  let next = at + 1
  for (let index = 0; index < length; index++, next++) {
    const unit = text.charCodeAt(index)
    if (unit > 0x7f) return writeLongString(target, at, end, text)
    if (unit < 0x20 || unit === QUOTE || unit === BACKSLASH) return writeEscaped(target, at, end, text, index)
    target[next] = unit
  }
  target[next] = QUOTE
  return next + 1
}

function writeLongString(target: Buffer, at: number, end: number, text: string): number {
  const start = at + 1
  const room = end - start - 1
  if (!fits(text, room)) return NO_ROOM
  const stop = start + target.write(text, start, room)
  const plain = plainEnd(target, start, stop)
  // If each unit took one byte, all is ASCII. A lone surrogate would be written as U+FFFD.
  const ascii = stop - start === text.length
  if (plain !== stop) {
    if (text.length > ESCAPED_MOST) return NOT_PLAIN
    return ascii ? writeEscaped(target, at, end, text, plain - start) : writeByEngine(target, at, end, text)
  }
  if (!ascii && !text.isWellFormed()) return writeByEngine(target, at, end, text)
  target[at] = QUOTE
  target[stop] = QUOTE
  return stop + 1
}

/** Continues a string whose first `from` units are already written after the quote. */
function writeEscaped(target: Buffer, at: number, end: number, text: string, from: number): number {
  target[at] = QUOTE
  let next = at + 1 + from
  for (let index = from; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    if (unit > 0x7f) return writeByEngine(target, at, end, text)
    if (next >= end) return NO_ROOM
    if (unit >= 0x20 && unit !== QUOTE && unit !== BACKSLASH) {
      target[next++] = unit
      continue
    }
    const escape = unit < 0x20 ? SHORT_ESCAPES[unit]! : unit
    if (escape === 0) return writeByEngine(target, at, end, text)
    if (next + 1 >= end) return NO_ROOM
    target[next++] = BACKSLASH
    target[next++] = escape
  }
  if (next >= end) return NO_ROOM
  target[next] = QUOTE
  return next + 1
}

function writeByEngine(target: Buffer, at: number, end: number, text: string): number {
  // A primitive string is never converted by code.
  const quoted = JSON.stringify(text)
  return fits(quoted, end - at) ? at + target.write(quoted, at, end - at) : NO_ROOM
}

/** Whether a text fits. A UTF-16 unit takes at most three bytes of UTF-8. */
function fits(text: string, room: number): boolean {
  return room >= 3 * text.length || room >= Buffer.byteLength(text)
}
