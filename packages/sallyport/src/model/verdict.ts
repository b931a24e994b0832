import type { Facts } from './facts.ts'

/**
 * The id of one control: `handshake/origin`, `message/rate`… Its file, test, page, probe and policy key have the same
 * name.
 */
export type ControlId = `${'handshake' | 'message' | 'lifetime'}/${string}`

/** The form of a denial's code. */
export type Code = `SALLY_${string}`

/** A denial is a value. No later step in a door can turn it into a pass. */
export interface Denial {
  readonly pass: false
  /** `SALLY_ORIGIN_NOT_ALLOWED`…: one of `DENIALS`. */
  readonly code: Code
  /** What was found. For the operator; never sent to the peer. The event builds a sentence from it. */
  readonly facts: Facts
  /** Seconds until the same attempt may pass. An HTTP answer sends it as `Retry-After`. */
  readonly retryAfter?: number
}

/** The answer of a control. */
export type Verdict = { readonly pass: true } | Denial

export type Awaitable<T> = T | Promise<T>

/** The only pass verdict, so that a control that accepts allocates nothing. */
export const PASS: { readonly pass: true } = Object.freeze({ pass: true })

const NO_FACTS: Facts = Object.freeze({})

/** Builds a denial. `retryAfter` in seconds. */
export function deny(code: Code, facts: Facts = NO_FACTS, retryAfter?: number): Denial {
  return retryAfter === undefined ? { pass: false, code, facts } : { pass: false, code, facts, retryAfter }
}
