import { LEAF, type Leaf } from './template-leaf.ts'
import { LEAVES_MOST, type Literal, type Shape, type Template } from './template-match.ts'
import { type FieldPlan, isObjectPlan, type ObjectPlan } from './template-plan.ts'

/** What a template may be. */
export interface TemplateBounds {
  readonly depth: number
  readonly width: number
  /** The key that names the type; it may be undeclared, and its value never varies. */
  readonly discriminator: string
}

/** Bytes of all literals of a template. */
const LITERALS_MOST = 1024
/** Longest text that is learned from. */
const TEXT_MOST = 256 * 1024
const SPACE = /[ \t\n\r]*/y
const KEY = /"[\x20\x21\x23-\x5b\x5d-\x7e]+"/y
const TEXT = /"[\x20\x21\x23-\x5b\x5d-\x7f]*"/y
const SCALAR = /"[\x20\x21\x23-\x5b\x5d-\x7f]*"|true|false|null|-?\d[\d.]*/y
/** Read once: what pollutes the prototype later is not in question here. */
const INHERITED: ReadonlySet<string> = new Set([...Object.getOwnPropertyNames(Object.prototype), 'prototype'])

/**
 * Takes a message apart into what must stay as it is and what may vary. Null where anything is out of the ordinary:
 * a key that is not declared, is written twice or with an escape, a value that is not readable in its bytes, too much
 * of anything. All that a schema says of objects is verified here, since no later message is asked for it.
 */
export function learnTemplate(text: string, type: string, plan: ObjectPlan, bounds: TemplateBounds): Template | null {
  if (text.length > TEXT_MOST) return null
  const literals: string[] = []
  const leaves: Leaf[] = []
  let at = 0
  let from = 0
  let named = false

  const token = (kind: RegExp): string | null => {
    kind.lastIndex = at
    const found = kind.exec(text)
    if (found === null) return null
    at = kind.lastIndex
    return found[0]
  }
  const mark = (char: string): boolean => {
    token(SPACE)
    if (text[at] !== char) return false
    at++
    return true
  }

  /** Closes the literal before a leaf; the next begins after it. */
  const vary = (leaf: Leaf): number | null => {
    const start = leaf.kind === LEAF.string ? at + 1 : at
    literals.push(text.slice(from, start))
    if (token(leaf.kind === LEAF.string ? TEXT : SCALAR) === null) return null
    from = leaf.kind === LEAF.string ? at - 1 : at
    return leaves.push(leaf) <= LEAVES_MOST ? leaves.length - 1 : null
  }

  const object = (declared: ObjectPlan, depth: number): Shape | null => {
    if (depth > bounds.depth || !mark('{')) return null
    const names: string[] = []
    const places: number[] = []
    const constants: unknown[] = []
    const children: (Shape | null)[] = []
    const add = (name: string, place: number, constant: unknown, child: Shape | null): void => {
      names.push(name)
      places.push(place)
      constants.push(constant)
      children.push(child)
    }

    const field = (): boolean => {
      token(SPACE)
      const name = token(KEY)?.slice(1, -1)
      if (name === undefined || !isOrdinary(name) || names.includes(name) || !mark(':')) return false
      token(SPACE)
      const field = declared.fields.get(name)
      if (depth === 1 && name === bounds.discriminator) {
        named = token(TEXT) === `"${type}"` && (field === undefined ? !declared.closed : allows(field, type))
        add(name, -1, type, null)
        return named
      }
      if (field === undefined) return false
      if (isObjectPlan(field)) {
        const child = object(field, depth + 1)
        if (child === null) return false
        add(name, -1, null, child)
      } else if (field.choices.length === 1) {
        const { value } = field.choices[0]!
        if (token(SCALAR) !== JSON.stringify(value)) return false
        add(name, -1, value, null)
      } else {
        const place = vary(field)
        if (place === null) return false
        add(name, place, null, null)
      }
      return names.length <= bounds.width
    }

    if (!mark('}')) {
      do if (!field()) return null
      while (mark(','))
      if (!mark('}')) return null
    }
    const { required, least, most } = declared
    if (names.length < least || names.length > most || !required.every(name => names.includes(name))) return null
    return { names, leaves: places, constants, children }
  }

  const root = object(plan, 1)
  token(SPACE)
  if (root === null || !named || at !== text.length) return null
  literals.push(text.slice(from))
  const length = literals.reduce((sum, literal) => sum + literal.length, 0)
  if (length > LITERALS_MOST) return null
  const needsValue = leaves.some(leaf => leaf.kind === LEAF.string && leaf.regExp !== null)
  return { type, literals: literals.map(literalOf), leaves, root, length, needsValue, hits: 0 }
}

/** Whether the type may stand where its key is declared; a doubt is false. */
function allows(field: FieldPlan, type: string): boolean {
  if (isObjectPlan(field) || field.kind === LEAF.number) return false
  if (field.kind === LEAF.choice) return field.choices.some(({ value }) => value === type)
  return field.pattern === null && field.regExp === null && type.length >= field.least && type.length <= field.most
}

/** Whether a key can be set on an object as it is, and keeps its place among the others. */
function isOrdinary(name: string): boolean {
  return !INHERITED.has(name) && !/^\d/.test(name)
}

function literalOf(text: string): Literal {
  const bytes = new Uint8Array(Buffer.from(text, 'latin1'))
  const { length } = bytes
  const view = new DataView(bytes.buffer)
  const words = Int32Array.from({ length: length < 4 ? 0 : Math.ceil(length / 4) }, (_, index) =>
    view.getInt32(Math.min(index * 4, length - 4), true),
  )
  return { length, words, bytes }
}
