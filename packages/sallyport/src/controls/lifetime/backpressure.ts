import { PASS } from '../../model/verdict.ts'
import { duration, size } from '../../shape/kinds.ts'
import { type InputOf, key, openSection } from '../../shape/shape.ts'
import { durationInWords, sizeInWords } from '../../shape/words.ts'
import { defineControl, denying, on } from '../definition.ts'
import type { LifetimeOf } from './lifetime-control.ts'
import type { LifetimeCheck, TimedConnection } from './timed-connection.ts'

/** `lifetime.backpressure` of a policy, after it was read. */
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

/** How often a slow reader is looked at, in ms. */
const LOOK_MS = 250

/** At this many times the bound a peer is cut at once: what it makes us hold must not grow for the whole patience. */
export const HARD_FACTOR = 4

/** A peer that takes so many bytes a second reads: a line of 32 kbit/s, the slowest that a page is used on. */
export const READING_RATE = 4096

/**
 * How long a peer that reads may seem not to, in ms: once its buffer is full it opens its window again when most of that is
 * read. Measured on Linux: steps of up to 280 KiB, which take 19 s at 15 KB/s.
 */
export const STEP_MS = 30_000

/** How long to wait for such a step, where the bound on waiting is `forMs`. */
export function stepOf(forMs: number): number {
  return Math.max(forMs, Math.min(3 * forMs, STEP_MS))
}

/**
 * A peer that does not read (OWASP 25). From the bound on it is not read from either, so that it cannot ask for more. It is
 * closed when it has not caught up in time, and took less than {@link READING_RATE} meanwhile; where the kernel still holds
 * something for it, what it took shows in steps, and it has {@link stepOf} the time.
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
        // What the kernel took of ours, but for what hides behind bytes that were queued since.
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
