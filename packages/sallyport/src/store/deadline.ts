/** Something that waits; it is told once when its time is over, unless it is done by then. */
export interface Waiter {
  done: boolean
  late(): void
}

/** One deadline for any number of waiters. */
export interface Deadline {
  add(waiter: Waiter): void
}

/**
 * Time that this process's own loop was busy is not counted against whom it waits for: the clock starts once the turn that
 * asked is over and the question is on its way, and sockets are read once more before anybody is told that it is late.
 * One timer serves all of a turn.
 */
export function createDeadline(ms: number): Deadline {
  let turn: Waiter[] | null = null

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
      setImmediate(() => {
        turn = null
        setTimeout(() => setImmediate(() => over(waiters)), ms)
      })
    },
  }
}
