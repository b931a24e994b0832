import { deny, PASS } from '../policy/verdict.ts'
import type { LifetimeControl } from './lifetime-control.ts'

/**
 * Ends a connection with its session: at `expiresAt` exactly, and by looking the session up again while it lives
 * (OWASP 10, 11). A look-up that gets no answer is borne for `graceMs`, then the connection closes too.
 * Revocation does not wait for this: it closes at once.
 */
export const session: LifetimeControl = {
  id: 'lifetime/session',
  compile(policy) {
    const section = policy.lifetime.session
    if (section === null) return null
    const expired = deny('SALLY_LIFETIME_EXPIRED', 'the session is past its expiry')
    const unknown = deny('SALLY_LIFETIME_UNAVAILABLE', `the session could not be looked up for ${section.graceMs} ms`)
    return {
      due({ session: held, checking, checkedAt, uncheckedSince }) {
        const expiry = held.expiresAt ?? Infinity
        const patience = uncheckedSince === 0 ? Infinity : uncheckedSince + section.graceMs
        return Math.min(expiry, patience, checking ? Infinity : checkedAt + section.recheckMs)
      },
      look(connection, now) {
        const { session: held, uncheckedSince } = connection
        if (held.expiresAt !== undefined && held.expiresAt <= now) return expired
        if (uncheckedSince !== 0 && uncheckedSince + section.graceMs <= now) return unknown
        connection.recheck()
        return PASS
      },
    }
  },
}
