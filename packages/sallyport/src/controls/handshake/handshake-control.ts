import type { Parts } from '../context.ts'
import type { Policy } from '../../model/policy.ts'
import type { ControlId, Verdict } from '../../model/verdict.ts'
import type { Attempt } from '../../model/attempt.ts'

/** A compiled handshake control. A synchronous verdict is never awaited. */
export type HandshakeCheck = (attempt: Attempt) => Verdict | Promise<Verdict>

/** One control of the handshake door; null where the policy turned it off. */
export interface HandshakeControl {
  readonly id: ControlId
  compile(policy: Policy, parts: Parts): HandshakeCheck | null
}
