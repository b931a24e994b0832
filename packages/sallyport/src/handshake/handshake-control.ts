import type { Parts } from '../guard/parts.ts'
import type { Policy } from '../policy/types.ts'
import type { ControlId, Verdict } from '../policy/verdict.ts'
import type { Attempt } from './attempt.ts'

/** A compiled handshake control. A synchronous verdict is never awaited. */
export type HandshakeCheck = (attempt: Attempt) => Verdict | Promise<Verdict>

/** One control of the handshake door; null where the policy turned it off. */
export interface HandshakeControl {
  readonly id: ControlId
  compile(policy: Policy, parts: Parts): HandshakeCheck | null
}
