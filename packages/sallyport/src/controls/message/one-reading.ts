import { keyTokens } from '../../schema/key-tokens.ts'
import { treeCheck } from '../../schema/tree-check.ts'

const ANY = treeCheck({ depth: 1000, width: Infinity, allowKeys: ['__proto__', 'constructor', 'prototype'] })

/**
 * Whether every JSON parser reads `text` as JSON.parse does. `value` is the result of JSON.parse. False if a key is
 * written twice, if a surrogate stands alone, or if it is nested more than 1 000 deep.
 */
export function hasOneReading(text: string, value: object): boolean {
  return text.isWellFormed() && ANY.check(value, text.includes('\\')) === keyTokens(text)
}
