import type { Runtime } from 'sallyport/internal'
import type { BackendSocket } from '../upstream/backend-socket.ts'
import type { Pair } from './pair.ts'

/** Pings the backends of a route's pairs. */
export interface Heartbeat {
  stop(): void
}

/** The pings of one interval are spread over this many ticks. */
const TICKS = 16

/** Pings every backend once an interval; one that has not answered the last ping by then is lost (RFC 6455 §5.5.2). */
export function createHeartbeat(pairs: ReadonlySet<Pair>, intervalMs: number, runtime: Runtime): Heartbeat {
  const slots = new WeakMap<Pair, number>()
  let given = 0
  let tick = 0
  const timer = runtime.setInterval(() => {
    tick = (tick + 1) % TICKS
    for (const pair of pairs) {
      let slot = slots.get(pair)
      if (slot === undefined) {
        slot = (tick + 1 + (given++ % TICKS)) % TICKS
        slots.set(pair, slot)
      } else if (slot === tick) beat(pair, runtime)
    }
  }, intervalMs / TICKS)
  timer.unref()
  return { stop: () => runtime.clearInterval(timer) }
}

/** Time for the first look at what the kernel holds, in ms. */
const FIRST_LOOK_MS = 1000
/** A few pings are no more than this. */
const NEXT_TO_NOTHING_BYTES = 512

function beat(pair: Pair, runtime: Runtime): void {
  const { backend } = pair
  // While it is not read no pong could be seen.
  if (backend === null || backend.isPaused) return
  if (!pair.pongAwaited) {
    pair.pongAwaited = true
    backend.ping()
  } else if (backend.kernelQueue === null) pair.lost(NO_PONG)
  else runtime.setTimeout(judgeLate, FIRST_LOOK_MS, pair, backend).unref()
}

const NO_PONG = 'the backend answered no ping'

/** A pong is late. It may be behind what the backend has not read yet: then that becomes less, interval by interval. */
function judgeLate(pair: Pair, backend: BackendSocket): void {
  if (pair.backend !== backend || !pair.pongAwaited || backend.isPaused) return
  const { kernelQueue: queue } = backend
  const waiting = (queue?.bytes ?? 0) + backend.bufferedAmount
  const isReading = queue !== null && waiting > NEXT_TO_NOTHING_BYTES && queue.changes !== pair.queueChanges
  if (isReading) pair.queueChanges = queue.changes
  else pair.lost(NO_PONG)
}
