import type { Attempt } from '../../model/attempt.ts'
import type { ControlId, Verdict } from '../../model/verdict.ts'
import type { ControlContext } from '../context.ts'

/** A compiled handshake control. A synchronous verdict is used at once, without `await`. */
export type HandshakeCheck = (attempt: Attempt) => Verdict | Promise<Verdict>

/** One control of the handshake door. `compile` returns null if the policy turned it off. `P` is what it looks at of a policy. */
export interface HandshakeControl<P> {
  readonly id: ControlId
  readonly compile: (policy: P, context: ControlContext) => HandshakeCheck | null
}

/** A policy of which only these sections of `handshake` are used. */
export interface HandshakeOf<Sections> {
  readonly handshake: Readonly<Sections>
}
