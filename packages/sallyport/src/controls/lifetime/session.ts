import { deny as denyAny, PASS } from '../../model/verdict.ts'
import { duration, OFF as OFF_KEY } from '../../shape/kinds.ts'
import { type InputOf, key, openSection } from '../../shape/shape.ts'
import { durationInWords } from '../../shape/words.ts'
import { defineControl, denying, off, on } from '../definition.ts'
import type { LifetimeOf } from './lifetime-control.ts'
import type { LifetimeCheck, TimedConnection } from './timed-connection.ts'

/** `lifetime.session` of a parsed policy. */
export interface SessionChecksSection {
  readonly recheckMs: number
  readonly graceMs: number
  readonly rememberMs: number
}

const RECHECK_MS = 60_000
const GRACE_MS = 120_000
/** Default time that a revocation is remembered, in ms. */
export const REMEMBER_MS: number = 30 * 24 * 3_600_000
/** Greatest assumed life of a session, in ms: ten years. */
const LONGEST_REMEMBERED_MS = 3650 * 24 * 3_600_000

const KEYS = {
  recheck: key(duration(), RECHECK_MS, 'Between look-ups of a live connection’s session.', {
    because:
      'OWASP WS-11 asks for 30 minutes; one look-up a minute and connection costs little and ends a lapsed right sooner',
  }),
  grace: key(
    duration(0),
    GRACE_MS,
    'How long a connection lives on without an answer, counted from the last yes. Longer by default where `recheck` is: twice as long.',
    { because: "two re-checks, counted from the last yes: a store's restart disconnects nobody, its loss does" },
  ),
  remember: key(
    duration(1, LONGEST_REMEMBERED_MS),
    REMEMBER_MS,
    'How long a revocation is remembered whose sessions have no known later expiry: as long as a session can live.',
    {
      because:
        '"remember me" lasts 30 days in most frameworks; a revoked session must not come back before its token has ended',
    },
  ),
  dangerouslyOff: OFF_KEY,
}
export type SessionChecksInput = InputOf<typeof KEYS>

const DENIALS = {
  SALLY_LIFETIME_EXPIRED: {
    action: 'close',
    close: 4401,
    level: 'info',
    event: 'session_expired',
    requirements: ['WS-10', 'ASVS-7.4.1'],
    means: 'the session behind the connection expired',
    remedy: 'The user must sign in again.',
    tells: 'the session is past its expiry',
  },
  SALLY_LIFETIME_REVOKED: {
    action: 'close',
    close: 4401,
    level: 'info',
    event: 'session_logout',
    requirements: ['WS-12', 'ASVS-7.4.1', 'ASVS-7.4.2', 'ASVS-7.4.5'],
    means: 'the session behind the connection was revoked',
    remedy: 'Nothing: it was asked for by `guard.revoke`.',
    tells: 'guard.revoke was called',
  },
  SALLY_LIFETIME_INVALID: {
    action: 'close',
    close: 4401,
    level: 'info',
    event: 'session_expired',
    requirements: ['WS-10', 'WS-11', 'ASVS-8.3.2'],
    means: 'the session behind the connection no longer holds',
    remedy: 'The user must sign in again.',
    tells: '{found}',
  },
  SALLY_LIFETIME_UNAVAILABLE: {
    action: 'close',
    close: 1013,
    level: 'error',
    event: 'sys_crash',
    requirements: ['ASVS-16.5.3'],
    means: 'the session could not be checked again for longer than the bound',
    remedy: 'Repair the session store; `lifetime.session.grace` is how long a connection lives without it.',
    tells: 'nobody could tell for {graceMs} ms whether it may stay',
  },
} as const
const deny = denying(DENIALS)

/** Number of further look-ups within the grace after a failed one. */
const RETRIES = 8
const LEAST_RETRY_MS = 50
/** Longest wait, in ms, for a first look-up that is still under way when the grace has ended. */
const FIRST_ANSWER_MS = 5000
/** The closes at the end of the grace are spread over this part of it. */
const SPREAD = 0.1

const lost = denyAny('SALLY_STORE_UNAVAILABLE', { reason: 'grace' })

