/** What tells the time. */
export interface Clock {
  /** Ms since the epoch. It may be set back. */
  now(): number
  /** Ms of a clock that only goes forward. */
  monotonic(): number
}

/** A timer that was set. */
export interface Timer {
  /** The process may end before the timer does. */
  unref(): Timer
}

/** What calls later. The functions behave as Node's of the same names do. */
export interface Timers {
  setTimeout<A extends readonly unknown[]>(run: (...args: A) => void, ms: number, ...args: A): Timer
  clearTimeout(timer: Timer | null | undefined): void
  setInterval(run: () => void, ms: number): Timer
  clearInterval(timer: Timer | null | undefined): void
  /** Calls once this turn of the loop has read its sockets. */
  setImmediate<A extends readonly unknown[]>(run: (...args: A) => void, ...args: A): void
}

/** Where random numbers come from. Secrets and ids are made of the bytes, so nobody may be able to guess them. */
export interface Randomness {
  /** At least 0, less than 1; it spreads load and makes no secret. */
  random(): number
  randomBytes(size: number): Buffer
  /** Fills `size` bytes from `start`. */
  randomFill(bytes: Uint8Array, start: number, size: number): void
}

/**
 * Time, timers and randomness of one process. The modules below the ways in have them from here alone, so that a
 * simulation can run the same modules with a virtual clock and a seed. The functions need no `this`.
 */
export interface Runtime extends Clock, Timers, Randomness {}
