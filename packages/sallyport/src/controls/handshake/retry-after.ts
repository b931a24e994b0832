import type { Clock, Randomness } from '../../model/runtime.ts'
import type { Budget, Taken } from '../../model/store.ts'

/** Most addresses and users whose next promised time is remembered. */
const MOST_PROMISES = 10_000

/** Decides when a refused client may return. */
export interface RetryAfter {
  /** Seconds to wait for a client that was refused `cost` of the budget at `key`. */
  of(key: string, taken: Taken, budget: Budget, cost?: number): number
}

/**
 * A `Retry-After` that also holds for many clients. Of the clients that one budget refuses at the same time, each is
 * promised its own free place. Promises reach as far as the time in which the budget refills twice. Later ones are
 * spread over the second half of that time.
 */
export function createRetryAfter({ now, random }: Pick<Clock, 'now'> & Pick<Randomness, 'random'>): RetryAfter {
  const promised = new Map<string, number>()
  return {
    of(key, { retryAfterMs }, { amount, perMs }, cost = 1) {
      const at = now()
      const step = (perMs / amount) * cost
      const horizon = Math.max(2 * perMs, retryAfterMs)
      const next = Math.max(at + retryAfterMs, (promised.get(key) ?? 0) + step)
      const isNear = next <= at + horizon
      if (isNear) {
        promised.delete(key)
        if (promised.size >= MOST_PROMISES) promised.delete(promised.keys().next().value!)
        promised.set(key, next)
      }
      const wait = isNear ? next - at + random() * step : horizon * (0.5 + 0.5 * random())
      return Math.max(1, Math.ceil(wait / 1000))
    },
  }
}
