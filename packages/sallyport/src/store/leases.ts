import { createExpiryQueue, type Sweepable } from './expiry.ts'
import { Holder } from './holder.ts'

/** Counts of places that lapse unless renewed. */
export interface Leases {
  /** `size` counts places. */
  readonly queue: Sweepable
  /** Takes or renews a place; `room` is asked before a new one is written. */
  take(key: string, id: string, cap: number, ttlMs: number, now: number, room: () => boolean): boolean
  /** Renews a place that is held; false where it is not. */
  renew(key: string, id: string, ttlMs: number, now: number): boolean
  /** Gives a place back; whether it was held. */
  release(key: string, id: string): boolean
  /** How many are held, those that lapsed and were not found yet included. */
  count(key: string): number
  clear(): void
}

/** Exact counts under caps: a place that lapsed is free at once. `lapsed` is called for each. */
export function createLeases(lapsed: (key: string) => void = () => undefined): Leases {
  const holders = new Map<string, Holder>()
  const counts = new Map<string, number>()
  /** The one asked for last: an id takes its places, and gives them back, one after another. */
  let latest: Holder | null = null
  let size = 0
  // Times count from the first one seen: so short, they are kept in place, where ms since the epoch are objects.
  let epoch: number | null = null
  // Floored, since the difference of two objects is one again, whatever its value.
  const since = (now: number): number => Math.floor(now - (epoch ??= now))
  let sweptAt: number | null = null

  const queue = createExpiryQueue<Holder>((holder, at) => {
    for (const key of holder.over(at)) {
      leave(holder, key)
      lapsed(key)
    }
    const due = holder.earliest()
    if (due === Infinity) {
      forget(holder)
      return
    }
    holder.due = due
    queue.add(holder)
  })

  const forget = (holder: Holder): void => {
    holders.delete(holder.id)
    if (latest === holder) latest = null
  }

  const holderOf = (id: string): Holder | undefined => {
    if (latest !== null && latest.id === id) return latest
    const holder = holders.get(id)
    if (holder !== undefined) latest = holder
    return holder
  }

  const leave = (holder: Holder, key: string): void => {
    holder.leave(key)
    size--
    const left = (counts.get(key) ?? 0) - 1
    if (left > 0) counts.set(key, left)
    else counts.delete(key)
  }

  const drop = (holder: Holder, key: string): void => {
    leave(holder, key)
    if (holder.earliest() < Infinity) {
      refile(holder)
      return
    }
    queue.remove(holder)
    forget(holder)
  }

  /** The queue finds what became due later by itself, what became due earlier must be filed again. */
  const refile = (holder: Holder): void => {
    const due = holder.earliest()
    if (due >= holder.due) {
      holder.due = due
      return
    }
    queue.remove(holder)
    holder.due = due
    queue.add(holder)
  }

  /** Holds it until `due`; false where it is over, or was never held. */
  const renew = (holder: Holder | undefined, key: string, at: number, due: number): boolean => {
    const until = holder?.dueOf(key)
    if (holder === undefined || until === undefined || until <= at) return false
    holder.hold(key, due)
    refile(holder)
    return true
  }

  /** In one ms nothing more lapses: a crowd at the cap looks once. */
  const dropLapsed = (at: number): void => {
    if (at === sweptAt) return
    sweptAt = at
    queue.sweep(at, Infinity)
  }

  const clear = (): void => {
    holders.clear()
    latest = null
    counts.clear()
    queue.clear()
    size = 0
  }

  return {
    queue: {
      get size() {
        return size
      },
      sweep: (now, budget) => queue.sweep(since(now), budget),
      clear,
    },
    take(key, id, cap, ttlMs, now, room) {
      const at = since(now)
      const due = at + ttlMs
      const before = holderOf(id)
      if (renew(before, key, at, due)) return true
      if (before?.dueOf(key) !== undefined) drop(before, key)
      if ((counts.get(key) ?? 0) >= cap) dropLapsed(at)
      if (!((counts.get(key) ?? 0) < cap) || !room()) return false
      size++
      counts.set(key, (counts.get(key) ?? 0) + 1)
      // Making room may have ended what the id held.
      const known = holderOf(id)
      if (known !== undefined) {
        known.hold(key, due)
        refile(known)
        return true
      }
      const holder = new Holder(id, key, due)
      holders.set(id, holder)
      latest = holder
      queue.add(holder)
      return true
    },
    renew: (key, id, ttlMs, now) => renew(holderOf(id), key, since(now), since(now) + ttlMs),
    release(key, id) {
      const holder = holderOf(id)
      if (holder?.dueOf(key) === undefined) return false
      drop(holder, key)
      return true
    },
    count: key => counts.get(key) ?? 0,
    clear,
  }
}
