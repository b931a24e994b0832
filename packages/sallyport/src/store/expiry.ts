/** Something that ends by itself. Whoever owns it may move `due` later at any time; `slot` belongs to the queue. */
export interface Expiring {
  /** Ms since the epoch. */
  due: number
  slot: number
}

/** What a sweeper needs of a queue. */
export interface Sweepable {
  readonly size: number
  /** Drops items that are over, looking at no more than `budget` of them; answers how many were dropped. */
  sweep(now: number, budget: number): number
  clear(): void
}

/** Finds what is over without a timer for each item. */
export interface ExpiryQueue<T extends Expiring> extends Sweepable {
  add(item: T): void
  remove(item: T): void
}

const SLOT_MS = 1000

const slotOf = (due: number): number => Math.floor(due / SLOT_MS)

/**
 * Items filed by the second in which they end. An item whose `due` moved meanwhile is filed again when its old second
 * comes, so that prolonging one is a plain assignment. `drop` may file an item again that ends after `now`.
 */
export function createExpiryQueue<T extends Expiring>(drop: (item: T, now: number) => void): ExpiryQueue<T> {
  const slots = new Map<number, Set<T>>()
  let size = 0
  /** No slot before this one holds anything. */
  let first = Infinity

  const file = (item: T): void => {
    item.slot = slotOf(item.due)
    const slot = slots.get(item.slot)
    if (slot) slot.add(item)
    else slots.set(item.slot, new Set([item]))
    if (item.slot < first) first = item.slot
  }

  const unfile = (item: T): boolean => {
    const slot = slots.get(item.slot)
    if (!slot?.delete(item)) return false
    if (slot.size === 0) slots.delete(item.slot)
    return true
  }

  const nextSlot = (last: number): number | null => {
    if (slots.size === 0) return null
    // After a long silence there are fewer slots than seconds.
    if (last - first > slots.size) {
      first = Infinity
      for (const slot of slots.keys()) first = Math.min(first, slot)
    }
    while (first < last && !slots.has(first)) first++
    return first <= last && slots.has(first) ? first : null
  }

  return {
    get size() {
      return size
    },
    add(item) {
      size++
      file(item)
    },
    remove(item) {
      if (unfile(item)) size--
    },
    sweep(now, budget) {
      const last = slotOf(now)
      let dropped = 0
      let left = budget
      for (let at = nextSlot(last); at !== null && left > 0; at = nextSlot(last)) {
        for (const item of slots.get(at)!) {
          if (left-- <= 0) break
          if (item.due <= now) {
            unfile(item)
            size--
            dropped++
            drop(item, now)
          } else if (slotOf(item.due) > at) {
            unfile(item)
            file(item)
          }
        }
        // What stays in this slot ends later within this very second.
        if (at === last) break
      }
      return dropped
    },
    clear() {
      slots.clear()
      size = 0
      first = Infinity
    },
  }
}
