import type { Action, Level } from '../model/denials.ts'
import type { Facts, FactsOf } from '../model/facts.ts'
import { type ControlId, type Denial, deny } from '../model/verdict.ts'
import type { Policy } from '../model/policy.ts'
import type { Fields } from '../shape/fields.ts'
import type { Keys } from '../shape/shape.ts'

/** One denial of a control. */
export interface DenialText {
  readonly action: Action
  /** HTTP status when it is decided before the upgrade. */
  readonly http?: number
  /** Close code when it is decided on an open connection (RFC 6455 §7.4; 44xx are ours). */
  readonly close?: number
  readonly level: Level
  /** Event name of the OWASP Logging Vocabulary. */
  readonly event: string
  /** Lines of `docs/requirements.md` that the denial answers. */
  readonly requirements: readonly string[]
  /** What is denied, for the operator. */
  readonly means: string
  /** What to do about it, for the operator. */
  readonly remedy: string
  /** The sentence of one denial, with its facts in braces; several, where facts name a `reason`. */
  readonly tells: string | { readonly [reason: string]: string }
}

export type DenialTexts = { readonly [code: `SALLY_${string}`]: DenialText }

/** What a control comes to under a policy. */
export interface Effective {
  /** Its values, in words; never a secret. */
  readonly values: string
  readonly active: boolean
  /** False where it is off because there is nothing for it to do. */
  readonly needed: boolean
}

export const on = (values: string): Effective => ({ values, active: true, needed: true })
export const off = (values: string): Effective => ({ values, active: false, needed: true })
export const unneeded = (values: string): Effective => ({ values, active: false, needed: false })

/** What of the policy is read already, or is read now because another section needs it. */
export interface Earlier {
  /** The section of another control. */
  sectionOf<S>(control: { readonly id: ControlId; read(door: Fields, earlier: Earlier): S }): S
}

/** One control: its keys, its denials, and what it comes to. Docs, reports, editors' schemas and reading follow from it. */
export interface ControlDefinition<Id extends ControlId, K extends Keys, S, D extends DenialTexts> {
  readonly id: Id
  /** When it denies. */
  readonly denies: string
  /** What a policy gets that says nothing. */
  readonly default: string
  /** Lines of `docs/requirements.md` beyond those that its denials answer. */
  readonly meets?: readonly string[]
  /** Why `@sallyport/audit` cannot see from outside that it is on. */
  readonly notProbed?: string
  /** The keys of its section; the one key `''` where the section is the value itself. */
  readonly keys: K
  /** Keys that stand beside the section, below its door: `message.strikes`. */
  readonly beside?: Keys
  /** What to write in its section. */
  readonly example?: string
  readonly denials: D
  /** Reads its section; null where it is off. */
  read(door: Fields, earlier: Earlier): S
  /** What the section comes to; `policy` is the whole of it, for what another section decides. */
  effective(section: S, policy: Policy): Effective
}

/** Of any control. */
// oxlint-disable-next-line typescript/no-explicit-any -- each keeps the types of its own section
export type AnyDefinition = ControlDefinition<ControlId, Keys, any, DenialTexts>

/** Keeps the types of a definition. */
export function defineControl<
  const Id extends ControlId,
  K extends Keys,
  S,
  const D extends DenialTexts,
  More extends object,
>(definition: ControlDefinition<Id, K, S, D> & More): ControlDefinition<Id, K, S, D> & More {
  return definition
}

/** A `deny` that knows these codes, and which facts each of them tells. */
export type Deny<D extends DenialTexts> = <C extends keyof D & `SALLY_${string}`>(
  code: C,
  ...given: keyof FactsOf<D[C]['tells']> extends never
    ? [facts?: Facts, retryAfter?: number]
    : [facts: FactsOf<D[C]['tells']> & Facts, retryAfter?: number]
) => Denial

/** `deny` for the codes of one control. */
export function denying<const D extends DenialTexts>(_denials: D): Deny<D> {
  return deny as Deny<D>
}
