import { PASS } from '../../model/verdict.ts'
import { duration, size } from '../../shape/kinds.ts'
import { type InputOf, key, openSection } from '../../shape/shape.ts'
import { durationInWords, sizeInWords } from '../../shape/words.ts'
import { defineControl, denying, on } from '../definition.ts'
import type { LifetimeOf } from './lifetime-control.ts'
import type { LifetimeCheck, TimedConnection } from './timed-connection.ts'

/** `lifetime.backpressure` of a parsed policy. */
export interface BackpressureSection {
  readonly bytes: number
  readonly forMs: number
}

const BYTES = 1024 * 1024
const FOR_MS = 10_000

const KEYS = {
  bytes: key(size, BYTES, 'Bytes queued for one peer.', {
    because: 'sixteen of the largest messages, queued for a peer that does not read',
  }),
  for: key(duration(), FOR_MS, 'How long the queue may stay above it.', {
    because: 'a train is about so long in a tunnel',
  }),
}
export type BackpressureInput = InputOf<typeof KEYS>

const DENIALS = {
  SALLY_BACKPRESSURE: {
    action: 'close',
    close: 1013,
    level: 'warn',
    event: 'excess_rate_limit_exceeded',
    requirements: ['S9', 'WS-25'],
    means: 'the peer does not read what is sent to it',
    remedy: 'Raise `lifetime.backpressure`, or send less.',
    tells: {
      slow: 'more than {bytes} bytes wait for the peer since {forMs} ms',
      full: 'more than {bytes} bytes wait for the peer',
      relay: '{detail}',
    },
  },
} as const
const deny = denying(DENIALS)

/** Interval, in ms, of the checks on a slow reader. */
const LOOK_MS = 250

/**
 * At this multiple of the bound a peer is cut at once. Otherwise the queue would grow during the whole waiting time.
 */
export const HARD_FACTOR = 4

/**
 * A peer that takes this many bytes a second counts as reading. It is a line of 32 kbit/s, the slowest one in use for
 * pages.
 */
export const READING_RATE = 4096

/**
 * How long a reading peer may take nothing, in ms. When its buffer was full, it opens its window again after most of
 * the buffer was read. Measured on Linux: steps of up to 280 KiB, which take 19 s at 15 KB/s.
 */
export const STEP_MS = 30_000

/** The time to wait for such a step. `forMs` is the time that the policy allows. */
export function stepOf(forMs: number): number {
  return Math.max(forMs, Math.min(3 * forMs, STEP_MS))
}

/**
 * A peer that does not read (OWASP 25). Above the bound the server also stops reading from it, so that it cannot
 * request more. It is closed if it has not caught up in time and took less than {@link READING_RATE} meanwhile. If the
 * kernel still holds bytes for it, it takes them in steps. Then it has the time of {@link stepOf}.
 */
export const backpressure = defineControl({
  id: 'lifetime/backpressure',
  denies: 'the peer does not read: queued bytes exceed the bound',
  default: `${sizeInWords(BYTES)}, ${durationInWords(FOR_MS)}`,
  keys: KEYS,
  example: "backpressure: { bytes: '1 MiB', for: '10 seconds' }",
  denials: DENIALS,
  read(lifetime): BackpressureSection {
    const section = openSection(lifetime, { id: 'lifetime/backpressure', keys: KEYS })
    return Object.freeze({ bytes: section.value('bytes'), forMs: section.value('for') })
  },
  effective: ({ bytes, forMs }) => on(`${sizeInWords(bytes)} for ${durationInWords(forMs)}`),
  compile(policy: LifetimeOf<{ backpressure: BackpressureSection }>): LifetimeCheck {
    const { bytes, forMs } = policy.lifetime.backpressure
    const stepMs = stepOf(forMs)
    const slow = deny('SALLY_BACKPRESSURE', { reason: 'slow', bytes, forMs })
    return {
      due: ({ slowSince, slowLookAt }) => (slowSince === 0 ? Infinity : slowLookAt),
      look(connection, now) {
        const { bufferedAmount, slowSince } = connection
        if (bufferedAmount <= bytes) {
          connection.slowSince = 0
          connection.slowUntil = 0
          connection.slowTaken = 0
          connection.slowBuffered = 0
          connection.caughtUp()
          return PASS
        }
        if (connection.slowLookAt === slowSince) begin(connection, slowSince + forMs)
        // Subtracts what the kernel took from our own queue. Bytes that were queued since then can hide a part of it.
        connection.slowTaken -= Math.max(0, connection.slowBuffered - bufferedAmount)
        connection.slowBuffered = bufferedAmount
        if (now >= connection.slowUntil) {
          const queue = connection.kernelQueue()
          const taken = (queue?.taken ?? 0) - connection.slowTaken
          const stepEndsAt = slowSince + stepMs
          if (taken >= (READING_RATE * (now - slowSince)) / 1000) {
            connection.slowSince = now
            begin(connection, now + forMs)
          } else if ((queue?.bytes ?? 0) > 0 && now < stepEndsAt) connection.slowUntil = stepEndsAt
          else return slow
        }
        connection.slowLookAt = Math.min(now + LOOK_MS, connection.slowUntil)
        return PASS
      },
    }
  },
})

function begin(connection: TimedConnection, until: number): void {
  connection.slowUntil = until
  connection.slowTaken = connection.kernelQueue()?.taken ?? 0
  connection.slowBuffered = connection.bufferedAmount
}
