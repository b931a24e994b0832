import type { Awaitable } from '../model/verdict.ts'

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

/** What strangers of one address may ask: places to wait in, ms to wait, look-ups at once. */
export const STRANGERS: {
  readonly places: number
  readonly waitMs: number
  readonly atOnce: number
} = Object.freeze({ places: 256, waitMs: 5000, atOnce: 16 })

/** Failed look-ups that strangers of one address may make in a second. */
export const STRANGERS_PER_SECOND = 100

/** The refusal of one that could not be asked in time. */
export function refusalOf(fault: 'full' | 'late', random: () => number): LookupRefused {
  // Spread over twice the time in which a full address empties.
  const half = (STRANGERS.places / STRANGERS_PER_SECOND) * 500
  return new LookupRefused(fault, half + random() * 2 * half)
}
