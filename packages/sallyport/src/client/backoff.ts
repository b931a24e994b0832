/** Waits between attempts, in ms. */
export interface BackoffOptions {
  /** Bound of the first wait; it doubles with each attempt. Default 500. */
  readonly min?: number
  /** Greatest bound. Default 30 000. In the first two minutes of an outage the bound is 5 000 at most. */
  readonly max?: number
}

/** Chooses how long to wait. */
export interface Backoff {
  /** Ms until the next attempt: anywhere between `floor` and `floor` plus the bound, which then doubles. */
  next(floor: number): number
  reset(): void
}

/** Greatest bound at first, in ms: whoever waits for a deploy is back within seconds of it … */
const SOON_MS = 5000
/** … and for how long on average, in ms: an outage that lasts is asked about less and less. */
const SOON_FOR_MS = 120_000

/** Exponential back-off with full jitter: clients that were cut together do not come back together. */
export function createBackoff({ min = 500, max = 30_000 }: BackoffOptions = {}): Backoff {
  let bound = Math.min(min, max)
  let spent = 0
  return {
    next(floor) {
      const wait = floor + Math.random() * bound
      spent += bound / 2
      bound = Math.min(max, bound * 2, spent < SOON_FOR_MS ? Math.max(min, SOON_MS) : max)
      return wait
    },
    reset() {
      bound = Math.min(min, max)
      spent = 0
    },
  }
}
