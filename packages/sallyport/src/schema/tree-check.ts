import { deny } from '../model/verdict.ts'
import type { Denial } from '../model/verdict.ts'
import { keyWeight } from './key-tokens.ts'

/** The bounds on a parsed tree. */
export interface TreeBounds {
  /** Greatest depth of objects and arrays; the top-level object is depth 1. */
  readonly depth: number
  /** Most keys of one object, and most elements of one array. */
  readonly width: number
  /** Of `__proto__`, `constructor` and `prototype`, those that may be keys all the same. */
  readonly allowKeys: readonly string[]
}

/** A walk over a parsed tree. */
export interface TreeCheck {
  /** Answers the denial, or the number of keys as `keyTokens` counts them. */
  check(value: object, escaped: boolean): number | Denial
  /** Whether the tree that was walked last holds a number. */
  holdsNumbers(): boolean
}

/** Keys that reach into prototypes when an app copies or merges objects (CWE-1321). */
const DANGEROUS: readonly string[] = ['__proto__', 'constructor', 'prototype']

/**
 * Compiles a walk over what JSON.parse made. It answers the denial, or the number of keys in the tree as
 * `keyTokens` counts them. `escaped`: there are escapes in the text, so strings may hold lone surrogates and backslashes. Goes no deeper than the bound, so that a hostile depth costs nothing.
 */
export function treeCheck(bounds: TreeBounds): TreeCheck {
  const { depth, width, allowKeys } = bounds
  const tooDeep = deny('SALLY_MESSAGE_SHAPE', { reason: 'deep', depth })
  const tooWide = deny('SALLY_MESSAGE_SHAPE', { reason: 'wide', width })
  const lone = deny('SALLY_MESSAGE_NOT_UTF8', { reason: 'escaped' })
  const refused = DANGEROUS.filter(key => !allowKeys.includes(key))
  const [first, second, third] = refused.map(key => ({
    key,
    denial: deny('SALLY_MESSAGE_KEY', { reason: 'forbidden', key }),
  }))

  let numbers = false

  const leaf = (value: unknown, escaped: boolean): Denial | null => {
    if (typeof value === 'number') numbers = true
    if (escaped && typeof value === 'string' && !value.isWellFormed()) return lone
    return null
  }

  const array = (value: readonly unknown[], left: number, escaped: boolean): number | Denial => {
    if (left === 0) return tooDeep
    if (value.length > width) return tooWide
    let keys = 0
    for (let index = 0; index < value.length; index++) {
      const child = node(value[index], left - 1, escaped)
      if (typeof child !== 'number') return child
      keys += child
    }
    return keys
  }

  const object = (value: object, left: number, escaped: boolean): number | Denial => {
    if (left === 0) return tooDeep
    const names = Object.keys(value)
    if (names.length > width) return tooWide
    let keys = names.length
    for (let index = 0; index < names.length; index++) {
      const name = names[index]!
      if (name === first?.key) return first.denial
      if (name === second?.key) return second.denial
      if (name === third?.key) return third.denial
      if (escaped) {
        if (!name.isWellFormed()) return lone
        keys += keyWeight(name) - 1
      }
      const child = node((value as Record<string, unknown>)[name], left - 1, escaped)
      if (typeof child !== 'number') return child
      keys += child
    }
    return keys
  }

  const node = (value: unknown, left: number, escaped: boolean): number | Denial => {
    if (typeof value === 'object' && value !== null) {
      return Array.isArray(value) ? array(value, left, escaped) : object(value, left, escaped)
    }
    return leaf(value, escaped) ?? 0
  }

  return {
    check(value, escaped) {
      numbers = false
      return object(value, depth, escaped)
    },
    holdsNumbers: () => numbers,
  }
}
