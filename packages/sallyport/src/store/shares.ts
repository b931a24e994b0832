import { type Bucket, refilledAt, takeFrom } from './bucket.ts'
import { createExpiryQueue, type Expiring } from './expiry.ts'
import type { Clock, Timer, Timers } from '../model/runtime.ts'
import type { Awaitable } from '../model/verdict.ts'
import type { Budget, Taken } from '../model/store.ts'

/** What a share asks of the shared budget: `owed` was spent already, `wanted` would be spent here. */
export interface ShareAsk {
  readonly key: string
  readonly budget: Budget
  readonly owed: number
  readonly wanted: number
}

/** What it got: units, and if fewer than wanted, in how many ms there is another one. */
export interface ShareGrant {
  readonly granted: number
  readonly retryAfterMs: number
}

/** Options of {@link createShares}. */
export interface SharesOptions {
  /** Settles many shares in as few calls as can be; null stands for an ask that was not answered. Never rejects. */
  readonly settle: (asks: readonly ShareAsk[]) => Promise<readonly (ShareGrant | null)[]>
  /** Nodes that hold shares, this one too. */
  readonly nodes: () => number
  /** True while the shared budget cannot be asked: each node then spends its part of it alone. */
  readonly away: () => boolean
  /**
   * The part of a burst by which all nodes together may exceed a budget: 0.1. Or one unit for each node where the key is
   * in use, if that is more; 0 allows no excess, and every first take waits for an answer.
   */
  readonly excess: number
  readonly maxKeys: number
  readonly runtime: Pick<Clock, 'now'> & Timers
}

/** Budgets shared by nodes and spent without asking each time. */
export interface Shares {
  take(key: string, cost: number, budget: Budget): Awaitable<Taken>
  readonly size: number
  /** Settles what is owed; call it every second or so. */
  tick(): void
  close(): void
}

interface Share extends Expiring {
  readonly key: string
  readonly budget: Budget
  /** Granted and not spent. */
  units: number
  /** Spent on credit and not yet told. */
  owed: number
  /** What waiters want beyond that. */
  wanted: number
  /** Owed and asked for by the call that is under way. */
  asked: number
  refusedUntil: number
  waiting: (() => void)[]
  /** Spends the node's part of the budget while the shared one is away, and how much it spent. */
  alone: Bucket | null
  aloneSpent: number
  /** An ask went unanswered: until then this share is on its own. */
  aloneUntil: number
}

const TAKEN: Taken = Object.freeze({ ok: true, retryAfterMs: 0 })
/** Asks of one turn go together. */
const GATHER_MS = 5
/** Units that are granted ahead stay with this node no longer than the budget needs to refill them. */
const AHEAD = 0.1
/** After an ask without an answer. */
const ALONE_MS = 500
/** How often one take waits for an answer: someone else may have spent what came. */
const MOST_WAITS = 3

/**
 * A share answers from units granted ahead, then on credit within `excess`, and only then waits for an answer. What is
 * spent on credit is taken from the shared budget afterwards whatever is there: the excess is paid back, and never adds up.
 */
