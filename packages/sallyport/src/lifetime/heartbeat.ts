import { deny, PASS } from '../policy/verdict.ts'
import type { LifetimeControl } from './lifetime-control.ts'

/**
 * Pings, and cuts a peer that does not answer (RFC 6455 §5.5.2; OWASP 24). Only a pong counts: a half-dead peer may still
 * send. While we do not read from it no pong can be seen: it is pinged again, so that a socket that is gone shows.
 */
export const heartbeat: LifetimeControl = {
  id: 'lifetime/heartbeat',
  compile(policy) {
    const section = policy.lifetime.heartbeat
    if (section === null) return null
    const lost = deny('SALLY_HEARTBEAT_LOST', `no pong within ${section.timeoutMs} ms`)
    return {
      due: connection => connection.pingedAt + (connection.pongAwaited ? section.timeoutMs : section.intervalMs),
      look(connection, now) {
        if (connection.pongAwaited && connection.reading) return lost
        connection.pingedAt = now
        connection.pongAwaited = true
        connection.ping()
        return PASS
      },
    }
  },
}
