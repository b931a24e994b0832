import type { Clock, Timer, Timers } from '../../model/runtime.ts'

/** An item with a deadline. The wheel writes the number of its slot. Start with -1 for no slot. */
export interface WheelItem {
  slot: number
}

/** One interval timer for any number of deadlines. */
export interface Wheel<T extends WheelItem> {
  /** Puts an item into the slot of `dueAt` (ms since the epoch), and takes it out of its former slot. */
  place(item: T, dueAt: number): void
  remove(item: T): void
  readonly size: number
}

/** Time between two ticks, in ms. It is the precision of a deadline. */
export const TICK_MS = 100
const SLOTS = 1024
/**
 * If the hand is this many ticks late, the event loop was blocked. Bytes that peers sent meanwhile have not been read
 * yet.
 */
const LATE_TICKS = 10

/** The item is in no slot. */
const NOWHERE = -1
/** Its slot has come round, and it waits for its turn. */
const IN_HAND = -2

/**
 * A hashed timer wheel. It calls `turn` with each item whose slot comes round. `turn` returns when the item is due next
 * and must not throw. An item that is due later than one revolution comes round once in each revolution (102 s). The
 * interval runs only while the wheel has items, and never keeps the process alive.
 */
export function createWheel<T extends WheelItem>(
  runtime: Pick<Clock, 'now'> & Timers,
  turn: (item: T, now: number) => number,
): Wheel<T> {
  const { now } = runtime
  const slots: (Set<T> | undefined)[] = Array.from({ length: SLOTS })
  let size = 0
  let hand = 0
  let timer: Timer | undefined
  let waitsForReads = false

  const insert = (item: T, dueAt: number): void => {
    if (timer === undefined) {
      hand = Math.floor(now() / TICK_MS)
      timer = runtime.setInterval(onTick, TICK_MS)
      timer.unref()
    }
    // At the earliest the slot after the hand, and less than one revolution away.
    item.slot = Math.min(Math.max(Math.ceil(dueAt / TICK_MS), hand + 1), hand + SLOTS - 1) % SLOTS
    const slot = (slots[item.slot] ??= new Set())
    slot.add(item)
  }

  /** Takes the items in the slots from the hand to `last` off the wheel. */
  const gather = (last: number): T[] => {
    // After a pause (a suspended machine, a blocked loop), or when the clock was set back, each slot is visited once.
    const first = last < hand || last - hand >= SLOTS ? last - SLOTS + 1 : hand + 1
    hand = last
    const due: T[] = []
    for (let tick = first; tick <= last; tick++) {
      const index = ((tick % SLOTS) + SLOTS) % SLOTS
      const slot = slots[index]
      if (slot === undefined) continue
      slots[index] = undefined
      for (const item of slot) {
        item.slot = IN_HAND
        due.push(item)
      }
    }
    return due
  }

  const advance = (): void => {
    const time = now()
    const last = Math.floor(time / TICK_MS)
    if (last === hand) return
    for (const item of gather(last)) {
      // The turn of an earlier item moved or removed this one.
      if (item.slot !== IN_HAND) continue
      item.slot = NOWHERE
      size--
      const next = turn(item, time)
      if (next === Infinity || item.slot !== NOWHERE) continue
      size++
      insert(item, next)
    }
    if (size === 0) stop()
  }

  const onTick = (): void => {
    if (waitsForReads) return
    if (Math.floor(now() / TICK_MS) - hand <= LATE_TICKS) {
      advance()
      return
    }
    // Timers run before sockets are read. A pong that arrived in time must be read before it counts as missing.
    waitsForReads = true
    runtime.setImmediate(() => {
      waitsForReads = false
      advance()
    })
  }

  const stop = (): void => {
    runtime.clearInterval(timer)
    timer = undefined
  }

  return {
    place(item, dueAt) {
      if (item.slot === NOWHERE) size++
      else if (item.slot !== IN_HAND) slots[item.slot]?.delete(item)
      insert(item, dueAt)
    },
    remove(item) {
      if (item.slot === NOWHERE) return
      if (item.slot !== IN_HAND) slots[item.slot]?.delete(item)
      item.slot = NOWHERE
      if (--size === 0) stop()
    },
    get size() {
      return size
    },
  }
}
