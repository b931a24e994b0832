import type { Attempt } from '../model/attempt.ts'
import type { Session } from '../model/session.ts'
import type { RevocationTarget } from '../model/store.ts'

/** A revocation. `at` is its time, for news that arrive late. It is null for news that arrive at once. */
export interface Revoked {
  readonly target: RevocationTarget
  /** In ms since the epoch. */
  readonly at: number | null
}

/**
 * Late news also apply to handshakes that began up to this many ms after the revocation. The clocks of two nodes
 * differ, and a look-up may have read an older state.
 */
export const LATE_MARGIN_MS = 5000

/** Most news kept for the handshakes under way. A handshake that would need older news is refused. */
const MOST_NEWS = 10_000

/** The handshakes under way, and the revocations that each may have missed. */
export interface Entering {
  begin(attempt: Attempt, now: number): void
  /** When it began, in ms since the epoch. 0 for an attempt that is not under way. */
  beganAt(attempt: Attempt): number
  leave(attempt: Attempt): void
  /** Notes a revocation for every handshake under way. */
  note(revoked: Revoked): void
  /** Whether a revocation since the start of the handshake applies to its session. */
  isRevoked(attempt: Attempt): boolean
  readonly size: number
}

/** Keeps the handshakes of one guard. All of them share one list of news. */
export function createEntering(): Entering {
  const began = new Map<Attempt, { readonly at: number; readonly from: number }>()
  let news: Revoked[] = []
  /** Number of dropped news. It is also the index of the first one kept. */
  let first = 0

  const trim = (): void => {
    const oldest = began.values().next()
    const needed = oldest.done === true ? first + news.length : oldest.value.from
    const surplus = Math.max(needed - first, news.length - MOST_NEWS)
    if (surplus <= 0) return
    news = news.slice(surplus)
    first += surplus
  }

  return {
    begin: (attempt, now) => void began.set(attempt, { at: now, from: first + news.length }),
    beganAt: attempt => began.get(attempt)?.at ?? 0,
    leave(attempt) {
      began.delete(attempt)
      if (news.length > 0) trim()
    },
    note(revoked) {
      if (began.size === 0) return
      news.push(revoked)
      if (news.length > MOST_NEWS) trim()
    },
    isRevoked(attempt) {
      const entry = began.get(attempt)
      const { session } = attempt
      if (entry === undefined || session === null) return false
      if (entry.from < first) return true
      for (let index = entry.from - first; index < news.length; index++) {
        const revoked = news[index]!
        if (isOlder(revoked, entry.at) && isMeant(revoked, session)) return true
      }
      return false
    },
    get size() {
      return began.size
    },
  }
}

/**
 * Whether a handshake or connection that began at `since` is older than the revocation. The end of a session is final,
 * so late news of it always apply.
 */
export function isOlder({ target, at }: Revoked, since: number): boolean {
  return at === null || isOfSession(target) || since <= at + LATE_MARGIN_MS
}

/**
 * Whether a revocation applies to this session. Late news about a user spare a session that began after the revocation.
 */
export function isMeant({ target, at }: Revoked, { id, user, issuedAt }: Session): boolean {
  if (target !== 'all' && 'session' in target) return target.session === id
  if (target !== 'all' && target.user !== user) return false
  return at === null || issuedAt === undefined || issuedAt <= at
}

function isOfSession(target: RevocationTarget): boolean {
  return target !== 'all' && 'session' in target
}
