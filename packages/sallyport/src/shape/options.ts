import { nearest } from './nearest.ts'
import { neighbourOf } from './neighbours.ts'
import { kindOf, show } from './shown.ts'
import { isThenable } from '../model/thenable.ts'

/** Options of a call, before they are known to hold. */
export interface Options {
  readonly [key: string]: unknown
}

/**
 * The options of a call, for whoever reads them. Throws a `TypeError` for what is no object, and for a key that is not
 * known and would be ignored in silence. `who` begins every error: `serve`; `example` is what to write: `serve({ guard, port: 8443 })`;
 * `foreign` what to write instead of a key of another library that has no place in a policy.
 */
export function requireOptions(
  who: string,
  value: unknown,
  known: readonly string[],
  example: string,
  foreign: { readonly [key: string]: string } = {},
): Options {
  if (!isOptions(value)) {
    const remedy = isThenable(value) ? 'await it first' : `write ${example}`
    throw new TypeError(`${who}: the options are ${kindOf(value)}, not an object; ${remedy}`)
  }
  for (const key of Object.keys(value)) {
    if (!known.includes(key))
      throw new TypeError(`${who}: unknown option ${show(key)}; ${insteadOf(key, known, foreign)}`)
  }
  return value
}

/** Whether its keys can be read now: an object, no list, and nothing that comes later. */
export function isOptions(value: unknown): value is Options {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isThenable(value)
}

function insteadOf(key: string, known: readonly string[], foreign: { readonly [key: string]: string }): string {
  if (Object.hasOwn(foreign, key)) return `write ${foreign[key]}`
  const near = nearest(key, known)
  if (near !== undefined) return `did you mean ${near}?`
  const neighbour = neighbourOf(key)
  const there = `there are ${known.join(', ')}`
  return neighbour === undefined ? there : `the policy says it: createGuard({ … ${neighbour.write} }); ${there}`
}

/** Throws a `TypeError` for what is said and is no function. */
export function requireFunction(who: string, key: string, value: unknown, example: string): void {
  if (value === undefined || typeof value === 'function') return
  throw new TypeError(`${who}: ${key} is ${kindOf(value)}, not a function; write ${key}: ${example}`)
}

/** Bounds of a number, both of them good. */
export interface Bounds {
  readonly least: number
  readonly most: number
  /** Whether fractions will do. */
  readonly fraction?: boolean
}

/** Throws a `TypeError` for what is said and is no number within the bounds: text such as `'5'` too. */
export function requireNumber(
  who: string,
  key: string,
  value: unknown,
  { least, most, fraction = false }: Bounds,
): void {
  if (value === undefined) return
  if (typeof value === 'number' && value >= least && value <= most && (fraction || Number.isInteger(value))) return
  const text = typeof value === 'string' && /^\d{1,15}$/.test(value.trim())
  const meant = `${fraction ? 'a number' : 'a whole number'} from ${least} to ${most}`
  throw new TypeError(`${who}: ${key} is ${show(value)}; write ${text ? `${value.trim()} without quotes` : meant}`)
}
