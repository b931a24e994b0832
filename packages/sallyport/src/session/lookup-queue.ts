import type { Clock, Randomness, Timers } from '../model/runtime.ts'
import type { Awaitable } from '../model/verdict.ts'
import { networkKeys } from '../store/address-key.ts'
import type { Waiting } from './lookup-networks.ts'
import { LookupRefused, type Question, refusalOf, STRANGERS } from './lookup-question.ts'
import { beginNext, type QueueState, runLookup } from './lookup-turns.ts'
import {
  createStandingLines,
  hasSlot,
  type LookupRate,
  runningIn,
  type Shared,
  type StandingLine,
} from './standing-lines.ts'

/** Options of {@link createLookupQueue}. */
export interface LookupQueueOptions {
  /** Longest look-up, in ms: then it is refused (`timeout`) and its slot given to the next. */
  readonly lookMs: number
  /**
   * Failed look-ups of strangers of one address, where more are allowed than {@link STRANGERS} says: so many at once, then
   * so many a second.
   */
  readonly perAddress?: LookupRate
  /** Look-ups of strangers in all: so many at once, then so many a second. Beyond it they wait. Default: no bound. */
  readonly strangers?: LookupRate
  readonly runtime: Pick<Clock, 'monotonic'> & Pick<Randomness, 'random'> & Timers
}

/** Bounds the session look-ups of one guard, fairly. */
export interface LookupQueue {
  /**
   * Makes the look-up now or when its turn comes. Throws or rejects with what `look` does, or with
   * {@link LookupRefused}. Synchronous where no slot must be waited for and `look` is.
   */
  ask<T>(question: Question<T>): Awaitable<T>
  /** Something was revoked: who asks from now on does not share a look-up that began before. */
  renew(): void
  /** Look-ups that run, and questions that wait. */
  readonly running: number
  readonly waiting: number
  /** Whether look-ups can be shared: false while they answer at once, and a key need not be made. */
  readonly sharing: boolean
}

/** The known need no count by address until somebody waits. */
const NOBODY: readonly string[] = []

/** Waits for its turn, and then asks. */
function waitForTurn<T>(
  queue: QueueState,
  of: StandingLine,
  question: Question<T>,
  networks: readonly string[],
  shared: Shared | null,
): Promise<T> {
  const { monotonic, random } = queue.runtime
  return new Promise<T>((resolve, reject) => {
    const waiting: Waiting = {
      since: monotonic(),
      networks,
      begin() {
        if ((shared === null || shared.followers === 0) && question.wanted?.() === false) {
          of.line.finish(networks, -1, monotonic())
          reject(new LookupRefused('abandoned', 0))
          return
        }
        try {
          resolve(runLookup(queue, of, question, networks))
        } catch (error) {
          reject(error)
        }
      },
      refuse: reject,
    }
    const refused = of.line.add(waiting)
    refused?.refuse(refusalOf('full', random))
    if (refused !== waiting) beginNext(queue)
  })
}

function askAlone<T>(queue: QueueState, of: StandingLine, question: Question<T>, shared: Shared | null): Awaitable<T> {
  const { lines, runtime } = queue
  const isKnown = of !== lines.stranger
  const networks = isKnown && of.line.waiting === 0 ? NOBODY : isKnown ? [question.ip] : networkKeys(question.ip)
  if (hasSlot(lines, of) && of.line.takeAtOnce(networks, runtime.monotonic())) {
    return runLookup(queue, of, question, networks)
  }
  return waitForTurn(queue, of, question, isKnown ? [question.ip] : networks, shared)
}

/** Asks, or waits for the answer to the same question. */
function ask<T>(queue: QueueState, question: Question<T>): Awaitable<T> {
  const of = queue.lines[question.standing]
  const { key } = question
  if (key === null) return askAlone(queue, of, question, null)
  const same = of.shared.get(key)
  if (same !== undefined) {
    if (++same.followers <= STRANGERS.places) return same.answer as Promise<T>
    throw refusalOf('full', queue.runtime.random)
  }
  const shared: Shared = { answer: null, followers: 0 }
  const answer = askAlone(queue, of, question, shared)
  if (answer instanceof Promise) {
    shared.answer = answer
    of.shared.set(key, shared)
    const forget = (): void => {
      if (of.shared.get(key) === shared) of.shared.delete(key)
    }
    answer.then(forget, forget)
  }
  return answer
}

/**
 * A bounded, fair queue for session look-ups. At most 64 run at once. Known users come first, and
 * strangers never hold all slots. Within a standing, addresses take turns. Within an address the first that came is next;
 * where three quarters of its places are taken a stranger is chosen at random, so that a flood from the same address cannot
 * push a burst of honest people to the end. Where an address has no place left, the newcomer takes the place of one that is
 * chosen at random.
 */
export function createLookupQueue({ lookMs, runtime, ...rates }: LookupQueueOptions): LookupQueue {
  const { perAddress = { perSecond: 0, burst: 0 }, strangers = { perSecond: Infinity, burst: Infinity } } = rates
  const lines = createStandingLines(perAddress, strangers, runtime.random)
  const queue: QueueState = {
    lines,
    lookMs,
    runtime,
    begun: new Set(),
    timer: undefined,
    timerAt: Infinity,
    answersAtOnce: false,
    takesTime: false,
  }
  return {
    ask: question => ask(queue, question),
    renew() {
      for (const { shared } of Object.values(lines)) shared.clear()
    },
    get sharing() {
      return queue.takesTime || !queue.answersAtOnce
    },
    get running() {
      return runningIn(lines)
    },
    get waiting() {
      return lines.known.line.waiting + lines.open.line.waiting + lines.stranger.line.waiting
    },
  }
}
