/** The source of the time. */
export interface Clock {
  /** Ms since the epoch. This clock may be set back. */
  now(): number
  /** Ms of a clock that never goes back. */
  monotonic(): number
}

/** A running timer. */
export interface Timer {
  /** Lets the process end before the timer fires. */
  unref(): Timer
}

/** The source of timers. The functions behave like Node's functions of the same names. */
export interface Timers {
  setTimeout<A extends readonly unknown[]>(run: (...args: A) => void, ms: number, ...args: A): Timer
  clearTimeout(timer: Timer | null | undefined): void
  setInterval(run: () => void, ms: number): Timer
  clearInterval(timer: Timer | null | undefined): void
  /** Calls `run` after this turn of the event loop has read its sockets. */
  setImmediate<A extends readonly unknown[]>(run: (...args: A) => void, ...args: A): void
}

/**
 * The source of random numbers. Secrets and ids are made from the random bytes, so nobody may be able to guess them.
 */
export interface Randomness {
  /** At least 0, less than 1. It spreads load. It must not be used for secrets. */
  random(): number
  randomBytes(size: number): Buffer
  /** Fills `size` bytes from index `start`. */
  randomFill(bytes: Uint8Array, start: number, size: number): void
}

/**
 * Time, timers and randomness of one process. The modules below the ways in use only these, so that a simulation can
 * run the same modules with a virtual clock and a seed. The functions need no `this`.
 */
export interface Runtime extends Clock, Timers, Randomness {}
