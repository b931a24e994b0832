import type { Awaitable } from './verdict.ts'

/** A budget that refills evenly: `burst` at once, then `amount` per `perMs`. */
export interface Budget {
  readonly amount: number
  readonly perMs: number
  readonly burst: number
}

/** The answer of `take`: whether the cost was taken. If not, in how many ms it could be. */
export interface Taken {
  readonly ok: boolean
  readonly retryAfterMs: number
}

/** The owner of the connections and tickets that end: one session, a user with all sessions, or all users. */
export type RevocationTarget = { readonly session: string } | { readonly user: string } | 'all'

/** Ends a subscription. */
export type Unsubscribe = () => void

/**
 * The shared state behind tickets, limits, counts and revocations. Each method is one atomic step, in this process or
 * in the cluster. If a method throws or rejects, the request that needed it is denied. Keys may contain session ids, so
 * a store outside the process must hash them.
 */
export interface Store {
  /**
   * Takes `cost` from the budget at `key`. If the budget holds less, it takes nothing. `at` is the present time in ms
   * since the epoch, if the caller has just read it. A store in this process then need not read it again.
   */
  take(key: string, cost: number, budget: Budget, at?: number): Awaitable<Taken>
  /**
   * Like `take`, for the frequent case: takes from this node's share of the budget and answers at once while the share
   * lasts. All nodes together exceed the budget by no more than the store states. Without this method `take` is called.
   */
  takeShare?(key: string, cost: number, budget: Budget): Awaitable<Taken>
  /**
   * True for the first call with `key` within `ttlMs`, false for every later one. `bornAt` (ms since the epoch) is when
   * the key was created. A store that may have forgotten a use since then throws.
   */
  once(key: string, ttlMs: number, bornAt?: number): Awaitable<boolean>
  /**
   * Counts `id` under `key` if fewer than `cap` other ids are there. A lease lapses after `ttlMs`. Taking it again
   * renews it.
   */
  lease(key: string, id: string, cap: number, ttlMs: number): Awaitable<boolean>
  release(key: string, id: string): Awaitable<void>
  /**
   * Remembers a short text for `ttlMs`. The store may forget it earlier: the text only saves a wait, and never lets a
   * client in. Optional, like `recall` and `forget`. Without them each node remembers for itself.
   */
  remember?(key: string, value: string, ttlMs: number): Awaitable<void>
  /** The text remembered under `key`. Null if there is none. */
  recall?(key: string): Awaitable<string | null>
  forget?(key: string): Awaitable<void>
  /** Marks the target as revoked from now on, for `ttlMs`, and calls every listener, also on other nodes. */
  revoke(target: RevocationTarget, ttlMs: number): Awaitable<void>
  /**
   * When the session, its user, or all users were last revoked, in ms since the epoch. Null if never within the ttl.
   */
  revokedAt(session: string, user: string): Awaitable<Revocation | null>
  /**
   * The listener gets `at` (ms since the epoch) if the news is late because it was missed at first. It then does not
   * apply to anything that began after `at`.
   */
  onRevoked(listener: (target: RevocationTarget, at?: number) => void): Unsubscribe
  /** Reports each change of the store's availability. A store that is always available has no such method. */
  onState?(listener: (state: StoreState) => void): Unsubscribe
}

/** The availability of a shared store. */
export interface StoreState {
  /**
   * `unavailable`: it does not answer, and requests that need it are denied at once · `probing`: one call tests it ·
   * `available` again · `lost`: it was away longer than open connections may live without it, so they end.
   */
  readonly state: 'available' | 'unavailable' | 'probing' | 'lost'
  /** For the operator. Contains no data of a peer. */
  readonly detail: string
  /** With `lost`: the time in ms over which the ends of open connections are spread. Default 5000. */
  readonly endsWithinMs?: number
}

/** The latest revocations that apply to a session. */
export interface Revocation {
  /** Of this session itself. It is final for the id. */
  readonly session: number | null
  /** Of its user or of all users. It ends everything that began before. */
  readonly user: number | null
}
