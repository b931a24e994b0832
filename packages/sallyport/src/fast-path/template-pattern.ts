import { compilePlaces, fitPlaces } from './template-paths.ts'

/** A pattern as a table: what each byte may be at each place. Only plain ASCII has classes: no quote, no backslash. */
export interface BytePattern {
  /** By byte: the classes it is in, a bit each. */
  readonly classes: Int32Array
  /** The class of each place before the last run. */
  readonly places: Int32Array
  /** The same, four places to a word; null where their classes do not allow it. */
  readonly words: Int32Array | null
  /** The class of the last run, which may vary in length; 0 where there is none. */
  readonly run: number
  readonly least: number
  readonly most: number
}

const PLACES_MOST = 256
/** One bit each in an int32. */
const CLASSES_MOST = 30
const LITERAL = /[\x20-\x7e]/
const SPECIAL = '^$\\.*+?()[]{}|'
const QUANTIFIER = /\{(\d{1,5})(?:(,)(\d{1,5})?)?\}|[*+?]/y

/**
 * Compiles `^…$` where … is a row of characters, `.` and classes, each once or `{n}` times, the last with any
 * quantifier. Null for every other pattern. `source` is known to be one that `new RegExp(source, 'u')` takes.
 */
export function bytePattern(source: string): BytePattern | null {
  if (source.length < 2 || !source.startsWith('^') || !source.endsWith('$')) return null
  const body = source.slice(1, -1)
  const bits = new Map<string, number>()
  const classes = new Int32Array(256)
  const places: number[] = []
  for (let at = 0; at < body.length; ) {
    const atom = readAtom(body, at)
    if (atom === null) return null
    const { next, least, most } = quantified(body, atom.end)
    const bit = bitOf(atom.bytes, bits, classes)
    if (bit === null) return null
    if (least !== most) return next === body.length ? patternOf(classes, places, bit, least, most) : null
    if (places.length + least > PLACES_MOST) return null
    for (let count = 0; count < least; count++) places.push(bit)
    at = next
  }
  return patternOf(classes, places, 0, 0, 0)
}

function patternOf(
  classes: Int32Array,
  places: readonly number[],
  run: number,
  least: number,
  most: number,
): BytePattern {
  const words = compilePlaces(places.length, (place, byte) => (classes[byte]! & places[place]!) !== 0)
  return { classes, places: Int32Array.from(places), words, run, least, most }
}

/**
 * Where what the pattern demands ends; where it is not met, the complement of how far was looked. Whoever asks sees to it
 * that the string ends there.
 */
export function patternEnd(pattern: BytePattern, view: DataView, start: number, end: number): number {
  const { classes, places, words, run } = pattern
  const count = places.length
  if (end - start < count) return ~start
  if (words !== null) {
    if (!fitPlaces(words, count, view, start)) return ~(start + count)
  } else {
    for (let place = 0; place < count; place++) {
      if ((classes[view.getUint8(start + place)]! & places[place]!) === 0) return ~(start + place)
    }
  }
  let at = start + count
  if (run === 0) return at
  const from = at
  // One more than it may be tells that it is too long.
  const last = Math.min(end, from + pattern.most + 1)
  while (at < last && (classes[view.getUint8(at)]! & run) !== 0) at++
  return at - from >= pattern.least && at - from <= pattern.most ? at : ~at
}

type Bytes = ReadonlySet<number>

/** What a plain string may hold as it is written: printable ASCII and DEL, without quote and backslash. */
const PLAIN: Bytes = new Set(span(0x20, 0x7f).filter(byte => byte !== 0x22 && byte !== 0x5c))
const DIGITS: Bytes = new Set(span(0x30, 0x39))
const WORD: Bytes = new Set([...DIGITS, ...span(0x41, 0x5a), 0x5f, ...span(0x61, 0x7a)])

interface Atom {
  readonly bytes: Bytes
  readonly end: number
}

function readAtom(body: string, at: number): Atom | null {
  const char = body[at]!
  if (char === '.') return { bytes: PLAIN, end: at + 1 }
  if (char === '[') return readClass(body, at + 1)
  return char !== '\\' && SPECIAL.includes(char) ? null : readCharacter(body, at, `${SPECIAL}/`)
}

/** One character or escape. `escapable`: what stands for itself after a backslash. */
function readCharacter(body: string, at: number, escapable: string): Atom | null {
  const char = body[at]
  if (char === undefined || !LITERAL.test(char)) return null
  if (char !== '\\') return { bytes: new Set([char.charCodeAt(0)]), end: at + 1 }
  const escaped = body[at + 1]
  if (escaped === undefined) return null
  if (escaped === 'd') return { bytes: DIGITS, end: at + 2 }
  if (escaped === 'w') return { bytes: WORD, end: at + 2 }
  return escapable.includes(escaped) ? { bytes: new Set([escaped.charCodeAt(0)]), end: at + 2 } : null
}

function readClass(body: string, start: number): Atom | null {
  const negated = body[start] === '^'
  const bytes = new Set<number>()
  let at = negated ? start + 1 : start
  while (body[at] !== ']') {
    const from = readCharacter(body, at, `${SPECIAL}/-`)
    if (from === null) return null
    at = from.end
    if (body[at] !== '-' || body[at + 1] === ']') {
      for (const byte of from.bytes) bytes.add(byte)
      continue
    }
    const to = readCharacter(body, at + 1, `${SPECIAL}/-`)
    if (to === null || from.bytes.size !== 1 || to.bytes.size !== 1) return null
    for (const byte of span([...from.bytes][0]!, [...to.bytes][0]!)) bytes.add(byte)
    at = to.end
  }
  return { bytes: new Set([...PLAIN].filter(byte => bytes.has(byte) !== negated)), end: at + 1 }
}

function quantified(
  body: string,
  at: number,
): { readonly next: number; readonly least: number; readonly most: number } {
  QUANTIFIER.lastIndex = at
  const found = QUANTIFIER.exec(body)
  if (found === null) return { next: at, least: 1, most: 1 }
  const next = QUANTIFIER.lastIndex
  if (found[0] === '*') return { next, least: 0, most: Infinity }
  if (found[0] === '+') return { next, least: 1, most: Infinity }
  if (found[0] === '?') return { next, least: 0, most: 1 }
  const least = Number(found[1])
  return { next, least, most: found[2] === undefined ? least : found[3] === undefined ? Infinity : Number(found[3]) }
}

function bitOf(bytes: Bytes, bits: Map<string, number>, classes: Int32Array): number | null {
  const key = [...bytes]
    .filter(byte => PLAIN.has(byte))
    .toSorted((a, b) => a - b)
    .join()
  const known = bits.get(key)
  if (known !== undefined) return known
  if (bits.size === CLASSES_MOST) return null
  const bit = 1 << bits.size
  bits.set(key, bit)
  for (const byte of bytes) if (PLAIN.has(byte)) classes[byte]! |= bit
  return bit
}

function span(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index)
}
