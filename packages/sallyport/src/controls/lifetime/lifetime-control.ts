import type { Policy } from '../../model/policy.ts'
import type { ControlId } from '../../model/verdict.ts'
import type { LifetimeCheck } from './timed-connection.ts'

/** One control of an open connection. `compile` returns null if the policy turned it off. */
export interface LifetimeControl {
  readonly id: ControlId
  compile(policy: Policy): LifetimeCheck | null
}

/** A policy of which only these sections of `lifetime` are used. */
export interface LifetimeOf<Sections> {
  readonly lifetime: Readonly<Sections>
}
