import type { Clock, Randomness } from '../../model/runtime.ts'
import type { Budget, Taken } from '../../model/store.ts'

/** Addresses and users whose next promise is remembered. */
const MOST_PROMISES = 10_000

/** Says when to come back. */
export interface RetryAfter {
  /** Seconds, for somebody who was refused `cost` of the budget at `key`. */
  of(key: string, taken: Taken, budget: Budget, cost?: number): number
}

/**
 * `Retry-After` that is honest for a crowd: of those who are refused by one budget at one time each is promised the next
 * free place, not all of them the same one. Promises reach as far as the budget needs to refill twice; beyond that they
 * are spread over the second half of that time.
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
