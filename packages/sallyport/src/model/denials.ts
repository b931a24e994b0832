import type { ControlId } from './verdict.ts'

/** How severe a denial is, in the levels of the OWASP Logging Vocabulary. */
export type Level = 'info' | 'warn' | 'error' | 'critical'

/**
 * What happens to the peer: an HTTP refusal, an error reply, a close frame, a cut, a dropped message, or a paused
 * socket.
 */
export type Action = 'refuse' | 'reply' | 'close' | 'terminate' | 'drop' | 'pause'

/** One row of the table of denials. */
export interface DenialRow {
  readonly control: ControlId
  readonly action: Action
  /** HTTP status of a denial before the upgrade. */
  readonly http?: number
  /** Close code of a denial on an open connection (RFC 6455 §7.4). Codes 44xx are ours. */
  readonly close?: number
  readonly level: Level
  /** Event name of the OWASP Logging Vocabulary. */
  readonly event: string
  /** Lines of `docs/requirements.md` that this denial fulfils. */
  readonly requirements: readonly string[]
  /** What is denied. For the operator. */
  readonly means: string
  /** What to do about it. For the operator. */
  readonly remedy: string
  /**
   * The sentence for one denial, with the names of its facts in braces. Several sentences if a fact `reason` chooses
   * one.
   */
  readonly tells: string | { readonly [reason: string]: string }
}
