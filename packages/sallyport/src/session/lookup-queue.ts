import type { Awaitable } from '../model/verdict.ts'
import { isThenable } from '../model/thenable.ts'
import type { Clock, Randomness, Timer, Timers } from '../model/runtime.ts'
import { networkKeys } from '../store/address-key.ts'
import { createLookupLine, type Limits, type LookupLine, type Waiting } from './lookup-line.ts'

/** One look-up of a session that somebody asks for. */
export interface Question<T> {
  /** The client's address; look-ups are shared out fairly among addresses (IPv6: /64 in /56 in /48). */
  readonly ip: string
  /**
   * `known`: an attempt that is proven. It has slots of its own, no rate, and waits as long as it takes. `open`: a re-check
   * of an open connection. The same, but after a reload there are thousands of them, and who is known does not wait behind them.
   * `stranger`: everything else, within the bounds of {@link STRANGERS}.
   */
  readonly standing: 'known' | 'open' | 'stranger'
  /** Questions of one standing with the same key at the same time are one look-up. Null is never shared. */
  readonly key: string | null
  readonly look: () => Awaitable<T>
  /** Whether the answer is "nobody": a failed look-up of a stranger costs three times as much. */
  readonly failed: (answer: T) => boolean
  /** Asked when its turn comes: a look-up that nobody waits for any more is skipped (`abandoned`). */
  readonly wanted?: () => boolean
}

/** Why a look-up was not made, or has no answer. */
export type LookupFault =
  /** No place is free, or the place was given to somebody else at random. */
  | 'full'
  /** It waited for its turn for too long. */
  | 'late'
  /** The look-up itself takes too long. Its slot is free again. */
  | 'timeout'
  /** `wanted` answered false. */
  | 'abandoned'

/** What {@link LookupQueue.ask} rejects with besides what `look` throws. */
export class LookupRefused extends Error {
  override readonly name: string = 'LookupRefused'
  readonly fault: LookupFault
  /** When it is worth asking again, in ms. */
  readonly retryAfterMs: number

  constructor(fault: LookupFault, retryAfterMs: number) {
    super(`the session look-up is ${fault}`)
    this.fault = fault
    this.retryAfterMs = retryAfterMs
  }
}

