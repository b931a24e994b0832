import type { Attempt } from '../model/attempt.ts'
import type { LookupQueue } from '../session/lookup-queue.ts'
import type { Proofs } from '../session/proofs.ts'
import type { Runtime } from '../model/runtime.ts'
import type { Session } from '../model/session.ts'
import type { Marks } from '../store/marks.ts'
import type { Store } from '../model/store.ts'
import type { Tickets } from '../model/tickets.ts'

/** Counts attempts whose session is being looked up, on this node. */
export interface HalfOpen {
  /** False where `cap` others of the key are half-open. */
  enter(attempt: Attempt, key: string, cap: number): boolean
  /** The attempt is decided. */
  leave(attempt: Attempt): void
  readonly size: number
}

/** What controls are compiled with besides the policy. */
export interface ControlContext {
  readonly store: Store
  /** Ms since the epoch. */
  readonly now: () => number
  readonly runtime: Runtime
  readonly tickets: Tickets
  /** Revocations that this process remembers beside the store's: of guards that share with this one. */
  readonly marks?: Marks | null
  /** Called with each session that was found and holds. */
  readonly found?: (session: Session) => void
  /** Where `serve` listens: names that `handshake/host` serves besides those of the policy. */
  readonly ownHosts?: ReadonlySet<string>
  /** Session look-ups: bounded, and fair by address. */
  readonly lookups: LookupQueue
  /** Credentials that were accepted lately. */
  readonly proofs: Proofs
  readonly halfOpen: HalfOpen
  /** Budgets of refused Origins, by address: on this node alone, and nothing else draws on them. */
  readonly foreign: Pick<Store, 'take'>
}
