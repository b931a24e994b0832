import type { Attempt } from '../model/attempt.ts'
import type { LookupQueue } from '../session/lookup-queue.ts'
import type { Proofs } from '../session/proofs.ts'
import type { Runtime } from '../model/runtime.ts'
import type { Session } from '../model/session.ts'
import type { Marks } from '../store/marks.ts'
import type { Store } from '../model/store.ts'
import type { Tickets } from '../model/tickets.ts'

/** Counts the attempts of this node whose sessions are being looked up. */
export interface HalfOpen {
  /** False if `cap` other attempts of the key are half-open. */
  enter(attempt: Attempt, key: string, cap: number): boolean
  /** Called when the attempt is decided. */
  leave(attempt: Attempt): void
  readonly size: number
}

/** What controls are compiled with, besides the policy. */
export interface ControlContext {
  readonly store: Store
  /** The time in ms since the epoch. */
  readonly now: () => number
  readonly runtime: Runtime
  readonly tickets: Tickets
  /**
   * Revocations that this process remembers in addition to the store. They come from guards that share state with this
   * one.
   */
  readonly marks?: Marks | null
  /** Called with each valid session that was found. */
  readonly found?: (session: Session) => void
  /** The hosts that `serve` listens on. `handshake/host` accepts them in addition to those of the policy. */
  readonly ownHosts?: ReadonlySet<string>
  /** The queue of session look-ups. It is bounded, and fair between addresses. */
  readonly lookups: LookupQueue
  /** Credentials that were accepted lately. */
  readonly proofs: Proofs
  readonly halfOpen: HalfOpen
  /** Budgets of refused Origins by address, on this node. Nothing else takes from them. */
  readonly foreign: Pick<Store, 'take'>
}
