import type { Awaitable } from '../policy/verdict.ts'

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
export type Target = { readonly session: string } | { readonly user: string } | 'all'

/** Ends a subscription. */
export type Unsubscribe = () => void

/**
 * Shared state behind tickets, limits, counts and revocations. Each method is one atomic step, in this process
 * or in the cluster. A method that throws or rejects denies what asked for it. Keys may hold session ids: a store
 * that leaves the process hashes them.
 */
export interface Store {
  /** Takes `cost` from the budget at `key`; takes nothing when it is not there. */
  take(key: string, cost: number, budget: Budget): Awaitable<Taken>
  /** True for the first call with `key` within `ttlMs`, false for every later one. */
  once(key: string, ttlMs: number): Awaitable<boolean>
  /** Counts `id` under `key` unless `cap` others live there. A lease that is not taken again within `ttlMs` lapses; taking it again renews it. */
  lease(key: string, id: string, cap: number, ttlMs: number): Awaitable<boolean>
  release(key: string, id: string): Awaitable<void>
  /** Marks the target as revoked from now on, for `ttlMs`, and tells every listener, also on other nodes. */
  revoke(target: Target, ttlMs: number): Awaitable<void>
  /** When (ms since the epoch) the session, its user or everybody was last revoked; null if never within the ttl. */
  revokedAt(session: string, user: string): Awaitable<Revocation | null>
  onRevoked(listener: (target: Target) => void): Unsubscribe
}

/** The latest revocations that touch a session. */
export interface Revocation {
  /** Of this very session; final for its id. */
  readonly session: number | null
  /** Of its user or of everybody: ends what began before it. */
  readonly user: number | null
}
