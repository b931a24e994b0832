import { excessMs, spent } from '../../controls/message/gcra.ts'
import { deny, PASS, type Verdict } from '../../model/verdict.ts'
import type { Timers } from '../../model/runtime.ts'
import type { Budget } from '../../model/store.ts'

/** Requests from the address that holds the session. A poll ends with each message of the server, so honest pages send many. */
const HOME: Budget = { amount: 3000, perMs: 60_000, burst: 100 }
/** Requests from all other addresses together: a phone that changes networks needs one to move the session. */
const AWAY: Budget = { amount: 60, perMs: 60_000, burst: 20 }
/** Requests of one session that may wait or be looked up at once. An honest page has a poll, a post and an upgrade. */
const MOST_AT_ONCE = 8

/** All sessions of one user together. */
const USER: Budget = { amount: 12_000, perMs: 60_000, burst: 400 }
/** The most users whose budgets are kept; a budget that is full again is forgotten. */
const MOST_USERS = 10_000

/** Theoretical arrival times by user. */
export class UserPaces {
  readonly #tats = new Map<string, number>()

  /** Takes one request, and answers how long it has to wait, in ms; a request that would wait longer than `longestMs` takes nothing. */
  take(user: string, now: number, longestMs: number): number {
    const tat = this.#tats.get(user) ?? 0
    const wait = excessMs(tat, now, 1, USER)
    if (wait > longestMs) return wait
    if (tat === 0 && this.#tats.size >= MOST_USERS) this.#forget(now)
    this.#tats.set(user, spent(tat, now, 1, USER))
    return wait
  }

  #forget(now: number): void {
    for (const [user, tat] of this.#tats) if (tat <= now) this.#tats.delete(user)
  }
}

/** Limits how often the session of one Socket.IO connection is looked up. Requests over the budget wait their turn. */
export class Pace {
  #home: string
  #homeTat = 0
  #awayTat = 0
  #running = 0
  readonly #users: UserPaces
  readonly #timers: Timers

  /** `home` is the address that opened the connection. */
  constructor(home: string, users: UserPaces, timers: Timers) {
    this.#home = home
    this.#users = users
    this.#timers = timers
  }

  /**
   * Takes one request from the budgets of its address and of the user. The promise resolves when the request may go on.
   * Denies what would wait longer than `longestMs`, and too many requests at once.
   */
  take(address: string, user: string, now: number, longestMs: number): Verdict | Promise<Verdict> {
    const isHome = address === this.#home
    const budget = isHome ? HOME : AWAY
    const tat = isHome ? this.#homeTat : this.#awayTat
    const own = excessMs(tat, now, 1, budget)
    if (this.#running > MOST_AT_ONCE) {
      return deny('SALLY_HANDSHAKE_RATE', { reason: 'at-once', most: MOST_AT_ONCE }, 1)
    }
    // A stranger who knows the id must not spend what all sessions of the user live on.
    const wait = own > longestMs || !isHome ? own : Math.max(own, this.#users.take(user, now, longestMs))
    if (wait > longestMs) {
      return deny('SALLY_HANDSHAKE_RATE', { reason: 'requests' }, Math.ceil(wait / 1000))
    }
    const next = spent(tat, now, 1, budget)
    if (isHome) this.#homeTat = next
    else this.#awayTat = next
    if (wait === 0) return PASS
    return new Promise(resolve => this.#timers.setTimeout(() => resolve(PASS), wait))
  }

  /** One more request is judged. Call `leave` when it is done. */
  enter(): void {
    this.#running++
  }

  leave(): void {
    this.#running--
  }

  /** The session proved itself from this address: it is its home from now on. */
  moved(address: string): void {
    this.#home = address
  }
}
