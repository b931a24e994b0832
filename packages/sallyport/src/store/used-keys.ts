import type { Sweepable } from './expiry.ts'

/** Keys that were used, each for its time. */
export interface UsedKeys extends Sweepable {
  /** True for the first use within the time, false for a later one; null where `room` finds none for a new key. */
  use(key: string, ttlMs: number, now: number, room: () => boolean): boolean | null
}

const SLOT_MS = 1000

const slotOf = (due: number): number => Math.floor(due / SLOT_MS)

/**
 * A number and a place in a list for each key, and no record of its own: a busy server remembers hundreds of thousands
 * of used tickets at a time. Keys are listed by the second in which they end.
 */
export function createUsedKeys(): UsedKeys {
  const dues = new Map<string, number>()
  const slots = new Map<number, string[]>()
  /** No slot before this one holds anything. */
  let first = Infinity
  // Times count from the first one seen: so short, they are kept in place, where ms since the epoch are objects.
  let epoch: number | null = null
  const since = (now: number): number => now - (epoch ??= now)

  const file = (key: string, due: number): void => {
    const at = slotOf(due)
    const slot = slots.get(at)
    if (slot === undefined) slots.set(at, [key])
    else slot.push(key)
    if (at < first) first = at
    dues.set(key, due)
  }

  /** Ends what is over in one slot; `looked`: how many keys that took. */
  const sweepSlot = (slot: string[], at: number, now: number, budget: number): { looked: number; dropped: number } => {
    let looked = 0
    let dropped = 0
    for (let index = slot.length - 1; index >= 0 && looked < budget; index--) {
      looked++
      const key = slot[index]!
      const due = dues.get(key)
      const over = due !== undefined && due <= now
      // Used again since it was over, it is listed elsewhere too.
      if (!over && due !== undefined && slotOf(due) === at) continue
      if (over) {
        dues.delete(key)
        dropped++
      }
      const last = slot.pop()!
      if (index < slot.length) slot[index] = last
    }
    return { looked, dropped }
  }

  return {
    get size() {
      return dues.size
    },
    use(key, ttlMs, now, room) {
      const at = since(now)
      const due = dues.get(key)
      if (due !== undefined && due > at) return false
      if (due === undefined && !room()) return null
      file(key, at + ttlMs)
      return true
    },
    sweep(now, budget) {
      const at = since(now)
      const last = slotOf(at)
      let left = budget
      let dropped = 0
      while (left > 0 && first <= last) {
        const slot = slots.get(first)
        if (slot !== undefined) {
          const swept = sweepSlot(slot, first, at, left)
          left -= swept.looked
          dropped += swept.dropped
          // What stays ends later within this very second, or the budget is spent.
          if (slot.length > 0) break
          slots.delete(first)
        }
        first = Infinity
        for (const next of slots.keys()) if (next < first) first = next
      }
      return dropped
    },
    clear() {
      dues.clear()
      slots.clear()
      first = Infinity
    },
  }
}
