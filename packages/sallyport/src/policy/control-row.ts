import { DENIALS } from './denials.ts'
import type { DenialCode } from '../model/denials.ts'
import type { AnyDefinition } from '../controls/definition.ts'
import type { Keys } from '../shape/shape.ts'
import type { ControlId } from '../model/verdict.ts'

/** One key of the policy that configures a control. */
export interface ControlKey {
  /** Its path: `handshake.origin.allow`. */
  readonly key: string
  readonly type: string
  readonly default: string
  readonly meaning: string
}

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

/** The part of a row that is written by hand. The rest follows from the id and the table of denials. */
export interface ControlText {
  readonly denies: string
  readonly default: string
  /** Lines in addition to those of its denials. */
  readonly meets?: readonly string[]
  readonly keys: readonly (readonly [key: string, type: string, fallback: string, meaning: string])[]
  readonly notProbed?: string
}

/** The row of a control, from its definition. */
export function rowOf(control: AnyDefinition): ControlRow {
  const { id, denies, default: fallback, meets, notProbed, keys, beside = {} } = control
  return controlRow(id, {
    denies,
    default: fallback,
    keys: [...written(keys, ''), ...written(beside, '../')],
    ...(meets === undefined ? {} : { meets }),
    ...(notProbed === undefined ? {} : { notProbed }),
  })
}

const written = (keys: Keys, prefix: string): ControlText['keys'] =>
  Object.entries(keys).map(([name, { shape, default: value, shown, meaning }]) => {
    return [`${prefix}${name}`, shape.type, shown ?? shape.words(value), meaning] as const
  })

/** Completes a row. */
export function controlRow(id: ControlId, text: ControlText): ControlRow {
  const denials = Object.entries(DENIALS).filter(([, row]) => row.control === id)
  const requirements = new Set([...denials.flatMap(([, row]) => row.requirements), ...(text.meets ?? [])])
  const door = id.slice(0, id.indexOf('/')) as ControlRow['door']
  return Object.freeze({
    id,
    door,
    denies: text.denies,
    default: text.default,
    codes: Object.freeze(denials.map(([code]) => code as DenialCode)),
    requirements: Object.freeze([...requirements].toSorted(byRequirement)),
    keys: Object.freeze(
      text.keys.map(([key, type, fallback, meaning]) =>
        Object.freeze({ key: pathOf(id, key), type, default: fallback, meaning }),
      ),
    ),
    probe: text.notProbed === undefined ? 'outside' : Object.freeze({ not: text.notProbed }),
  })
}

/** The path of a key. `../strikes` of `message/schema` is `message.strikes`. */
function pathOf(id: ControlId, key: string): string {
  const own = id.replace('/', '.')
  if (key.startsWith('../')) return `${own.slice(0, own.indexOf('.'))}.${key.slice(3)}`
  return key === '' ? own : `${own}.${key}`
}

const GROUPS = ['S', 'WS', 'ASVS', 'RFC', 'LOG']

const group = (id: string): number => GROUPS.indexOf(/^[A-Z]+/.exec(id)?.[0] ?? '')

/** Order of requirement ids: by source, then by number. */
export function byRequirement(a: string, b: string): number {
  return group(a) - group(b) || a.localeCompare(b, 'en', { numeric: true })
}
