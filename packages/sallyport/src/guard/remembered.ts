import type { Policy } from '../policy/types.ts'
import { REMEMBER_MS } from '../controls/lifetime/session.ts'
import type { Session } from '../model/session.ts'
import type { RevocationTarget } from '../model/store.ts'

/**
 * Shortest time that a revocation is remembered, in ms. It is longer than the life of a ticket and the time of a
 * handshake.
 */
const LEAST_MS = 10 * 60_000
/** Added to each expiry, in ms. Clocks differ, and verifiers of tokens tolerate a difference. */
const CLOCKS_MS = 5 * 60_000
/** Greatest expiry that is believed, in ms from now: ten years. */
const LONGEST_MS = 3650 * 24 * 3_600_000
/** Shortest time between two searches of a full map for expired entries, in ms. */
const SWEEP_EVERY_MS = 60_000
/** Most sessions with a known late expiry. The same bound holds for users. */
const MOST_KNOWN = 10_000

/** Decides how long a revocation must be remembered, so that the revoked right cannot return. */
export interface Remembered {
  /**
   * Notes the expiry of a session that was just found. Returns true the first time that this session is known to live
   * longer than revocations are remembered.
   */
  note(session: Session): boolean
  /**
   * How long to remember a revocation, in ms. `given` is the expiry that the caller knows. `seen` is the latest expiry
   * among the open connections that it applies to. Both are in ms since the epoch.
   */
  ttlMs(target: RevocationTarget, given: number | null, seen: number): number
}

/**
 * Keeps the latest expiries of sessions that outlive `lifetime.session.remember`. When its maps are full, the latest
 * expiry that found no room counts for every session.
 */
export function createRemembered(policy: Policy, now: () => number): Remembered {
  const rememberMs = policy.lifetime.session?.rememberMs ?? REMEMBER_MS
  const leastMs = Math.max(LEAST_MS, (policy.handshake.ticket?.ttlMs ?? 0) + CLOCKS_MS)
  const sessions = new Map<string, number>()
  const users = new Map<string, number>()
  /**
   * Expiries of the sessions that were looked up lately, in order of the look-up. A caller cannot shorten the memory by
   * a smaller expiry.
   */
  const recent = new Map<string, number>()
  const recentUsers = new Map<string, number>()
  /** The latest expiry of all sessions, and the latest one that the maps had no room for. */
  let latest = 0
  let others = 0
  let sweptAt = 0

  const keep = (map: Map<string, number>, key: string, expiresAt: number, at: number): boolean => {
    const before = map.get(key)
    if (before !== undefined) {
      if (before < expiresAt) map.set(key, expiresAt)
      return false
    }
    if (map.size >= MOST_KNOWN && Math.abs(at - sweptAt) >= SWEEP_EVERY_MS) {
      sweptAt = at
      for (const known of [sessions, users]) {
        for (const [one, until] of known) if (until <= at) known.delete(one)
      }
    }
    if (map.size < MOST_KNOWN) map.set(key, expiresAt)
    else others = Math.max(others, expiresAt)
    return true
  }

  const recentOf = (target: RevocationTarget): number => {
    if (target === 'all') return 0
    return ('session' in target ? recent.get(target.session) : recentUsers.get(target.user)) ?? 0
  }

  const knownOf = (target: RevocationTarget): number => {
    if (target === 'all') return latest
    const known = 'session' in target ? sessions.get(target.session) : users.get(target.user)
    return Math.max(known ?? 0, others)
  }

  return {
    note({ id, user, expiresAt, issuedAt }) {
      const at = now()
      // Without an expiry only the age of the session is known. It may live for the same time again.
      if (expiresAt === undefined) {
        return issuedAt !== undefined && at - issuedAt > rememberMs && keep(sessions, id, at + rememberMs, at)
      }
      refresh(recent, id, expiresAt)
      refresh(recentUsers, user, expiresAt)
      if (expiresAt - at <= rememberMs) return false
      const until = Math.min(expiresAt, at + LONGEST_MS)
      latest = Math.max(latest, until)
      keep(users, user, until, at)
      return keep(sessions, id, until, at)
    },
    ttlMs(target, given, seen) {
      const at = now()
      const known = Math.max(knownOf(target), Math.min(seen, at + LONGEST_MS))
      const until =
        given === null
          ? // A known expiry can move: a session may slide, and a token may be renewed under the same id.
            Math.max(known, at + rememberMs)
          : Math.max(known, Math.min(Math.max(given, recentOf(target)), at + LONGEST_MS))
      return Math.max(leastMs, Math.ceil(until - at) + CLOCKS_MS)
    },
  }
}

/** Moves a key to the end of a bounded map. Drops the oldest key beyond the bound. */
function refresh(map: Map<string, number>, key: string, expiresAt: number): void {
  const latestOfKey = Math.max(map.get(key) ?? 0, expiresAt)
  map.delete(key)
  map.set(key, latestOfKey)
  if (map.size > MOST_KNOWN) map.delete(map.keys().next().value!)
}
