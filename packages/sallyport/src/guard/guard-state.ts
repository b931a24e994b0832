import type { ConnectionState } from '../connection/state.ts'
import type { ControlContext } from '../controls/context.ts'
import type { Keeper } from '../controls/lifetime/keeper.ts'
import type { Attempt } from '../model/attempt.ts'
import type { Policy } from '../policy/types.ts'
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

/** The data that the modules of one guard share. */
export interface GuardState {
  readonly policy: Policy
  readonly context: ControlContext
  readonly runtime: Runtime
  readonly observer: Observer
  readonly store: Store
  /**
   * Revocations that this process remembers in addition to the store. Null if the guard's own store is the shared one.
   */
  readonly marks: Marks | null
  /** What it shares with other guards of this process. */
  readonly shared: Shared
  readonly remembered: Remembered
  readonly keeper: Keeper<ConnectionState>
  /** Open connections. */
  readonly live: Set<ConnectionState>
  /** Connections that have ended while earlier messages are still handled. */
  readonly lingering: Set<ConnectionState>
  /** Handshakes under way. */
  readonly entering: Entering
  /** Attempts that report mode let in without a session. Their sessions stand for no particular user. */
  readonly standIns: WeakSet<Attempt>
  /** Called when no connection is left. Null while the guard does not drain. */
  draining: (() => void)[] | null
  /** Each function ends one subscription to news of the store. */
  subscriptions: readonly (() => void)[]
  /** Makes a request again, so that a connection that stays open need not keep its own. */
  requestMaker: RequestMaker | null
}

/**
 * Whether a control denies. If not, it only reports. A drain always denies, because the operator ordered it: otherwise
 * a server in report mode could not stop.
 */
export function isEnforced({ policy }: { readonly policy: Policy }, control: ControlId): boolean {
  return control === 'lifetime/shutdown' || !isReported(policy, control)
}

/**
 * Runs a step that may fail without harm. A slot that is not given back, or not renewed, because the store is away
 * lapses after its time.
 */
export function attemptQuietly(step: () => unknown): void {
  try {
    const pending = step()
    if (pending instanceof Promise) pending.catch(() => undefined)
  } catch {
    // See above: a failure does no harm.
  }
}
