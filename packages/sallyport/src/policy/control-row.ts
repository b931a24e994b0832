import type { AnyDefinition } from '../controls/definition.ts'
import type { ControlId } from '../model/verdict.ts'
import type { Key } from '../shape/shape.ts'
import { type DenialCode, DENIALS } from './denials.ts'

/** One key of the policy, as docs, reports and editors know it. */
export interface KeyRow {
  /** Its path: `handshake.origin.allow`. */
  readonly key: string
  readonly type: string
  readonly default: string
  readonly meaning: string
  /** Why this default; undefined where the meaning says it. */
  readonly because: string | undefined
  /** `true` makes a control weaker. */
  readonly weakens: boolean
  /** Its value is never shown. */
  readonly secret: boolean
}

/** One key of the policy that configures a control. */
export type ControlKey = KeyRow

/** One control as docs, reports and the auditor know it. */
export interface ControlRow {
  readonly id: ControlId
  readonly door: 'handshake' | 'message' | 'lifetime'
  /** The condition under which it denies. */
  readonly denies: string
  /** The default, as text. */
  readonly default: string
  readonly codes: readonly DenialCode[]
  /** Ids of the lines of `docs/requirements.md` that it fulfils or helps to fulfil. */
  readonly requirements: readonly string[]
  readonly keys: readonly ControlKey[]
  /** Whether `@sallyport/audit` can see from outside that it is on. */
  readonly probe: 'outside' | { readonly not: string }
}

/** The row of a control, from its definition. */
export function rowOf(control: AnyDefinition): ControlRow {
  const { id, denies, default: fallback, meets = [], notProbed } = control
  const denials = Object.entries(DENIALS).filter(([, row]) => row.control === id)
  const requirements = new Set([...denials.flatMap(([, row]) => row.requirements), ...meets])
  return Object.freeze({
    id,
    door: id.slice(0, id.indexOf('/')) as ControlRow['door'],
    denies,
    default: fallback,
    codes: Object.freeze(denials.map(([code]) => code as DenialCode)),
    requirements: Object.freeze([...requirements].toSorted(byRequirement)),
    keys: Object.freeze(keysOf(control).map(([path, key]) => keyRow(path, key))),
    probe: notProbed === undefined ? 'outside' : Object.freeze({ not: notProbed }),
  })
}

/** The keys of a control by their paths: of its section, then those beside it. */
export function keysOf({ id, keys, beside = {} }: AnyDefinition): readonly (readonly [path: string, key: AnyKey])[] {
  const own = id.replace('/', '.')
  const door = id.slice(0, id.indexOf('/'))
  return [
    ...Object.entries(keys).map(([name, key]) => [name === '' ? own : `${own}.${name}`, key] as const),
    ...Object.entries(beside).map(([name, key]) => [`${door}.${name}`, key] as const),
  ]
}

// oxlint-disable-next-line typescript/no-explicit-any -- a key of any type
export type AnyKey = Key<any, any>

/** One key as a row. */
export function keyRow(path: string, key: AnyKey): KeyRow {
  const { shape, default: value, shown, meaning, because, weakens = false, secret = false } = key
  return Object.freeze({
    key: path,
    type: shape.type,
    default: shown ?? shape.words(value),
    meaning,
    because,
    weakens,
    secret,
  })
}

const GROUPS = ['S', 'WS', 'ASVS', 'RFC', 'LOG']

const group = (id: string): number =>
  GROUPS.findIndex(prefix => id.startsWith(prefix) && /[\d-]/.test(id.charAt(prefix.length)))

/** Order of requirement ids: by source, then by number. */
export function byRequirement(a: string, b: string): number {
  return group(a) - group(b) || a.localeCompare(b, 'en', { numeric: true })
}
