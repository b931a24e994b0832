import type { Runtime, Timer } from '../../src/model/runtime.ts'

/** A runtime for tests. The test moves its clock forward. Its random numbers follow from a seed. */
export interface VirtualRuntime extends Runtime {
  /** Lets so many ms pass: timers run in the order in which they are due, and what they promise settles after each. */
  run(ms: number): Promise<void>
}

interface VirtualTimer extends Timer {
  due: number
  readonly call: () => void
  /** For an interval, in ms. */
  readonly every: number | null
}

export function createVirtualRuntime(seed: number, start = 1_700_000_000_000): VirtualRuntime {
  let time = start
  // In the order in which they were set: of two that are due at one time the first that was set runs first.
  const timers = new Set<VirtualTimer>()
  const immediates: (() => void)[] = []
  const random = mulberry32(seed)

  const set = (ms: number, every: number | null, call: () => void): Timer => {
    const timer: VirtualTimer = { due: time + Math.max(1, ms), every, call, unref: () => timer }
    timers.add(timer)
    return timer
  }
  const clear = (timer: Timer | null | undefined): void => void timers.delete(timer as VirtualTimer)
  const next = (): VirtualTimer | null => {
    let first: VirtualTimer | null = null
    for (const timer of timers) if (first === null || timer.due < first.due) first = timer
    return first
  }
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < TURNS; turn++) await Promise.resolve()
    for (let call = immediates.shift(); call !== undefined; call = immediates.shift()) call()
  }
  const randomFill = (bytes: Uint8Array, from: number, size: number): void => {
    for (let index = from; index < from + size; index++) bytes[index] = Math.floor(random() * 256)
  }

  return {
    now: () => time,
    monotonic: () => time - start,
    setTimeout: (run, ms, ...args) => set(ms, null, () => run(...args)),
    clearTimeout: clear,
    setInterval: (run, ms) => set(ms, ms, run),
    clearInterval: clear,
    setImmediate: (run, ...args) => void immediates.push(() => run(...args)),
    random,
    randomBytes(size) {
      const bytes = Buffer.alloc(size)
      randomFill(bytes, 0, size)
      return bytes
    },
    randomFill,
    async run(ms) {
      const end = time + ms
      for (let timer = next(); timer !== null && timer.due <= end; timer = next()) {
        time = timer.due
        if (timer.every === null) timers.delete(timer)
        else timer.due += timer.every
        timer.call()
        await settle()
      }
      time = end
    },
  }
}

/** How many promises deep an answer may lie that a timer sets free. */
const TURNS = 4

/** A small generator of good enough numbers; the same seed gives the same ones. */
function mulberry32(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
