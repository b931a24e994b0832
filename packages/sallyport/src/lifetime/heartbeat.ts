import { deny, PASS } from '../policy/verdict.ts'
import type { LifetimeControl } from './lifetime-control.ts'

/**
 * At which a frame comes at the least that a pong has to wait for, in bytes a second: what Apache's mod_reqtimeout asks of
 * a body by default, and less than any line brings that a person would use.
 */
const LEAST_RATE = 500

/**
 * Pings, and cuts a peer that does not answer (RFC 6455 §5.5.2; OWASP 24). Only a pong counts: a half-dead peer may still
 * send. While we do not read from it no pong can be seen: it is pinged again, so that a socket that is gone shows.
 *
 * No pong can come in the middle of a frame (§5.4). Behind one that is under way it is waited for while bytes come at
 * {@link LEAST_RATE}, in each time-out anew, and for no longer than the greatest message takes at that rate.
 */
export const heartbeat: LifetimeControl = {
  id: 'lifetime/heartbeat',
  compile(policy) {
    const section = policy.lifetime.heartbeat
    if (section === null) return null
    const { intervalMs, timeoutMs } = section
    const leastBytes = (LEAST_RATE * timeoutMs) / 1000
    const longestMs = timeoutMs + Math.ceil((policy.message.size.bytes * 1000) / LEAST_RATE)
    const lost = deny('SALLY_HEARTBEAT_LOST', `no pong within ${timeoutMs} ms`)
    const slow = deny(
      'SALLY_HEARTBEAT_LOST',
      `no pong behind a frame that came below ${LEAST_RATE} bytes a second, or for more than ${longestMs} ms`,
    )
    return {
      due({ pongAwaited, pingedAt, frameLookAt }) {
        if (!pongAwaited) return pingedAt + intervalMs
        return frameLookAt === 0 ? pingedAt + timeoutMs : frameLookAt
      },
      look(connection, now) {
        if (connection.pongAwaited && connection.reading) {
          const { bytesRead, frameLookAt, pingedAt } = connection
          if (frameLookAt === 0 && !connection.midFrame) return lost
          const isQuick = frameLookAt === 0 || bytesRead - connection.frameBytes >= leastBytes
          if (!isQuick || now - pingedAt >= longestMs) return slow
          connection.frameLookAt = Math.min(now + timeoutMs, pingedAt + longestMs)
          connection.frameBytes = bytesRead
          return PASS
        }
        connection.pingedAt = now
        connection.pongAwaited = true
        connection.frameLookAt = 0
        connection.ping()
        return PASS
      },
    }
  },
}
