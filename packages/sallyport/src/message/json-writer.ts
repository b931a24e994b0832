import { plainStringEnd } from './skeleton-scan.ts'

/** The value is not of the plain kind: JSON.stringify is to be asked. */
export const UNUSUAL = -1
/** There is not room enough. */
export const NO_ROOM = -2

/** Objects and arrays within each other; what is deeper, or holds itself, is unusual. */
const DEPTH_MOST = 16
/** From so many characters on, the engine writes a string sooner than a loop does. */
const LONG = 56
const QUOTE = 0x22
const BACKSLASH = 0x5c

// Of the memory written to last: an engine writes into one.
let view: DataView = new DataView(new ArrayBuffer(0))

/**
 * Writes what JSON.stringify makes of `value`, as UTF-8, to `target[at..end)`. For plain objects and arrays of plain
 * values alone, which is what messages are: what has a prototype of its own or a `toJSON`, or is a bigint, is unusual,
 * and so is what is nested deeper than 16. Accessors and proxies are read in the order of JSON.stringify.
 *
 * @returns the position behind it, `UNUSUAL` or `NO_ROOM`; what was written by then means nothing
 */
export function writeJson(target: Buffer, at: number, end: number, value: object): number {
  if (view.buffer !== target.buffer) view = new DataView(target.buffer)
  return writeNested(target, at, end, value, DEPTH_MOST)
}

function writeNested(target: Buffer, at: number, end: number, value: object, left: number): number {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (left === 0 || (value as { toJSON?: unknown }).toJSON !== undefined) return UNUSUAL
  if (prototype === Object.prototype) return writeObject(target, at, end, value as Record<string, unknown>, left)
  if (prototype === Array.prototype && Array.isArray(value)) return writeArray(target, at, end, value, left)
  return UNUSUAL
}

function writeObject(target: Buffer, from: number, end: number, value: Record<string, unknown>, left: number): number {
  const names = Object.keys(value)
  let at = from
  let mark = 0x7b
  for (let index = 0; index < names.length; index++) {
    const name = names[index]!
    const held = value[name]
    if (held === undefined || typeof held === 'function' || typeof held === 'symbol') continue
    if (at >= end) return NO_ROOM
    target[at] = mark
    mark = 0x2c
    at = writeString(target, at + 1, end, name)
    if (at < 0) return at
    if (at >= end) return NO_ROOM
    target[at] = 0x3a
    at = writeValue(target, at + 1, end, held, left)
    if (at < 0) return at
  }
  if (end - at < (mark === 0x7b ? 2 : 1)) return NO_ROOM
  if (mark === 0x7b) target[at++] = mark
  target[at] = 0x7d
  return at + 1
}

function writeArray(target: Buffer, from: number, end: number, value: readonly unknown[], left: number): number {
  let at = from
  let mark = 0x5b
  for (let index = 0; index < value.length; index++) {
    if (at >= end) return NO_ROOM
    target[at] = mark
    mark = 0x2c
    at = writeValue(target, at + 1, end, value[index], left)
    if (at < 0) return at
  }
  if (end - at < (mark === 0x5b ? 2 : 1)) return NO_ROOM
  if (mark === 0x5b) target[at++] = mark
  target[at] = 0x5d
  return at + 1
}

function writeValue(target: Buffer, at: number, end: number, value: unknown, left: number): number {
  if (typeof value === 'string') return writeString(target, at, end, value)
  if (typeof value === 'object' && value !== null) return writeNested(target, at, end, value, left - 1)
  if (typeof value === 'bigint') return UNUSUAL
  // What has no form in JSON is null, in an array.
  const isWritten = typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))
  return writeAscii(target, at, end, isWritten ? String(value) : 'null')
}

function writeAscii(target: Buffer, at: number, end: number, text: string): number {
  if (end - at < text.length) return NO_ROOM
  for (let index = 0; index < text.length; index++) target[at + index] = text.charCodeAt(index)
  return at + text.length
}

function writeString(target: Buffer, at: number, end: number, text: string): number {
  const { length } = text
  if (end - at < length + 2) return NO_ROOM
  target[at] = QUOTE
  let stop = at + 1
  if (length < LONG) {
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index)
      if (code < 0x20 || code > 0x7e || code === QUOTE || code === BACKSLASH) return writeEscaped(target, at, end, text)
      target[stop++] = code
    }
  } else {
    // Fewer bytes than characters were not room enough; as many are all of them where all are ASCII.
    stop += target.write(text, stop, end - stop - 1, 'utf8')
    const first = at + 1
    const { byteOffset } = target
    if (
      stop - first !== length ||
      plainStringEnd(view, byteOffset + first, byteOffset + stop, target, byteOffset) !== byteOffset + stop
    ) {
      return writeEscaped(target, at, end, text)
    }
  }
  target[stop] = QUOTE
  return stop + 1
}

/** A string that is not plain ASCII, as JSON.stringify escapes it. */
function writeEscaped(target: Buffer, at: number, end: number, text: string): number {
  const escaped = JSON.stringify(text)
  // A unit of UTF-16 is at most three bytes of UTF-8: only then is it certain that nothing was cut off.
  if (end - at < 3 * escaped.length && end - at < Buffer.byteLength(escaped)) return NO_ROOM
  return at + target.write(escaped, at, end - at, 'utf8')
}
