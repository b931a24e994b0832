import type { Clock, Timer, Timers } from '../../model/runtime.ts'

/** Something that is due at a time; the wheel writes the slot it stands in. Start with -1: it stands nowhere. */
export interface WheelItem {
  slot: number
}

/** One interval for any number of deadlines. */
export interface Wheel<T extends WheelItem> {
  /** Puts it where `dueAt` (ms since the epoch) comes round, moving it if it stood elsewhere. */
  place(item: T, dueAt: number): void
  remove(item: T): void
  readonly size: number
}

/** Between two ticks, in ms: how exact a deadline is. */
export const TICK_MS = 100
const SLOTS = 1024
/** The hand is this many ticks late: the loop was blocked, and what peers sent meanwhile was not read yet. */
const LATE_TICKS = 10

/** It stands in no slot. */
const NOWHERE = -1
/** Its slot came round; its turn has not come yet. */
const IN_HAND = -2

/**
 * A hashed timer wheel. `turn` is called with each item whose slot came round and answers when it is due next; an
 * item due later than a whole turn stops by once a turn (102 s). The interval runs only while something is on the
 * wheel, and never keeps the process alive. `turn` must not throw.
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
    // The slot after the hand at the earliest, and less than a turn away at the latest.
    item.slot = Math.min(Math.max(Math.ceil(dueAt / TICK_MS), hand + 1), hand + SLOTS - 1) % SLOTS
    const slot = (slots[item.slot] ??= new Set())
    slot.add(item)
  }

  /** Takes what stands in the slots from the hand to `last` off the wheel. */
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
      // Moved or removed by the turn of one before it.
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
    // Timers run before sockets are read: a pong that came in time must be seen before it is missed.
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
