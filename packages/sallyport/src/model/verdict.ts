import type { DenialCode } from './denials.ts'

/** The id of one control: `handshake/origin`, `message/rate`… The same name is its file, test, page, probe and policy key. */
export type ControlId = `${'handshake' | 'message' | 'lifetime'}/${string}`

/** A denial is a value. Nothing later in a door can turn it into a pass. */
export interface Denial {
  readonly pass: false
  readonly code: DenialCode
  /** For the operator's log; never sent to the peer. Holds no secret and no message content. */
  readonly detail: string
  /** Seconds until the same attempt may pass again; becomes `Retry-After` where there is an HTTP answer. */
  readonly retryAfter?: number
}

/** What a control answers. */
export type Verdict = { readonly pass: true } | Denial

export type Awaitable<T> = T | Promise<T>

/** The one pass verdict: a control that lets something through allocates nothing. */
export const PASS: { readonly pass: true } = Object.freeze({ pass: true })

/** Builds a denial. `detail` tells the operator what was seen and what to change. */
export function deny(code: DenialCode, detail: string, retryAfter?: number): Denial {
  return retryAfter === undefined ? { pass: false, code, detail } : { pass: false, code, detail, retryAfter }
}
