import type { DenialRow } from '../model/denials.ts'
import type { Facts, FactsOf } from '../model/facts.ts'
import { type ControlId, type Denial, deny } from '../model/verdict.ts'
import type { Fields } from '../shape/fields.ts'
import type { Keys } from '../shape/shape.ts'

/** One denial of a control. */
export type DenialText = Omit<DenialRow, 'control'>

export type DenialTexts = { readonly [code: `SALLY_${string}`]: DenialText }

/** The effect of a control under one policy. */
export interface Effective {
  /** Its values as text. Never contains a secret. */
  readonly values: string
  readonly active: boolean
  /** False if it is off because it has nothing to do. */
  readonly needed: boolean
}

export const on = (values: string): Effective => ({ values, active: true, needed: true })
export const off = (values: string): Effective => ({ values, active: false, needed: true })
export const unneeded = (values: string): Effective => ({ values, active: false, needed: false })

/** The sections that were read before. It reads another section first if that one is needed. */
export interface Earlier {
  /** The section of another control. */
  sectionOf<S>(control: { readonly id: ControlId; read(door: Fields, earlier: Earlier): S }): S
}

/**
 * One control: its keys, its denials and its effect. Docs, reports, the schemas of editors and the reading of policies
 * derive from it.
 */
export interface ControlDefinition<Id extends ControlId, K extends Keys, S, D extends DenialTexts> {
  readonly id: Id
  /** Every policy must have this section. Its problems are listed before the others of its door. */
  readonly mustDecide?: true
  /** The condition under which it denies. */
  readonly denies: string
  /** The default, as text. */
  readonly default: string
  /** Lines of `docs/requirements.md` in addition to those of its denials. */
  readonly meets?: readonly string[]
  /** The reason why `@sallyport/audit` cannot see from outside whether it is on. */
  readonly notProbed?: string
  /** The keys of its section. If the section itself is the value, there is one key `''`. */
  readonly keys: K
  /** Keys outside the section, directly below its door: `message.strikes`. */
  readonly beside?: Keys
  /** An example of its section. */
  readonly example?: string
  /** What to write in a value of its section, by key: `deflate`. */
  readonly examples?: { readonly [key: string]: string }
  readonly denials: D
  /** Reads its section. Null if the control is off. */
  read(door: Fields, earlier: Earlier): S
  /** Reads the keys beside its section, after all sections of the door. */
  readBeside?(door: Fields, earlier: Earlier): object
  /** Describes the effect of the section. `policy` is the whole policy, because another section may decide. */
  effective(section: S, policy: object): Effective
}

/** Of any control. */
// oxlint-disable-next-line typescript/no-explicit-any -- each keeps the types of its own section
export type AnyDefinition = ControlDefinition<ControlId, Keys, any, DenialTexts>

/** Checks a definition and keeps its exact type. */
export function defineControl<
  const Id extends ControlId,
  K extends Keys,
  S,
  const D extends DenialTexts,
  More extends object,
>(definition: ControlDefinition<Id, K, S, D> & More): ControlDefinition<Id, K, S, D> & More {
  return definition
}

/** A `deny` that accepts only these codes, each with its own facts. */
export type Deny<D extends DenialTexts> = <C extends keyof D & `SALLY_${string}`>(
  code: C,
  ...given: keyof FactsOf<D[C]['tells']> extends never
    ? [facts?: Facts, retryAfter?: number]
    : [facts: FactsOf<D[C]['tells']> & Facts, retryAfter?: number]
) => Denial

/** The `deny` function for the codes of one control. */
export function denying<const D extends DenialTexts>(_denials: D): Deny<D> {
  return deny
}

/** The parts of a policy that these controls use. */
// oxlint-disable-next-line typescript/no-explicit-any -- whatever else a control is compiled with
export type PolicyOf<C> = [C] extends [{ readonly compile: (policy: infer P, ...more: any[]) => unknown }] ? P : never
