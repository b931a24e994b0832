import type { Session } from '../session/session.ts'
import type { Marks } from '../store/marks.ts'
import type { Store } from '../store/store.ts'
import type { Tickets } from '../ticket/tickets.ts'

/** What controls are compiled with besides the policy. */
export interface Parts {
  readonly store: Store
  /** Ms since the epoch. */
  readonly now: () => number
  readonly tickets: Tickets
  /** Revocations that this process remembers beside the store's: of guards that share with this one. */
  readonly marks?: Marks | null
  /** Called with each session that was found and holds. */
  readonly found?: (session: Session) => void
  /** Where `serve` listens: names that `handshake/host` serves besides those of the policy. */
  readonly ownHosts?: ReadonlySet<string>
}