export function createShares(options: SharesOptions): Shares {
  const { settle, nodes, away, excess, maxKeys, runtime } = options
  const { now } = runtime
  const shares = new Map<string, Share>()
  const queue = createExpiryQueue<Share>(share => shares.delete(share.key))
  const dirty = new Set<Share>()
  let timer: Timer | undefined
  let closed = false

  /** At least one message: a user who says little never waits for an answer, at whichever node. */
  const credit = ({ burst }: Budget): number =>
    excess === 0 ? 0 : Math.max(1, Math.floor((burst * excess) / Math.max(1, nodes())))

  const open = (key: string, budget: Budget, at: number): Share | null => {
    queue.sweep(at, 4)
    if (queue.size >= maxKeys && queue.sweep(at, 1000) === 0) return null
    const share: Share = {
      key,
      budget,
      units: 0,
      owed: 0,
      wanted: 0,
      asked: 0,
      refusedUntil: 0,
      waiting: [],
      alone: null,
      aloneSpent: 0,
      aloneUntil: 0,
      due: at + budget.perMs,
      before: null,
      after: null,
    }
    shares.set(key, share)
    queue.add(share)
    return share
  }

  const flush = (): void => {
    timer = undefined
    const batch = [...dirty].filter(share => share.asked === 0)
    if (away()) for (const share of batch) wake(share.waiting.splice(0))
    if (batch.length === 0 || away()) return
    const waiters = batch.map(share => share.waiting.splice(0))
    const asks = batch.map(share => {
      dirty.delete(share)
      const { key, budget, owed, wanted } = share
      const ahead = Math.ceil(Math.min(budget.burst * AHEAD, 2 * (owed + wanted)))
      const ask = { key, budget, owed, wanted: Math.min(wanted + ahead, budget.burst) }
      share.asked = owed + ask.wanted
      share.owed = 0
      share.wanted = 0
      return ask
    })
    void settle(asks).then(grants => {
      const at = now()
      for (const [index, share] of batch.entries()) {
        settled(share, asks[index]!, grants[index] ?? null, at)
        wake(waiters[index]!)
        if (share.owed > 0 || share.wanted > 0) later(share, share.wanted > 0)
      }
    })
  }

  const settled = (share: Share, ask: ShareAsk, grant: ShareGrant | null, at: number): void => {
    share.asked = 0
    if (grant === null) {
      // Not told is still owed. Told without an answer is paid twice, which costs this user and nobody else.
      share.owed = Math.min(share.owed + ask.owed, share.budget.burst)
      share.aloneUntil = at + ALONE_MS
    } else {
      share.units += grant.granted
      share.refusedUntil = grant.granted < ask.wanted ? at + grant.retryAfterMs : 0
      share.due = Math.max(share.due, at + (share.units * share.budget.perMs) / share.budget.amount)
    }
  }

  const later = (share: Share, soon: boolean): void => {
    dirty.add(share)
    if (soon && timer === undefined && !closed) timer = runtime.setTimeout(flush, GATHER_MS)
  }

  const takeAlone = (share: Share, cost: number, at: number): Taken => {
    const part = 1 / Math.max(1, nodes())
    const budget = {
      amount: share.budget.amount * part,
      perMs: share.budget.perMs,
      burst: Math.max(1, share.budget.burst * part),
    }
    // A part of the burst for each node: all of them together have one more, once, and owe it afterwards.
    share.alone ??= { debt: 0, at }
    share.units = 0
    const taken = takeFrom(share.alone, Math.min(cost, budget.burst), budget, at)
    if (taken.ok) share.aloneSpent += cost
    // As long as it is in debt it must not be forgotten: forgetting would refill it.
    share.due = Math.max(share.due, refilledAt(share.alone, budget))
    return taken
  }

  /** What was spent alone and is not refilled yet is owed. */
  const rejoin = (share: Share, at: number): void => {
    const { amount, perMs, burst } = share.budget
    const { debt, at: since } = share.alone!
    const left = debt - ((at - since) * amount) / perMs / Math.max(1, nodes())
    share.owed = Math.min(share.owed + Math.max(0, Math.min(left, share.aloneSpent)), burst)
    share.alone = null
    share.aloneSpent = 0
    if (share.owed > 0) later(share, false)
  }

  /** The answer if it is known here; null where the shared budget must be asked. */
  const takeHere = (share: Share, cost: number, at: number): Taken | null => {
    if (away() || share.aloneUntil > at) return takeAlone(share, cost, at)
    if (share.alone !== null) rejoin(share, at)
    if (share.units >= cost) {
      share.units -= cost
      return TAKEN
    }
    if (share.units > 0 && share.due <= at) share.units = 0
    if (share.refusedUntil > at) return { ok: false, retryAfterMs: Math.ceil(share.refusedUntil - at) }
    const most = credit(share.budget)
    // Units come first: what is short of them goes on credit.
    const short = cost - share.units
    if (share.asked === 0 && share.owed + short <= most) {
      share.units = 0
      share.owed += short
      // Alone in its second it can wait for the others.
      later(share, share.owed > 1 && share.owed * 2 > most)
      return TAKEN
    }
    return null
  }

  const takeLater = async (share: Share, cost: number): Promise<Taken> => {
    for (let nth = 0; nth < MOST_WAITS; nth++) {
      if (closed) break
      const answered = new Promise<void>(resolve => share.waiting.push(resolve))
      share.wanted += cost
      share.due = Math.max(share.due, now() + share.budget.perMs)
      later(share, true)
      await answered
      const taken = takeHere(share, cost, now())
      if (taken !== null) return taken
    }
    return { ok: false, retryAfterMs: Math.ceil(share.budget.perMs / share.budget.amount) }
  }

  return {
    take(key, cost, budget) {
      if (!(cost >= 0) || cost > budget.burst) return { ok: false, retryAfterMs: budget.perMs }
      const at = now()
      const share = shares.get(key) ?? open(key, budget, at)
      if (share === null) return { ok: false, retryAfterMs: 1000 }
      if (share.owed > 0 || share.due <= at) share.due = Math.max(share.due, at + 2000)
      return takeHere(share, cost, at) ?? takeLater(share, cost)
    },
    get size() {
      return shares.size
    },
    tick() {
      queue.sweep(now(), 20_000)
      if (dirty.size > 0 && timer === undefined) flush()
    },
    close() {
      closed = true
      runtime.clearTimeout(timer)
      for (const { waiting } of dirty) wake(waiting.splice(0))
      shares.clear()
      queue.clear()
      dirty.clear()
    },
  }
}

function wake(waiting: readonly (() => void)[]): void {
  for (const go of waiting) go()
}