/** Options of {@link createLookupQueue}. */
export interface LookupQueueOptions {
  /** Longest look-up, in ms: then it is refused (`timeout`) and its slot given to the next. */
  readonly lookMs: number
  /**
   * Failed look-ups of strangers of one address, where more are allowed than {@link STRANGERS} says: so many at once, then
   * so many a second.
   */
  readonly perAddress?: { readonly perSecond: number; readonly burst: number }
  /** Look-ups of strangers in all: so many at once, then so many a second. Beyond it they wait. Default: no bound. */
  readonly strangers?: { readonly perSecond: number; readonly burst: number }
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

/** Look-ups at once, in all. */
export const MOST_AT_ONCE = 64
/** Slots that only the known and the open may use, and only strangers: neither can starve the other. */
const KNOWN_ONLY = 16
const STRANGERS_ONLY = 8
/**
 * The same between the known, who come first, and the open: slots that only one of them may use. Few are kept from re-checks:
 * after a reload thousands of them must be answered within the grace.
 */
const HANDSHAKES_ONLY = 4
const OPEN_ONLY = 8

/** Units of the rate: a look-up takes one, and two more once it has failed. */
const FAILED_UNITS = 3
const PER_SECOND = 100

/** What strangers of one address may ask: places to wait in, ms to wait, look-ups at once. */
export const STRANGERS: {
  readonly places: number
  readonly waitMs: number
  readonly atOnce: number
} = Object.freeze({ places: 256, waitMs: 5000, atOnce: 16 })

/** By size of the network: an address (IPv6: /64), its /56, its /48. */
function limitsOfStrangers({ perSecond, burst }: { readonly perSecond: number; readonly burst: number }): Limits[] {
  return [1, 2, 4].map(factor => ({
    places: STRANGERS.places * factor,
    atOnce: STRANGERS.atOnce * (1 + factor) * 0.5,
    perSecond: Math.max(PER_SECOND, perSecond) * FAILED_UNITS * factor,
    burst: Math.max(PER_SECOND, burst) * factor,
  }))
}
const OF_KNOWN: readonly Limits[] = [{ places: Infinity, atOnce: Infinity, perSecond: Infinity, burst: Infinity }]
const MOST_STRANGERS = 16_384
const MOST_KNOWN = 131_072

interface Shared {
  answer: Promise<unknown> | null
  followers: number
}

interface Lane {
  readonly line: LookupLine
  readonly failedUnits: number
  readonly shared: Map<string, Shared>
}

/**
 * A bounded, fair queue for session look-ups. At most {@link MOST_AT_ONCE} run at once. Known users come first, and
 * strangers never hold all slots. Within a standing, addresses take turns. Within an address the first that came is next;
 * where three quarters of its places are taken a stranger is chosen at random, so that a flood from the same address cannot
 * push a burst of honest people to the end. Where an address has no place left, the newcomer takes the place of one that is
 * chosen at random.
 */
export function createLookupQueue(options: LookupQueueOptions): LookupQueue {
  const { lookMs, runtime } = options
  const { monotonic: now, random } = runtime
  const { perAddress = { perSecond: 0, burst: 0 } } = options
  const overall = options.strangers ?? { perSecond: Infinity, burst: Infinity }
  let timer: Timer | undefined
  let timerAt = Infinity
  /** One that answers at once for some may still need time for others. */
  let answersAtOnce = false
  let takesTime = false
  /** Running look-ups in the order in which they began. */
  const begun = new Set<{ readonly end: number; readonly late: () => void }>()

  const lane = (most: number, atOnce: number, levels: readonly Limits[], isKnown: boolean): Lane => ({
    failedUnits: isKnown ? 1 : FAILED_UNITS,
    shared: new Map(),
    line: createLookupLine({
      root: {
        places: most,
        atOnce,
        perSecond: isKnown ? Infinity : overall.perSecond * FAILED_UNITS,
        burst: isKnown ? Infinity : overall.burst * FAILED_UNITS,
      },
      levels,
      waitMs: isKnown ? Infinity : STRANGERS.waitMs,
      atRandom: !isKnown,
      random,
    }),
  })
  const mostKnown = MOST_AT_ONCE - STRANGERS_ONLY
  const known = lane(MOST_KNOWN, mostKnown - OPEN_ONLY, OF_KNOWN, true)
  const open = lane(MOST_KNOWN, mostKnown - HANDSHAKES_ONLY, OF_KNOWN, true)
  const strangers = lane(MOST_STRANGERS, MOST_AT_ONCE - KNOWN_ONLY, limitsOfStrangers(perAddress), false)
  const lanes = { known, open, stranger: strangers }
  const runningKnown = (): number => known.line.running + open.line.running
  const running = (): number => runningKnown() + strangers.line.running
  /** Whether a slot is free for somebody of this lane. */
  const hasSlot = (of: Lane): boolean => running() < MOST_AT_ONCE && (of === strangers || runningKnown() < mostKnown)

  const refusal = (fault: LookupFault): LookupRefused => {
    // Spread over twice the time in which a full address empties.
    const half = (STRANGERS.places / PER_SECOND) * 500
    return new LookupRefused(fault, half + random() * 2 * half)
  }

  /** Begins look-ups while there are slots and somebody whose turn it is. */
  const pump = (): void => {
    const at = now()
    while (running() < MOST_AT_ONCE) {
      const [first, second] = open.line.running < OPEN_ONLY ? [open, known] : [known, open]
      const next = (hasSlot(known) ? (first.line.next(at) ?? second.line.next(at)) : null) ?? strangers.line.next(at)
      if (next === null) break
      next.begin()
    }
    wakeLater()
  }

  const wake = (): void => {
    timer = undefined
    timerAt = Infinity
    const at = now()
    for (const look of begun) {
      if (look.end > at) break
      look.late()
    }
    for (const waiting of strangers.line.overdue(at)) waiting.refuse(refusal('late'))
    for (const { line } of [known, open, strangers]) line.wake(at)
    pump()
  }

  const wakeLater = (): void => {
    const [first] = begun
    const at = Math.min(first?.end ?? Infinity, strangers.line.dueAt(), known.line.dueAt(), open.line.dueAt())
    if (at >= timerAt || at === Infinity) return
    runtime.clearTimeout(timer)
    timerAt = at
    timer = runtime.setTimeout(wake, Math.max(1, Math.ceil(at - now())))
    timer.unref()
  }

  /** Runs one look-up in a slot that was taken for it. */
  const run = <T>({ line, failedUnits }: Lane, question: Question<T>, networks: readonly string[]): Awaitable<T> => {
    const finish = (units: number): void => line.finish(networks, units, now())
    let answer: Awaitable<T>
    try {
      answer = question.look()
    } catch (error) {
      finish(0)
      throw error
    }
    if (!isThenable(answer)) {
      answersAtOnce = true
      finish(question.failed(answer) ? failedUnits - 1 : 0)
      return answer
    }
    takesTime = true
    return new Promise<T>((resolve, reject) => {
      const look = {
        end: now() + lookMs,
        late: () => {
          done(0)
          reject(new LookupRefused('timeout', lookMs))
        },
      }
      const done = (units: number): void => {
        if (begun.delete(look)) finish(units)
      }
      begun.add(look)
      wakeLater()
      Promise.resolve(answer).then(
        found => {
          done(question.failed(found) ? failedUnits - 1 : 0)
          resolve(found)
          pump()
        },
        (error: unknown) => {
          done(0)
          reject(error)
          pump()
        },
      )
    })
  }

  const wait = <T>(of: Lane, question: Question<T>, networks: readonly string[], shared: Shared | null): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      const waiting: Waiting = {
        since: now(),
        networks,
        begin() {
          if ((shared === null || shared.followers === 0) && question.wanted?.() === false) {
            of.line.finish(networks, -1, now())
            reject(new LookupRefused('abandoned', 0))
            return
          }
          try {
            resolve(run(of, question, networks))
          } catch (error) {
            reject(error)
          }
        },
        refuse: reject,
      }
      const refused = of.line.add(waiting)
      refused?.refuse(refusal('full'))
      if (refused !== waiting) pump()
    })

  const askAlone = <T>(of: Lane, question: Question<T>, shared: Shared | null): Awaitable<T> => {
    const isKnown = of !== strangers
    const networks = isKnown && of.line.waiting === 0 ? NOBODY : isKnown ? [question.ip] : networkKeys(question.ip)
    if (hasSlot(of) && of.line.takeAtOnce(networks, now())) return run(of, question, networks)
    return wait(of, question, isKnown ? [question.ip] : networks, shared)
  }

  return {
    ask<T>(question: Question<T>): Awaitable<T> {
      const of = lanes[question.standing]
      const { key } = question
      if (key === null) return askAlone(of, question, null)
      const same = of.shared.get(key)
      if (same !== undefined) {
        if (++same.followers <= STRANGERS.places) return same.answer as Promise<T>
        throw refusal('full')
      }
      const shared: Shared = { answer: null, followers: 0 }
      const answer = askAlone(of, question, shared)
      if (answer instanceof Promise) {
        shared.answer = answer
        of.shared.set(key, shared)
        const forget = (): void => {
          if (of.shared.get(key) === shared) of.shared.delete(key)
        }
        answer.then(forget, forget)
      }
      return answer
    },
    renew() {
      for (const { shared } of [known, open, strangers]) shared.clear()
    },
    get sharing() {
      return takesTime || !answersAtOnce
    },
    get running() {
      return running()
    },
    get waiting() {
      return known.line.waiting + open.line.waiting + strangers.line.waiting
    },
  }
}

/** The known need no count by address until somebody waits. */
const NOBODY: readonly string[] = []
