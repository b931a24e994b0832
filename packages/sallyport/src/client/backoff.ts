/** Waits between attempts, in ms. */
export interface BackoffOptions {
  /** Bound of the first wait; it doubles with each attempt. Default 500. */
  readonly min?: number
  /** Greatest bound. Default 30 000. */
  readonly max?: number
}

/** Chooses how long to wait. */
export interface Backoff {
  /** Ms until the next attempt: anywhere between `floor` and `floor` plus the bound, which then doubles. */
  next(floor: number): number
  reset(): void
}

/** Exponential back-off with full jitter: clients that were cut together do not come back together. */
export function createBackoff({ min = 500, max = 30_000 }: BackoffOptions = {}): Backoff {
  let bound = min
  return {
    next(floor) {
      const wait = floor + Math.random() * Math.min(max, bound)
      bound = Math.min(max, bound * 2)
      return wait
    },
    reset() {
      bound = min
    },
  }
}
