import { createLeases } from './leases.ts'

/** Counts that this node must write: absolute, so that writing one twice or after another changes nothing. */
export interface PlaceCount {
  readonly key: string
  readonly places: number
  /** Grows with every count of this node: the later one holds. */
  readonly sequence: number
}

/** A place that is taken here and not yet in the shared count. */
export interface Claim {
  readonly places: number
  readonly sequence: number
  /** The shared count holds it. */
  granted(): void
  /** The others fill the cap: the place is given back. */
  refused(): void
  /** Nobody knows: the place is given back, and the count is written again. */
  failed(error: unknown): void
}

/** This node's own places under the caps of a cluster. */
export interface Places {
  /**
   * True: it was held, and is renewed. False: this node alone fills the cap. A claim: the others must be asked. A promise:
   * they are asked for this very place already, and it is held by what they answer.
   */
  claim(key: string, id: string, cap: number, ttlMs: number, now: number): boolean | Claim | Promise<boolean>
  release(key: string, id: string): void
  /** Takes out what must be written, no more than `most` of it. */
  takeDirty(most: number): readonly PlaceCount[]
  /** Must be written (again). */
  soil(keys: Iterable<string>): void
  /** Ends what was not renewed. */
  sweep(now: number): void
  /** Some keys that are held, in turn: all of them within `passes` calls. */
  nextKeys(passes: number): readonly string[]
  keys(): IterableIterator<string>
  readonly size: number
  clear(): void
}

/** A claim that is not answered yet. */
interface Asked {
  readonly key: string
  /** Made where the place is asked for once more meanwhile. */
  answer: PromiseWithResolvers<boolean> | null
}

/** `changed` is called when something waits to be written. */
export function createPlaces(maxPlaces: number, changed: () => void): Places {
  const leases = createLeases(key => soil([key]))
  /** What each key's shared count was last told. */
  const told = new Map<string, number>()
  const dirty = new Set<string>()
  /** Claims that are not answered yet, by id: seldom more than one. */
  const open = new Map<string, readonly Asked[]>()
  let sequence = 0
  let walk = told.keys()

  const soil = (keys: Iterable<string>): void => {
    const before = dirty.size
    for (const key of keys) dirty.add(key)
    if (before === 0 && dirty.size > 0) changed()
  }

  /** Whether it was open: what was given back meanwhile is not, and may be another claim's by now. */
  const settle = (id: string, asked: Asked): boolean => {
    const all = open.get(id)
    if (all === undefined || !all.includes(asked)) return false
    if (all.length === 1) open.delete(id)
    else
      open.set(
        id,
        all.filter(one => one !== asked),
      )
    return true
  }
  const askedFor = (key: string, id: string): Asked | undefined => open.get(id)?.find(asked => asked.key === key)

  return {
    claim(key, id, cap, ttlMs, now) {
      const before = askedFor(key, id)
      if (leases.renew(key, id, ttlMs, now)) {
        return before === undefined ? true : (before.answer ??= Promise.withResolvers<boolean>()).promise
      }
      if (before !== undefined) settle(id, before)
      if (!leases.take(key, id, cap, ttlMs, now, () => leases.queue.size < maxPlaces)) return false
      const places = leases.count(key)
      const asked: Asked = { key, answer: null }
      const others = open.get(id)
      open.set(id, others === undefined ? [asked] : [...others, asked])
      return {
        places,
        sequence: ++sequence,
        granted() {
          settle(id, asked)
          asked.answer?.resolve(true)
          told.set(key, Math.max(told.get(key) ?? 0, places))
          // Given back while the answer was on its way.
          if (leases.count(key) < places) soil([key])
        },
        refused() {
          if (settle(id, asked)) leases.release(key, id)
          asked.answer?.resolve(false)
          // A count that was written meanwhile took this place for held.
          if ((told.get(key) ?? 0) > leases.count(key)) soil([key])
        },
        failed(error) {
          if (settle(id, asked)) leases.release(key, id)
          asked.answer?.reject(error)
          soil([key])
        },
      }
    },
    release(key, id) {
      const asked = askedFor(key, id)
      if (asked !== undefined) settle(id, asked)
      if (leases.release(key, id)) soil([key])
    },
    takeDirty(most) {
      const counts: PlaceCount[] = []
      for (const key of dirty) {
        if (counts.length >= most) break
        dirty.delete(key)
        const places = leases.count(key)
        if (places === 0) told.delete(key)
        else told.set(key, places)
        counts.push({ key, places, sequence: ++sequence })
      }
      return counts
    },
    soil,
    sweep: now => void leases.queue.sweep(now, 20_000),
    nextKeys(passes) {
      const keys: string[] = []
      for (let left = Math.ceil(told.size / passes); left > 0; left--) {
        let next = walk.next()
        if (next.done === true) {
          walk = told.keys()
          next = walk.next()
        }
        if (next.done === true) break
        keys.push(next.value)
      }
      return keys
    },
    keys: () => told.keys(),
    get size() {
      return leases.queue.size
    },
    clear() {
      leases.clear()
      leases.queue.clear()
      told.clear()
      dirty.clear()
      open.clear()
    },
  }
}
