import { createExpiryQueue, type Expiring, type Sweepable } from './expiry.ts'

/** One place under one key, in the list of those that one id holds. */
interface Place {
  readonly key: string
  due: number
  next: Place | null
}

/** One id and its places: a connection has three, so that they share one record and one line of each index. */
interface Holder extends Expiring {
  readonly id: string
  places: Place | null
}

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

/** Exact counts under caps: a place that lapsed is free at once. `lapsed` hears of each. An id should hold few places. */
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
    for (let place = holder.places; place !== null; place = place.next) {
      if (place.due > at) continue
      unlink(holder, place)
      lapsed(place.key)
    }
    if (holder.places === null) forget(holder)
    else {
      holder.due = earliest(holder)
      queue.add(holder)
    }
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

  const unlink = (holder: Holder, place: Place): void => {
    if (holder.places === place) holder.places = place.next
    else {
      let before = holder.places
      while (before !== null && before.next !== place) before = before.next
      if (before === null) return
      before.next = place.next
    }
    size--
    const left = (counts.get(place.key) ?? 0) - 1
    if (left > 0) counts.set(place.key, left)
    else counts.delete(place.key)
  }

  const drop = (holder: Holder, place: Place): void => {
    unlink(holder, place)
    if (holder.places === null) {
      queue.remove(holder)
      forget(holder)
    } else refile(holder)
  }

  /** The queue finds what became due later by itself, what became due earlier must be filed anew. */
  const refile = (holder: Holder): void => {
    const due = earliest(holder)
    if (due >= holder.due) {
      holder.due = due
      return
    }
    queue.remove(holder)
    holder.due = due
    queue.add(holder)
  }

  const renewPlace = (holder: Holder, place: Place, at: number, ttlMs: number): boolean => {
    if (place.due <= at) return false
    place.due = at + ttlMs
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
      const before = holderOf(id)
      const mine = placeOf(before, key)
      if (before !== undefined && mine !== null) {
        if (renewPlace(before, mine, at, ttlMs)) return true
        drop(before, mine)
      }
      if ((counts.get(key) ?? 0) >= cap) dropLapsed(at)
      if (!((counts.get(key) ?? 0) < cap) || !room()) return false
      // Making room may have ended what the id held.
      const known = holderOf(id)
      const place: Place = { key, due: at + ttlMs, next: known?.places ?? null }
      size++
      counts.set(key, (counts.get(key) ?? 0) + 1)
      if (known !== undefined) {
        known.places = place
        refile(known)
        return true
      }
      const holder: Holder = { id, due: place.due, slot: 0, places: place }
      holders.set(id, holder)
      latest = holder
      queue.add(holder)
      return true
    },
    renew(key, id, ttlMs, now) {
      const holder = holderOf(id)
      const place = placeOf(holder, key)
      return holder !== undefined && place !== null && renewPlace(holder, place, since(now), ttlMs)
    },
    release(key, id) {
      const holder = holderOf(id)
      const place = placeOf(holder, key)
      if (holder === undefined || place === null) return false
      drop(holder, place)
      return true
    },
    count: key => counts.get(key) ?? 0,
    clear,
  }
}

function placeOf(holder: Holder | undefined, key: string): Place | null {
  let place = holder?.places ?? null
  while (place !== null && place.key !== key) place = place.next
  return place
}

function earliest({ places }: Holder): number {
  let due = Infinity
  for (let place = places; place !== null; place = place.next) if (place.due < due) due = place.due
  return due
}
