import type { ConnectionState } from '../connection/state.ts'
import type { ControlContext } from '../controls/context.ts'
import type { Keeper } from '../controls/lifetime/keeper.ts'
import type { Attempt } from '../model/attempt.ts'
import type { Policy } from '../model/policy.ts'
import { isReported } from '../model/reporting.ts'
import type { Runtime } from '../model/runtime.ts'
import type { Store } from '../model/store.ts'
import type { ControlId } from '../model/verdict.ts'
import type { RequestMaker } from '../request/peer-request.ts'
import type { Marks } from '../store/marks.ts'
import type { Entering } from './entering.ts'
import type { Observer } from './observer.ts'
import type { Remembered } from './remembered.ts'
import type { Shared } from './shared-state.ts'

/** What the modules of one guard share: what it was made with, and what it holds. */
export interface GuardState {
  readonly policy: Policy
  readonly context: ControlContext
  readonly runtime: Runtime
  readonly observer: Observer
  readonly store: Store
  /** Revocations that this process remembers beside the store's; null where its own store is the shared one. */
  readonly marks: Marks | null
  /** What it has in common with other guards of this process. */
  readonly shared: Shared
  readonly remembered: Remembered
  readonly keeper: Keeper<ConnectionState>
  /** Open connections. */
  readonly live: Set<ConnectionState>
  /** Connections that have ended while messages from before that are still handled. */
  readonly lingering: Set<ConnectionState>
  /** Handshakes under way. */
  readonly entering: Entering
  /** Attempts that act for nobody in particular: report mode let them in without a session. */
  readonly standIns: WeakSet<Attempt>
  /** To be called once no connection is left; null while the guard does not drain. */
  draining: (() => void)[] | null
  /** Each ends one subscription to news of the store. */
  subscriptions: readonly (() => void)[]
  /** Makes a request again, so that a connection that lives on need not keep its own. */
  requestMaker: RequestMaker | null
}

/** Whether a control denies, rather than reports. A drain is the operator's command: else such a server could not stop. */
export function isEnforced({ policy }: { readonly policy: Policy }, control: ControlId): boolean {
  return control === 'lifetime/shutdown' || !isReported(policy, control)
}

/** Does what may fail at no cost but time: what is given back or renewed in a store that is away lapses by itself. */
export function attemptQuietly(step: () => unknown): void {
  try {
    const pending = step()
    if (pending instanceof Promise) pending.catch(() => undefined)
  } catch {
    // As above.
  }
}
