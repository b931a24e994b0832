import type { Awaitable } from './verdict.ts'

/** A budget that refills evenly: `burst` at once, then `amount` per `perMs`. */
export interface Budget {
  readonly amount: number
  readonly perMs: number
  readonly burst: number
}

/** Answer of `take`: whether the cost was taken, and if not, in how many ms it could be. */
export interface Taken {
  readonly ok: boolean
  readonly retryAfterMs: number
}

/** Whose connections and tickets end: one session, all sessions of a user, or everybody. */
export type RevocationTarget = { readonly session: string } | { readonly user: string } | 'all'

/** Ends a subscription. */
export type Unsubscribe = () => void

/**
 * Shared state behind tickets, limits, counts and revocations. Each method is one atomic step, in this process
 * or in the cluster. A method that throws or rejects denies what asked for it. Keys may hold session ids: a store
 * that leaves the process hashes them.
 */
export interface Store {
  /**
   * Takes `cost` from the budget at `key`; takes nothing when it is not there. `at` is the time in ms since the epoch, where
   * the caller has just read it: a store of this process need not read it again.
   */
  take(key: string, cost: number, budget: Budget, at?: number): Awaitable<Taken>
  /**
   * The same for the hot path, from a share of the budget that this node holds: it answers at once while the share
   * lasts. The sum over all nodes exceeds the budget by no more than what the store states. Without it `take` is asked.
   */
  takeShare?(key: string, cost: number, budget: Budget): Awaitable<Taken>
  /**
   * True for the first call with `key` within `ttlMs`, false for every later one. `bornAt` (ms since the epoch) is when
   * the key came into being: a store that may have forgotten a use since then throws.
   */
  once(key: string, ttlMs: number, bornAt?: number): Awaitable<boolean>
  /** Counts `id` under `key` unless `cap` others live there. A lease that is not taken again within `ttlMs` lapses; taking it again renews it. */
  lease(key: string, id: string, cap: number, ttlMs: number): Awaitable<boolean>
  release(key: string, id: string): Awaitable<void>
  /**
   * Remembers a short text for `ttlMs`. The store may forget it earlier: what is remembered saves its owner a wait, and
   * never lets anybody in. Optional, as are `recall` and `forget`; without them each node remembers for itself.
   */
  remember?(key: string, value: string, ttlMs: number): Awaitable<void>
  /** The text that is remembered under `key`; null for none. */
  recall?(key: string): Awaitable<string | null>
  forget?(key: string): Awaitable<void>
  /** Marks the target as revoked from now on, for `ttlMs`, and tells every listener, also on other nodes. */
  revoke(target: RevocationTarget, ttlMs: number): Awaitable<void>
  /** When (ms since the epoch) the session, its user or everybody was last revoked; null if never within the ttl. */
  revokedAt(session: string, user: string): Awaitable<Revocation | null>
  /**
   * `at` (ms since the epoch) is given when the news is late: it was missed when it was told, and what began after it
   * is not meant.
   */
  onRevoked(listener: (target: RevocationTarget, at?: number) => void): Unsubscribe
  /** Tells each change of what the store can do. A store that cannot be away has none. */
  onState?(listener: (state: StoreState) => void): Unsubscribe
}

/** Whether a shared store can be asked. */
export interface StoreState {
  /**
   * `unavailable`: it does not answer, and what needs it is denied at once · `probing`: one call finds out · `available`
   * again · `lost`: it was away for longer than open connections may live without it; they end.
   */
  readonly state: 'available' | 'unavailable' | 'probing' | 'lost'
  /** For the operator; holds nothing of a peer. */
  readonly detail: string
  /** With `lost`: over how many ms the ends of open connections are spread. Default 5000. */
  readonly endsWithinMs?: number
}

/** The latest revocations that touch a session. */
export interface Revocation {
  /** Of this very session; final for its id. */
  readonly session: number | null
  /** Of its user or of everybody: ends what began before it. */
  readonly user: number | null
}
