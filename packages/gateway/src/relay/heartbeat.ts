import type { Pair } from './pair.ts'

/** Pings the backends of a route's pairs. */
export interface Heartbeat {
  stop(): void
}

/** The pings of one interval are spread over this many ticks. */
const TICKS = 16

/** Pings every backend once an interval; one that has not answered the last ping by then is lost (RFC 6455 §5.5.2). */
export function createHeartbeat(pairs: ReadonlySet<Pair>, intervalMs: number): Heartbeat {
  const slots = new WeakMap<Pair, number>()
  let given = 0
  let tick = 0
  const timer = setInterval(() => {
    tick = (tick + 1) % TICKS
    for (const pair of pairs) {
      let slot = slots.get(pair)
      if (slot === undefined) {
        slot = (tick + 1 + (given++ % TICKS)) % TICKS
        slots.set(pair, slot)
      } else if (slot === tick) beat(pair)
    }
  }, intervalMs / TICKS)
  timer.unref()
  return { stop: () => clearInterval(timer) }
}

function beat(pair: Pair): void {
  const { backend } = pair
  // While it is not read no pong could be seen.
  if (backend === null || backend.isPaused) return
  if (pair.pongAwaited) pair.lost('the backend answered no ping')
  else {
    pair.pongAwaited = true
    backend.ping()
  }
}
