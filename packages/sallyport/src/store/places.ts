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
  failed(): void
}

/** This node's own places under the caps of a cluster. */
export interface Places {
  /** True: it was held, and is renewed. False: this node alone fills the cap. A claim: the others must be asked. */
  claim(key: string, id: string, cap: number, ttlMs: number, now: number): boolean | Claim
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

/** `changed` is called when something waits to be written. */
export function createPlaces(maxPlaces: number, changed: () => void): Places {
  const leases = createLeases(key => soil([key]))
  /** What each key's shared count was last told. */
  const told = new Map<string, number>()
  const dirty = new Set<string>()
  let sequence = 0
  let walk = told.keys()

  const soil = (keys: Iterable<string>): void => {
    const before = dirty.size
    for (const key of keys) dirty.add(key)
    if (before === 0 && dirty.size > 0) changed()
  }

  return {
    claim(key, id, cap, ttlMs, now) {
      if (leases.renew(key, id, ttlMs, now)) return true
      if (!leases.take(key, id, cap, ttlMs, now, () => leases.queue.size < maxPlaces)) return false
      const places = leases.count(key)
      let open = true
      return {
        places,
        sequence: ++sequence,
        granted() {
          open = false
          told.set(key, Math.max(told.get(key) ?? 0, places))
          // Given back while the answer was on its way.
          if (leases.count(key) < places) soil([key])
        },
        refused() {
          if (!open) return
          open = false
          leases.release(key, id)
          // A count that was written meanwhile took this place for held.
          if ((told.get(key) ?? 0) > leases.count(key)) soil([key])
        },
        failed() {
          if (!open) return
          open = false
          leases.release(key, id)
          soil([key])
        },
      }
    },
    release(key, id) {
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
    },
  }
}
