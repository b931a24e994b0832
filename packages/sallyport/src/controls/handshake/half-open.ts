import { deny, PASS } from '../../model/verdict.ts'
import { addressKey } from '../../store/address-key.ts'
import type { Attempt } from '../../model/attempt.ts'
import type { SessionResolver } from '../../model/session.ts'
import type { ControlContext, HalfOpen } from '../context.ts'
import type { ConnectionsSection } from './connections.ts'
import type { HandshakeCheck, HandshakeOf } from './handshake-control.ts'

/** Exact counts. Each attempt leaves once what it entered. */
export function createHalfOpen(): HalfOpen {
  const counts = new Map<string, number>()
  const entered = new Map<Attempt, string>()
  return {
    enter(attempt, key, cap) {
      const count = counts.get(key) ?? 0
      if (count >= cap) return false
      counts.set(key, count + 1)
      entered.set(attempt, key)
      return true
    },
    leave(attempt) {
      const key = entered.get(attempt)
      if (key === undefined) return
      entered.delete(attempt)
      const left = counts.get(key)! - 1
      if (left > 0) counts.set(key, left)
      else counts.delete(key)
    },
    get size() {
      return entered.size
    },
  }
}

/**
 * The first step of `handshake/connections`: counts the half-open attempts of one address, before the session is looked
 * up. Attempts without a known credential have their own cap, so that they cannot take the slots of known users.
 */
export const halfOpen = {
  id: 'handshake/connections',
  compile(
    policy: HandshakeOf<{ connections: ConnectionsSection | null; session: SessionResolver | null }>,
    parts: ControlContext,
  ): HandshakeCheck | null {
    const section = policy.handshake.connections
    if (section === null || policy.handshake.session === null) return null
    const { perIp, strangersPerIp } = section
    return attempt => {
      const isKnown = attempt.standing === 'ticket' || attempt.standing === 'proven'
      const cap = isKnown ? perIp : Math.min(perIp, strangersPerIp)
      if (parts.halfOpen.enter(attempt, `${isKnown ? 'k' : 's'}${addressKey(attempt.request.ip)}`, cap)) return PASS
      return deny('SALLY_CONNECTIONS_IP', { reason: 'half-open', cap }, 1 + parts.runtime.random() * 3)
    }
  },
} as const
