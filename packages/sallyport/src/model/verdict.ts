import type { DenialCode } from './denials.ts'
import type { Facts } from './facts.ts'

/** The id of one control: `handshake/origin`, `message/rate`… The same name is its file, test, page, probe and policy key. */
export type ControlId = `${'handshake' | 'message' | 'lifetime'}/${string}`

/** A denial is a value. Nothing later in a door can turn it into a pass. */
export interface Denial {
  readonly pass: false
  readonly code: DenialCode
  /** What was seen, for the operator; never sent to the peer. The event makes a sentence of it. */
  readonly facts: Facts
  /** Seconds until the same attempt may pass again; becomes `Retry-After` where there is an HTTP answer. */
  readonly retryAfter?: number
}

/** What a control answers. */
export type Verdict = { readonly pass: true } | Denial

export type Awaitable<T> = T | Promise<T>

/** The one pass verdict: a control that lets something through allocates nothing. */
export const PASS: { readonly pass: true } = Object.freeze({ pass: true })

const NO_FACTS: Facts = Object.freeze({})

/** Builds a denial. `retryAfter` in seconds. */
export function deny(code: DenialCode, given: Facts | string = NO_FACTS, retryAfter?: number): Denial {
  const facts = typeof given === 'string' ? { detail: given } : given
  return retryAfter === undefined ? { pass: false, code, facts } : { pass: false, code, facts, retryAfter }
}
