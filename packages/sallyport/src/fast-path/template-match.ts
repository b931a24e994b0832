import { LEAF, type Leaf } from './template-leaf.ts'
import { patternEnd } from './template-pattern.ts'
import { plainStringEnd, readNumber } from './template-scan.ts'

/** The bytes between two leaves, as words of four; the last word overlaps the one before, so that none is cut short. */
export interface Literal {
  readonly length: number
  readonly words: Int32Array
  /** Instead of words, where there are fewer than four. */
  readonly bytes: Uint8Array
}

/** An object as its message writes it: one entry a key, in the order of the text. */
export interface Shape {
  readonly names: readonly string[]
  /** The leaf that a key holds; -1 where its value is constant, or an object. */
  readonly leaves: readonly number[]
  readonly constants: readonly unknown[]
  readonly children: readonly (Shape | null)[]
}

/** A message without its leaves. */
export interface Template {
  readonly type: string
  /** One more than leaves: what is before, between and after them. */
  readonly literals: readonly Literal[]
  readonly leaves: readonly Leaf[]
  readonly root: Shape
  /** Bytes of all literals: no message of this template is shorter. */
  readonly length: number
  /** Whether a string of it is judged by its value alone: one whose pattern has no table. */
  readonly needsValue: boolean
  /** How often it was read of late. */
  hits: number
}

/** Most leaves of a template. */
export const LEAVES_MOST = 64

// Where the leaves of the message at hand lie, and what numbers and choices they are. Numbers alone: nothing is kept alive.
const froms = new Int32Array(LEAVES_MOST)
const tos = new Int32Array(LEAVES_MOST)
const numbers = new Float64Array(LEAVES_MOST)

/** What `match` answers where all is as it must be; else it is where the first difference is. */
export const MATCHED = -1

/** Compares a message with a template: every literal, and every leaf except patterns without a table. */
export function match(
  template: Template,
  view: DataView,
  start: number,
  end: number,
  bytes: Buffer,
  offset: number,
): number {
  const { literals, leaves } = template
  let at = start
  for (let index = 0; ; index++) {
    const literal = literals[index]!
    if (literal.length > end - at) return at
    const same = sameLength(literal, view, at)
    at += same
    if (same !== literal.length) return at
    if (index === leaves.length) return at === end ? MATCHED : at
    const leaf = leaves[index]!
    const stop =
      leaf.kind === LEAF.string
        ? matchString(leaf, view, at, end, bytes, offset)
        : leaf.kind === LEAF.number
          ? matchNumber(leaf, index, view, at, end)
          : matchChoice(leaf, index, view, at, end)
    if (stop < 0) return ~stop
    froms[index] = at
    tos[index] = stop
    at = stop
  }
}

/** The value of the message matched last, fresh in every part; null where a pattern refuses a string. */
export function valueOf(template: Template, bytes: Buffer, offset: number): object | null {
  return build(template.root, template.leaves, bytes, offset)
}

function build(shape: Shape, leaves: readonly Leaf[], bytes: Buffer, offset: number): object | null {
  const { names } = shape
  const value: Record<string, unknown> = {}
  for (let index = 0; index < names.length; index++) {
    const at = shape.leaves[index]!
    if (at !== -1) {
      const leaf = leaves[at]!
      if (leaf.kind === LEAF.string) {
        const text = bytes.toString('latin1', froms[at]! - offset, tos[at]! - offset)
        if (leaf.regExp !== null && !leaf.regExp.test(text)) return null
        value[names[index]!] = text
      } else value[names[index]!] = leaf.kind === LEAF.number ? numbers[at]! : leaf.choices[numbers[at]!]!.value
      continue
    }
    const child = shape.children[index]!
    if (child === null) value[names[index]!] = shape.constants[index]
    else {
      const inner = build(child, leaves, bytes, offset)
      if (inner === null) return null
      value[names[index]!] = inner
    }
  }
  return value
}

/** How many bytes are the same, up to a word; the literal's length where all are. */
function sameLength({ length, words, bytes }: Literal, view: DataView, at: number): number {
  if (length < 4) {
    for (let index = 0; index < length; index++) if (view.getUint8(at + index) !== bytes[index]) return index
    return length
  }
  const last = words.length - 1
  for (let index = 0; index < last; index++) {
    if (view.getInt32(at + index * 4, true) !== words[index]) return index * 4
  }
  return view.getInt32(at + length - 4, true) === words[last] ? length : length - 4
}

// Each answers where the leaf ends, or the complement of where it is not as it must be.

function matchString(leaf: Leaf, view: DataView, at: number, end: number, bytes: Buffer, offset: number): number {
  const { pattern, least, most } = leaf
  const limit = at + most < end ? at + most + 1 : end
  const stop = pattern === null ? plainStringEnd(view, at, limit, bytes, offset) : patternEnd(pattern, view, at, limit)
  if (stop < 0) return stop
  const length = stop - at
  return length < least || length > most ? ~stop : stop
}

function matchNumber(leaf: Leaf, index: number, view: DataView, at: number, end: number): number {
  const stop = readNumber(view, at, end, numbers, index)
  const value = numbers[index]!
  if (stop === at) return ~at
  if (leaf.integer && !Number.isInteger(value)) return ~stop
  return value >= leaf.minimum && value <= leaf.maximum && value > leaf.above && value < leaf.below ? stop : ~stop
}

function matchChoice({ choices }: Leaf, index: number, view: DataView, at: number, end: number): number {
  for (let choice = 0; choice < choices.length; choice++) {
    const { token } = choices[choice]!
    if (token.length > end - at || !isAt(token, view, at)) continue
    const stop = at + token.length
    // `1` is also where `12` begins.
    if (stop < end && goesOn(view.getUint8(stop)) && goesOn(token.at(-1)!)) continue
    numbers[index] = choice
    return stop
  }
  return ~at
}

function isAt(token: Uint8Array, view: DataView, at: number): boolean {
  for (let index = 0; index < token.length; index++) if (view.getUint8(at + index) !== token[index]) return false
  return true
}

/** Whether a byte can be part of a number, `true`, `false` or `null`. */
function goesOn(byte: number): boolean {
  const lower = byte | 0x20
  return (byte >= 0x30 && byte <= 0x39) || (lower >= 0x61 && lower <= 0x7a) || byte === 0x2d || byte === 0x2e
}
