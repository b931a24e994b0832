import { PASS } from '../../model/verdict.ts'
import { duration, OFF } from '../../shape/kinds.ts'
import { type InputOf, key, openSection } from '../../shape/shape.ts'
import { show } from '../../shape/shown.ts'
import { durationInWords } from '../../shape/words.ts'
import { defineControl, denying, off, on } from '../definition.ts'
import type { LifetimeOf } from './lifetime-control.ts'
import { READING_RATE, STEP_MS } from './backpressure.ts'
import type { LifetimeCheck, TimedConnection } from './timed-connection.ts'

/** `lifetime.heartbeat` of a parsed policy. */
export interface HeartbeatSection {
  readonly intervalMs: number
  readonly timeoutMs: number
}

const INTERVAL_MS = 30_000
const TIMEOUT_MS = 10_000

const KEYS = {
  interval: key(duration(), INTERVAL_MS, 'Between pings.', {
    because: 'below the 60 s after which proxies and NATs drop a silent connection',
  }),
  timeout: key(duration(), TIMEOUT_MS, 'For the pong; no longer than `interval`.'),
  dangerouslyOff: OFF,
}
export type HeartbeatInput = InputOf<typeof KEYS>

const DENIALS = {
  SALLY_HEARTBEAT_LOST: {
    action: 'terminate',
    close: 1006,
    level: 'info',
    event: 'session_expired',
    requirements: ['S9', 'WS-24', 'WS-29'],
    means: 'a ping was not answered within the bound',
    remedy: 'Raise `lifetime.heartbeat.timeout` for slow networks.',
    tells: {
      silent: 'no pong within {timeoutMs} ms',
      slow: 'no pong behind a frame that came below {leastRate} bytes a second, or for more than {longestMs} ms',
    },
  },
} as const
const deny = denying(DENIALS)

/**
 * Minimum transfer rate (bytes/s) of a frame that delays a pong. Apache's mod_reqtimeout requires the same of a body by
 * default. Every line that a person would use is faster.
 */
const LEAST_RATE = 500

/**
 * Sends pings and cuts a peer that does not answer (RFC 6455 §5.5.2; OWASP 24). Only a pong counts, because a half-dead
 * peer may still send messages. While the socket is not read, no pong can be seen. The peer is then pinged again, so
 * that a dead socket is noticed.
 *
 * A pong cannot arrive in the middle of a frame (§5.4). If a frame is under way, the wait goes on while its bytes
 * arrive at {@link LEAST_RATE}, measured again in each time-out. It ends after the time that the greatest message takes
 * at that rate.
 *
 * A pong cannot arrive before the peer has read what was sent before the ping. If the kernel still holds some of that,
 * the wait goes on while the peer's machine takes it. {@link READING_RATE} bounds that wait.
 */
export const heartbeat = defineControl({
  id: 'lifetime/heartbeat',
  denies: 'no pong comes within the bound',
  default: `${durationInWords(INTERVAL_MS)} / ${durationInWords(TIMEOUT_MS)}`,
  meets: ['WS-4'],
  keys: KEYS,
  example: "heartbeat: { interval: '30 seconds' }",
  denials: DENIALS,
  read(lifetime): HeartbeatSection | null {
    const section = openSection(lifetime, { id: 'lifetime/heartbeat', keys: KEYS })
    const isOff = section.isWeakened('dangerouslyOff')
    const intervalMs = section.value('interval')
    const timeoutMs = section.value('timeout', Math.min(TIMEOUT_MS, intervalMs))
    if (timeoutMs > intervalMs) {
      section.refuse(
        'timeout',
        show(section.said('timeout')),
        `longer than the interval (${intervalMs} ms): the next ping would hide the lost one`,
        'write no more than lifetime.heartbeat.interval',
      )
    }
    return isOff ? null : Object.freeze({ intervalMs, timeoutMs })
  },
  effective: section =>
    section === null
      ? off('dead peers stay')
      : on(`ping every ${durationInWords(section.intervalMs)}, answer within ${durationInWords(section.timeoutMs)}`),
  compile(
    policy: LifetimeOf<{ heartbeat: HeartbeatSection | null }> & {
      readonly message: { readonly size: { readonly bytes: number } }
    },
  ): LifetimeCheck | null {
    const section = policy.lifetime.heartbeat
    if (section === null) return null
    const { intervalMs, timeoutMs } = section
    const leastBytes = (LEAST_RATE * timeoutMs) / 1000
    const longestMs = timeoutMs + Math.ceil((policy.message.size.bytes * 1000) / LEAST_RATE)
    const lost = deny('SALLY_HEARTBEAT_LOST', { reason: 'silent', timeoutMs })
    const slow = deny('SALLY_HEARTBEAT_LOST', { reason: 'slow', leastRate: LEAST_RATE, longestMs })
    return {
      due({ pongAwaited, pingedAt, frameLookAt, pongLookAt }) {
        if (!pongAwaited) return pingedAt + intervalMs
        if (pongLookAt !== 0) return pongLookAt
        return frameLookAt === 0 ? pingedAt + timeoutMs : frameLookAt
      },
      look(connection, now) {
        if (connection.pongAwaited && connection.reading) {
          const { bytesRead, frameLookAt, pingedAt } = connection
          if (frameLookAt === 0 && !connection.midFrame) return isStillReading(connection, now, timeoutMs) ? PASS : lost
          const isQuick = frameLookAt === 0 || bytesRead - connection.frameBytes >= leastBytes
          if (!isQuick || now - pingedAt >= longestMs) return slow
          connection.frameLookAt = Math.min(now + timeoutMs, pingedAt + longestMs)
          connection.frameBytes = bytesRead
          return PASS
        }
        connection.pingedAt = now
        connection.pongAwaited = true
        connection.frameLookAt = 0
        connection.pongLookAt = 0
        connection.pongUntil = 0
        connection.pongChanges = 0
        connection.ping()
        return PASS
      },
    }
  },
})

/** Time until the first look at what the kernel holds, in ms. */
const FIRST_LOOK_MS = 1000
/** A few pings and a close frame over TLS take no more bytes than this. Then nothing waits before the ping. */
const NEXT_TO_NOTHING_BYTES = 512

/** Whether a late pong may be waiting behind data that was sent before its ping. Sets the time of the next check. */
function isStillReading(connection: TimedConnection, now: number, timeoutMs: number): boolean {
  const stepMs = Math.max(timeoutMs, STEP_MS)
  const queue = connection.isBehindMessages ? connection.kernelQueue() : null
  if (queue === null) return false
  if (queue.bytes === null) {
    if (connection.pongLookAt !== 0) return false
    connection.pongLookAt = now + FIRST_LOOK_MS
    return true
  }
  const waiting = queue.bytes + connection.bufferedAmount
  if (waiting <= NEXT_TO_NOTHING_BYTES) {
    // The peer's machine has received everything. What the peer has not read yet fits into its own buffer.
    if (connection.pongUntil === 0 || now >= connection.pongUntil) return false
    connection.pongUntil = Math.min(connection.pongUntil, now + timeoutMs)
  } else if (connection.pongUntil === 0) {
    connection.pongUntil = now + stepMs + Math.ceil((waiting * 1000) / READING_RATE)
  } else if (queue.changes === connection.pongChanges || now >= connection.pongUntil) return false
  connection.pongChanges = queue.changes
  connection.pongLookAt = Math.min(now + stepMs, connection.pongUntil)
  return true
}
