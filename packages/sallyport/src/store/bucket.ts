import type { Budget, Taken } from '../model/store.ts'

/**
 * A budget in use (GCRA). What the algorithm calls the theoretical arrival time is kept as the debt in units at an
 * instant: whole costs stay exact that way, where times in fractions of a ms would not.
 */
export interface Bucket {
  /** Units taken and not yet refilled at `at`. */
  debt: number
  /** Ms since the epoch. */
  at: number
}

const TAKEN: Taken = Object.freeze({ ok: true, retryAfterMs: 0 })
/** The sum of many refills has rounding errors. They must not make the last unit unavailable. */
const ROUNDING = 1e-9

/** Takes `cost` from the bucket, or leaves it as it is. A cost or budget that is no number is refused. */
export function takeFrom(bucket: Bucket, cost: number, budget: Budget, now: number): Taken {
  // A clock that was set back refills nothing, and holds nothing back afterwards.
  const elapsed = Math.max(0, now - bucket.at)
  const debt = Math.max(0, bucket.debt - (elapsed * budget.amount) / budget.perMs)
  if (cost >= 0 && debt + cost <= budget.burst + ROUNDING) {
    bucket.debt = debt + cost
    bucket.at = now
    return TAKEN
  }
  if (now < bucket.at) bucket.at = now
  const wait = ((debt + cost - budget.burst) * budget.perMs) / budget.amount
  return { ok: false, retryAfterMs: wait > 0 && wait < Infinity ? Math.ceil(wait) : budget.perMs }
}

/** When the bucket is as good as new, in ms since the epoch: forgetting it then changes nothing. */
export function refilledAt(bucket: Bucket, budget: Budget): number {
  return bucket.at + Math.ceil((bucket.debt * budget.perMs) / budget.amount)
}
