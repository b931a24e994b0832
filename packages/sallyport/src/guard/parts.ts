import type { Store } from '../store/store.ts'
import type { Tickets } from '../ticket/tickets.ts'

/** What controls are compiled with besides the policy. */
export interface Parts {
  readonly store: Store
  /** Ms since the epoch. */
  readonly now: () => number
  readonly tickets: Tickets
}
