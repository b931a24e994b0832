import { deny, PASS } from '../policy/verdict.ts'
import type { LifetimeControl } from './lifetime-control.ts'

/** How often a slow reader is looked at, in ms. */
const LOOK_MS = 250

/** At this many times the bound a peer is cut at once: what it makes us hold must not grow for the whole patience. */
export const HARD_FACTOR = 4

/**
 * A peer that does not read (OWASP 25). From the bound on it is not read from either, so that it cannot ask for more;
 * if it has not caught up in time it is closed.
 */
export const backpressure: LifetimeControl = {
  id: 'lifetime/backpressure',
  compile(policy) {
    const { bytes, forMs } = policy.lifetime.backpressure
    const slow = deny('SALLY_BACKPRESSURE', `more than ${bytes} bytes wait for the peer since ${forMs} ms`)
    return {
      due: ({ slowSince, slowLookAt }) => (slowSince === 0 ? Infinity : slowLookAt),
      look(connection, now) {
        if (connection.bufferedAmount <= bytes) {
          connection.slowSince = 0
          connection.caughtUp()
          return PASS
        }
        if (now - connection.slowSince >= forMs) return slow
        connection.slowLookAt = Math.min(now + LOOK_MS, connection.slowSince + forMs)
        return PASS
      },
    }
  },
}
