import { isDeepStrictEqual } from 'node:util'
import { ONE_SCHEMA, SCHEMA_LIST, SCHEMA_MAP } from './json-keywords.ts'
import { decimalOf, fractionOf } from './number-literal.ts'
import type { JsonNode } from './json-document.ts'
import type { JsonSchema } from '../model/schema-kinds.ts'

/** typebox's keyword for a check of one's own. */
const REFINE = '~refine'

/**
 * The schema with number keywords that are judged exactly: `multipleOf`, which typebox takes with a tolerance, and bounds
 * and constants that are bigints, which it rounds. With `bigIntegers` the types `integer` and `number` let a bigint pass. The schema itself where there is nothing to
 * change. Its other keywords stay as they are, hidden ones too.
 */
export function withExactNumbers(root: JsonSchema, bigIntegers: boolean): ExactNumbers {
  const copies = new Map<object, JsonSchema>()
  let changed = false

  const schema = (node: unknown): unknown => {
    if (typeof node !== 'object' || node === null || Array.isArray(node)) return node
    const known = copies.get(node)
    if (known !== undefined) return known
    const copy = copyOf(node)
    // Before its parts: a schema object may hold itself.
    copies.set(node, copy)
    for (const key of Object.keys(node)) replace(copy, key, part(key, copy[key]))
    const checks = exactChecks(copy)
    if (checks.length > 0) {
      changed = true
      const own = Object.hasOwn(copy, REFINE) ? (copy[REFINE] as readonly unknown[]) : []
      replace(copy, REFINE, [...own, ...checks.map(({ check }) => check)])
      for (const { keyword } of checks) Reflect.deleteProperty(copy, keyword)
    }
    return copy
  }
  const part = (key: string, value: unknown): unknown => {
    if (key === 'type' && bigIntegers) {
      const types = [value].flat()
      if (!types.some(type => type === 'integer' || type === 'number') || types.includes('bigint')) return value
      changed = true
      return [...types, 'bigint']
    }
    if (ONE_SCHEMA.has(key) || (key === 'items' && !Array.isArray(value))) return schema(value)
    if (SCHEMA_LIST.has(key) || key === 'items') return Array.isArray(value) ? value.map(schema) : value
    if (!SCHEMA_MAP.has(key) || typeof value !== 'object' || value === null) return value
    const copy = copyOf(value)
    for (const name of Object.keys(value)) replace(copy, name, schema(copy[name]))
    return copy
  }

  const exact = schema(root) as JsonSchema
  return changed
    ? { root: exact, of: node => (typeof node === 'boolean' ? node : (copies.get(node) ?? node)) }
    : sameNumbers(root)
}

/** The same schema for validators, and the counterpart of each schema in it. */
export interface ExactNumbers {
  readonly root: JsonSchema
  of(node: JsonNode): JsonNode
}

/** A document whose numbers are left to its own validator. */
export function sameNumbers(root: JsonSchema): ExactNumbers {
  return { root, of: node => node }
}

/** A copy that can be changed, of an object that may be frozen; hidden properties stay hidden. */
function copyOf(value: object): JsonSchema {
  const copy = Object.create(Object.getPrototypeOf(value) as object | null) as JsonSchema
  for (const [key, property] of Object.entries(Object.getOwnPropertyDescriptors(value)))
    Object.defineProperty(copy, key, { ...property, configurable: true })
  return copy
}

function replace(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true })
}

/** A check in typebox's form. */
interface Refinement {
  check(value: unknown): boolean
  error(): string
}

type Judge = (value: number | bigint, bound: number | bigint) => boolean

/** JavaScript compares a number with a bigint exactly. */
const BOUNDS: Readonly<Record<string, Judge>> = {
  minimum: (value, bound) => value >= bound,
  maximum: (value, bound) => value <= bound,
  exclusiveMinimum: (value, bound) => value > bound,
  exclusiveMaximum: (value, bound) => value < bound,
}

/** The keywords of a schema that typebox would round: `multipleOf`, and what is written as a bigint. */
function exactChecks(schema: JsonSchema): { readonly keyword: string; readonly check: Refinement }[] {
  const found: { keyword: string; check: Refinement }[] = []
  const add = (keyword: string, check: (value: unknown) => boolean): void => {
    found.push({ keyword, check: { check, error: () => keyword } })
  }
  for (const keyword of Object.keys(schema)) {
    const bound = schema[keyword]
    const judge = keyword === 'multipleOf' ? isMultiple : typeof bound === 'bigint' ? BOUNDS[keyword] : undefined
    // Values that are no numbers pass a bound, as the standard says.
    if (judge !== undefined) add(keyword, value => !isNumeric(value) || judge(value, bound as number | bigint))
    if (keyword === 'const' && typeof bound === 'bigint') add(keyword, value => isEqual(value, bound))
    if (keyword === 'enum' && Array.isArray(bound) && bound.some(option => typeof option === 'bigint'))
      add(keyword, value => bound.some(option => isEqual(value, option)))
  }
  return found
}

function isNumeric(value: unknown): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint'
}

function isEqual(value: unknown, option: unknown): boolean {
  if (typeof value === 'bigint' && typeof option === 'number') return isEqual(option, value)
  if (typeof value === 'number' && typeof option === 'bigint')
    return Number.isInteger(value) && BigInt(value) === option
  return isDeepStrictEqual(value, option)
}

/** Whether a number is a multiple of another, as both are written in decimal. */
export function isMultiple(value: number | bigint, divisor: number | bigint): boolean {
  if (Number.isSafeInteger(value) && Number.isSafeInteger(divisor)) return (value as number) % (divisor as number) === 0
  if (typeof value === 'number' && !Number.isFinite(value)) return false
  const one = fractionOf(decimalOf(String(value)))
  const other = fractionOf(decimalOf(String(divisor)))
  const step = Math.min(one.power, other.power)
  const units = one.units * 10n ** BigInt(one.power - step)
  return units % (other.units * 10n ** BigInt(other.power - step)) === 0n
}