/** Average time in ms from a failed look-up to the next one. */
export function retryMs({
  lifetime: { session: section },
}: LifetimeOf<{ session: SessionChecksSection | null }>): number {
  if (section === null) return RECHECK_MS
  return Math.min(section.recheckMs, Math.max(LEAST_RETRY_MS, section.graceMs / RETRIES))
}

/**
 * Ends a connection together with its session: exactly at `expiresAt`, and by looking the session up again while the
 * connection is open (OWASP 10, 11). If look-ups fail, the connection stays open for `graceMs`, counted from the last
 * successful check, and then closes. A connection under a new policy is checked by its handshake door in the same way.
 * Revocation does not wait for a look-up: it closes at once.
 */
export const session = defineControl({
  id: 'lifetime/session',
  denies: 'the session expired, was revoked, or fails re-validation',
  default: `exp exactly; re-check ${durationInWords(RECHECK_MS)}; revoke < 1 s; grace ${durationInWords(GRACE_MS)}`,
  meets: ['ASVS-7.1.1', 'ASVS-7.2.4', 'ASVS-7.4.1', 'WS-31', 'S4'],
  keys: KEYS,
  example: "session: { recheck: '1 minute' }",
  denials: DENIALS,
  read(lifetime): SessionChecksSection | null {
    const section = openSection(lifetime, { id: 'lifetime/session', keys: KEYS })
    const isOff = section.isWeakened('dangerouslyOff')
    const recheckMs = section.value('recheck')
    // A grace shorter than the time between two look-ups would end before the first failure.
    const graceMs = section.value('grace', Math.max(GRACE_MS, 2 * recheckMs))
    const rememberMs = section.value('remember')
    return isOff ? null : Object.freeze({ recheckMs, graceMs, rememberMs })
  },
  effective: section =>
    section === null
      ? off('a connection outlives its session')
      : on(
          `expiry exactly, re-check ${durationInWords(section.recheckMs)}, grace ${durationInWords(section.graceMs)}, revocations remembered ${durationInWords(section.rememberMs)}`,
        ),
  compile(
    policy: LifetimeOf<{ session: SessionChecksSection | null }> & { readonly timeoutMs: number },
  ): LifetimeCheck {
    const section = policy.lifetime.session
    if (section === null) return OFF
    const { recheckMs, graceMs } = section
    const expired = deny('SALLY_LIFETIME_EXPIRED')
    const unknown = deny('SALLY_LIFETIME_UNAVAILABLE', { graceMs })
    const enough = graceMs === 0 ? 1 : 2
    const firstMs = Math.min(policy.timeoutMs, FIRST_ANSWER_MS)
    const patienceOf = ({ checkedAt, uncheckedSince, failures, spread }: TimedConnection): number => {
      if (uncheckedSince === 0) return Infinity
      const end = checkedAt + graceMs * (1 + SPREAD * spread)
      // One failed look-up ends nothing. A look-up that is still under way ends nothing either.
      return failures >= enough ? end : Math.max(end, uncheckedSince + firstMs)
    }
    return {
      due(connection) {
        const { session: held, checking, checkedAt, uncheckedSince } = connection
        const next = uncheckedSince === 0 ? (checking ? Infinity : checkedAt + recheckMs) : retryOf(connection)
        return Math.min(held.expiresAt ?? Infinity, patienceOf(connection), lostOf(connection), next)
      },
      look(connection, now) {
        const { session: held } = connection
        if (held.expiresAt !== undefined && held.expiresAt <= now) return expired
        if (lostOf(connection) <= now) return lost
        if (patienceOf(connection) <= now) return unknown
        connection.recheck()
        return PASS
      },
    }
  },
})

/** The policy lets connections outlive their session. The door of a new policy is still asked until it decides. */
const OFF: LifetimeCheck = {
  due: connection => Math.min(lostOf(connection), retryOf(connection)),
  look(connection, now) {
    if (lostOf(connection) <= now) return lost
    connection.recheck()
    return PASS
  },
}

function lostOf({ lostAt }: TimedConnection): number {
  return lostAt === 0 ? Infinity : lostAt
}

/** When a connection in doubt is checked again. `Infinity` if it is not in doubt, or if a check is under way. */
function retryOf({ checking, uncheckedSince, retryAt }: TimedConnection): number {
  return checking || uncheckedSince === 0 ? Infinity : retryAt
}
