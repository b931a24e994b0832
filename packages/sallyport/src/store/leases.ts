import { createExpiryQueue, type Expiring, type Sweepable } from './expiry.ts'

interface Held extends Expiring {
  readonly key: string
  readonly id: string
}

interface Group {
  /** In the order of the last renewal, which is the order of lapsing while all have one ttl. */
  readonly held: Map<string, Held>
  ttlMs: number
  mixed: boolean
}

/** Counts of places that lapse unless renewed. */
export interface Leases {
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

/** Exact counts under caps: a place that lapsed is free at once, without a scan of the others. `lapsed` hears of each. */
export function createLeases(lapsed: (key: string) => void = () => undefined): Leases {
  const groups = new Map<string, Group>()

  const forget = (item: Held): void => {
    const group = groups.get(item.key)
    // A later lease of the same id is another one.
    if (group?.held.get(item.id) !== item) return
    group.held.delete(item.id)
    if (group.held.size === 0) groups.delete(item.key)
  }

  const queue = createExpiryQueue<Held>(item => {
    forget(item)
    lapsed(item.key)
  })

  const drop = (item: Held): void => {
    queue.remove(item)
    forget(item)
  }

  const dropLapsed = (group: Group, now: number): void => {
    for (const item of group.held.values()) {
      if (item.due <= now) {
        drop(item)
        lapsed(item.key)
      } else if (!group.mixed) return
    }
  }

  const renew = (key: string, id: string, ttlMs: number, now: number): boolean => {
    const known = groups.get(key)
    const mine = known?.held.get(id)
    if (!known || !mine || mine.due <= now) return false
    if (known.ttlMs !== ttlMs) known.mixed = true
    mine.due = now + ttlMs
    known.held.delete(id)
    known.held.set(id, mine)
    return true
  }

  return {
    queue,
    take(key, id, cap, ttlMs, now, room) {
      const known = groups.get(key)
      if (renew(key, id, ttlMs, now)) return true
      const mine = known?.held.get(id)
      if (mine) drop(mine)
      if (known && known.held.size >= cap) dropLapsed(known, now)
      if (!((groups.get(key)?.held.size ?? 0) < cap) || !room()) return false
      // Making room may have ended the last place of this key, and with it the group.
      let group = groups.get(key)
      if (!group) {
        group = { held: new Map(), ttlMs, mixed: false }
        groups.set(key, group)
      }
      if (group.ttlMs !== ttlMs) group.mixed = true
      const item: Held = { key, id, due: now + ttlMs, slot: 0 }
      group.held.set(id, item)
      queue.add(item)
      return true
    },
    renew,
    release(key, id) {
      const item = groups.get(key)?.held.get(id)
      if (item) drop(item)
      return item !== undefined
    },
    count: key => groups.get(key)?.held.size ?? 0,
    clear() {
      groups.clear()
    },
  }
}
