import type { Policy } from '../../model/policy.ts'
import type { ControlId } from '../../model/verdict.ts'

/** Counts the handlers of one connection that run. It refuses nothing: a connection that is full stops reading. */
export interface Concurrency {
  /** Handlers that run now. */
  readonly running: number
  /** A handler starts. True when the bound is reached: pause the socket. */
  enter(): boolean
  /** A handler ended. True when the bound had been reached and is no longer: resume the socket. */
  leave(): boolean
}

/** The bound on handlers of one connection that run at once. */
export const concurrency: {
  readonly id: ControlId
  /** The most handlers at once. */
  compile(policy: Policy): number
} = {
  id: 'message/concurrency',
  compile: policy => policy.message.concurrency.handlers,
}

/** A count for one connection. What was read before the pause may go over the limit; it is counted all the same. */
export function createConcurrency(limit: number): Concurrency {
  let running = 0
  return {
    get running() {
      return running
    },
    enter() {
      running++
      return running >= limit
    },
    leave() {
      if (running === 0) return false
      running--
      return running === limit - 1
    },
  }
}
