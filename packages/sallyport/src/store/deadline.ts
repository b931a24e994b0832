import type { Timers } from '../model/runtime.ts'

/** Something that waits; it is told once when its time is over, unless it is done by then. */
export interface Waiter {
  done: boolean
  late(): void
  /** Most of its time is over, and it is the first that waits of those who asked in its turn. */
  soonLate(): void
}

/** One deadline for any number of waiters. */
export interface Deadline {
  add(waiter: Waiter): void
}

/**
 * Time that this process's own loop was busy does not count as a delay of the other side: the clock starts once the turn that
 * asked is over and the question is on its way, and sockets are read once more before anybody is told that it is late.
 * Two timers serve all of a turn: at `soonMs` and at `ms`.
 */
export function createDeadline(ms: number, soonMs: number, timers: Timers): Deadline {
  let turn: Waiter[] | null = null

  const soonOver = (waiters: readonly Waiter[]): void => {
    waiters.find(waiter => !waiter.done)?.soonLate()
  }
  const over = (waiters: readonly Waiter[]): void => {
    for (const waiter of waiters) if (!waiter.done) waiter.late()
  }

  return {
    add(waiter) {
      if (turn !== null) {
        turn.push(waiter)
        return
      }
      const waiters = [waiter]
      turn = waiters
      timers.setImmediate(() => {
        turn = null
        timers.setTimeout(() => timers.setImmediate(soonOver, waiters), soonMs)
        timers.setTimeout(() => timers.setImmediate(over, waiters), ms)
      })
    },
  }
}
