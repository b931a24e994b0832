/** Something that is due at a time; the wheel writes the slot it stands in. */
export interface Spoke {
  slot: number
}

/** One interval for any number of deadlines. */
export interface Wheel<T extends Spoke> {
  /** Puts it where `dueAt` (ms since the epoch) comes round, moving it if it stood elsewhere. */
  place(item: T, dueAt: number): void
  remove(item: T): void
  readonly size: number
}

/** Between two ticks, in ms: how exact a deadline is. */
export const TICK_MS = 100
const SLOTS = 1024

/**
 * A hashed timer wheel. `turn` is called with each item whose slot came round and answers when it is due next; an
 * item due later than a whole turn stops by once a turn (102 s). The interval runs only while something is on the
 * wheel, and never keeps the process alive.
 */
export function createWheel<T extends Spoke>(now: () => number, turn: (item: T, now: number) => number): Wheel<T> {
  const slots: (Set<T> | undefined)[] = Array.from({ length: SLOTS })
  let size = 0
  let hand = 0
  let timer: NodeJS.Timeout | undefined

  const insert = (item: T, dueAt: number): void => {
    // The slot after the hand at the earliest, and less than a turn away at the latest.
    const tick = Math.min(Math.max(Math.ceil(dueAt / TICK_MS), hand + 1), hand + SLOTS - 1)
    item.slot = tick % SLOTS
    const slot = (slots[item.slot] ??= new Set())
    slot.add(item)
  }

  const advance = (): void => {
    const time = now()
    const last = Math.floor(time / TICK_MS)
    // After a pause (a suspended machine, a blocked loop) each slot is visited once, however long it was.
    hand = Math.max(hand, last - SLOTS)
    while (hand < last) {
      hand++
      const slot = slots[hand % SLOTS]
      if (slot === undefined || slot.size === 0) continue
      slots[hand % SLOTS] = undefined
      for (const item of slot) {
        // Moved or removed by the turn of one before it.
        if (item.slot !== hand % SLOTS) continue
        item.slot = -1
        size--
        const next = turn(item, time)
        if (next === Infinity || item.slot !== -1) continue
        size++
        insert(item, next)
      }
    }
    if (size === 0) stop()
  }

  const stop = (): void => {
    clearInterval(timer)
    timer = undefined
  }

  return {
    place(item, dueAt) {
      if (item.slot === -1) size++
      else slots[item.slot]?.delete(item)
      if (timer === undefined) {
        hand = Math.floor(now() / TICK_MS)
        timer = setInterval(advance, TICK_MS)
        timer.unref?.()
      }
      insert(item, dueAt)
    },
    remove(item) {
      if (item.slot === -1) return
      slots[item.slot]?.delete(item)
      item.slot = -1
      if (--size === 0) stop()
    },
    get size() {
      return size
    },
  }
}
