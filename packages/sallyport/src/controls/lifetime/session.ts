import type { Policy } from '../../model/policy.ts'
import { DEFAULTS } from '../../model/defaults.ts'
import { deny, PASS } from '../../model/verdict.ts'
import type { TimedConnection, LifetimeCheck } from './timed-connection.ts'
import type { LifetimeControl } from './lifetime-control.ts'

/** After a failure the session is looked up again this many times within the grace. */
const RETRIES = 8
const LEAST_RETRY_MS = 50
/** A first look-up may be waited for beyond a grace that is over, for no longer than this. */
const FIRST_ANSWER_MS = 5000
/** When the grace is over, the closes are spread over this part of it. */
const SPREAD = 0.1

const lost = deny('SALLY_STORE_UNAVAILABLE', 'the store was away for longer than connections live without it')

/** How long after a look-up that failed the next one is made, in ms, on average. */
export function retryMs({ lifetime: { session: section } }: Policy): number {
  if (section === null) return DEFAULTS.recheckMs
  return Math.min(section.recheckMs, Math.max(LEAST_RETRY_MS, section.graceMs / RETRIES))
}

/**
 * Ends a connection with its session: at `expiresAt` exactly, and by looking the session up again while it lives
 * (OWASP 10, 11). Where look-ups fail it lives on for `graceMs`, counted from the last yes, and closes then. A connection
 * that came under a new policy is asked for by its handshake door in the same way. Revocation does not wait for this: it
 * closes at once.
 */
export const session: LifetimeControl = {
  id: 'lifetime/session',
  compile(policy) {
    const section = policy.lifetime.session
    if (section === null) return OFF
    const { recheckMs, graceMs } = section
    const expired = deny('SALLY_LIFETIME_EXPIRED', 'the session is past its expiry')
    const unknown = deny('SALLY_LIFETIME_UNAVAILABLE', `nobody could tell for ${graceMs} ms whether it may stay`)
    const enough = graceMs === 0 ? 1 : 2
    const firstMs = Math.min(policy.timeoutMs, FIRST_ANSWER_MS)
    const patienceOf = ({ checkedAt, uncheckedSince, failures, spread }: TimedConnection): number => {
      if (uncheckedSince === 0) return Infinity
      const end = checkedAt + graceMs * (1 + SPREAD * spread)
      // One failed look-up ends nothing, and neither does one that is still under way.
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
}

/** The policy lets connections outlive their session. The door of a new policy is asked all the same, until it answers. */
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

/** When a connection that is in doubt is asked for again; `Infinity` for one that is not, or is being asked for. */
function retryOf({ checking, uncheckedSince, retryAt }: TimedConnection): number {
  return checking || uncheckedSince === 0 ? Infinity : retryAt
}
