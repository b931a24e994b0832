/** Something that may stand in a ring. Both ends belong to the ring: start with null, where it stands in none. */
export interface Linked {
  before: Linked | null
  after: Linked | null
}

/**
 * A ring of things that know their neighbours, its own beginning among them: what `after` leads to until it leads back here.
 * A place in it costs nobody any memory, where a set pays for each and for its table.
 */
interface Ring {
  before: Linked
  after: Linked
}

/** An empty one. */
function createRing(): Ring {
  const ring: Linked = { before: null, after: null }
  ring.before = ring
  ring.after = ring
  return ring as Ring
}

/** Puts it at the end of a ring. It must stand in none. */
function link(ring: Ring, item: Linked): void {
  const last = ring.before
  item.before = last
  item.after = ring
  last.after = item
  ring.before = item
}

/** Takes it out of the ring that it stands in; false where it stood in none. */
function unlink(item: Linked): boolean {
  const { before, after } = item
  if (before === null || after === null) return false
  before.after = after
  after.before = before
  item.before = null
  item.after = null
  return true
}

/** Something that ends by itself. Whoever owns it may move `due` later at any time; the rest belongs to the queue. */
export interface Expiring extends Linked {
  /** Ms since the epoch. */
  due: number
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
 * comes, so that prolonging one is a plain assignment. `drop` may file its item again, to end after `now`, and leaves the
 * others where they are.
 */
export function createExpiryQueue<T extends Expiring>(drop: (item: T, now: number) => void): ExpiryQueue<T> {
  const slots = new Map<number, Ring>()
  let size = 0
  /** No slot before this one holds anything. */
  let first = Infinity

  const file = (item: T): void => {
    const at = slotOf(item.due)
    let slot = slots.get(at)
    if (slot === undefined) {
      slot = createRing()
      slots.set(at, slot)
    }
    link(slot, item)
    if (at < first) first = at
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
      if (unlink(item)) size--
    },
    sweep(now, budget) {
      const last = slotOf(now)
      let dropped = 0
      let left = budget
      for (let at = nextSlot(last); at !== null && left > 0; at = nextSlot(last)) {
        const slot = slots.get(at)!
        for (let linked = slot.after; linked !== slot && left > 0; left--) {
          const item = linked as T
          linked = item.after!
          if (item.due <= now) {
            unlink(item)
            size--
            dropped++
            drop(item, now)
          } else if (slotOf(item.due) > at) {
            unlink(item)
            file(item)
          }
        }
        if (slot.after === slot) slots.delete(at)
        // What stays in this slot ends later within this very second.
        if (at === last) break
      }
      return dropped
    },
    clear() {
      // One by one: an item that still stood somewhere would be counted when its owner removes it later.
      for (const slot of slots.values()) while (slot.after !== slot) unlink(slot.after)
      slots.clear()
      size = 0
      first = Infinity
    },
  }
}
