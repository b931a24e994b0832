import type { Timer, Timers } from '../model/runtime.ts'
import { type Claim, createPlaces, type Places } from './places.ts'
import type { RedisHub } from './redis-hub.ts'
import { BATCH, batchesOf, type RedisNames } from './redis-names.ts'
import { type Ask, COUNT, LEASE, PURGE } from './redis-scripts.ts'

/** Options of {@link createRedisCounts}. */
export interface RedisCountsOptions {
  readonly names: RedisNames
  readonly buckets: number
  readonly maxKeys: number
  readonly ask: Ask
  readonly hub: () => RedisHub
  /** Makes this node known to Redis. */
  readonly register: () => Promise<void>
  /** Whether counts can be written now. */
  readonly mayWrite: () => boolean
  readonly timers: Timers
}

/** How many slots this node holds, and the shared counts of them in Redis. */
export interface RedisCounts {
  /** Those of this node. */
  readonly places: Places
  /** Writes the counts that changed. */
  write(by: Ask): Promise<void>
  /** The same shortly, together with what changes until then. */
  writeSoon(): void
  /** Asks whether the other nodes leave room for what this one has claimed. */
  lease(key: string, claim: Claim, cap: number): Promise<boolean>
  /** Writes nothing more by itself. */
  stop(): void
  clear(): void
}

/** A count that no node writes again in this time belongs to no node. */
export const COUNTS_TTL_MS = 3_600_000
/** What changes within this time is written together. */
const GATHER_MS = 10

async function writeCounts(places: Places, options: RedisCountsOptions, by: Ask): Promise<void> {
  const { names, buckets } = options
  const hub = options.hub()
  for (;;) {
    const changed = places.takeDirty(BATCH * buckets)
    if (changed.length === 0) return
    const named = changed.map(({ key, places: held, sequence }) => ({ key, held, sequence, name: names.of('l', key) }))
    const results = await Promise.allSettled(
      batchesOf(named).map(async ({ bucket, part }) => {
        const keys = [...part.map(({ name }) => name.key), names.inBucket(bucket, 'line')]
        const args = part.flatMap(({ held, sequence }) => [held, sequence])
        try {
          hub.sawLine(bucket, String(await by(COUNT, keys, [hub.name, COUNTS_TTL_MS, ...args])))
        } catch (error) {
          places.soil(part.map(({ key }) => key))
          throw error
        }
      }),
    )
    const failed = results.find(result => result.status === 'rejected')
    if (failed) throw failed.reason
  }
}

async function leaseShared(options: RedisCountsOptions, key: string, claim: Claim, cap: number): Promise<boolean> {
  const { names, ask, register } = options
  const hub = options.hub()
  try {
    if (!hub.registered) await register()
    const { bucket, key: counts } = names.of('l', key)
    const keys = [counts, names.inBucket(bucket, 'line')]
    for (let nth = 0; nth < 2; nth++) {
      hub.assertSettled(bucket)
      const args = [hub.name, claim.places, Math.min(cap, 1e12), claim.sequence, COUNTS_TTL_MS, hub.lineOf(bucket)]
      const [answer, line, ...others] = (await ask(LEASE, keys, args)) as [number, string, ...string[]]
      hub.sawLine(bucket, line)
      if (answer === 1) {
        claim.granted()
        return true
      }
      if (answer === -1) hub.assertSettled(bucket)
      const dead = nth === 0 ? await hub.deadAmong(others) : []
      if (dead.length === 0) break
      await ask(PURGE, [counts], dead)
    }
    claim.refused()
    return false
  } catch (error) {
    claim.failed(error)
    throw error
  }
}

/** The counts of one node. */
export function createRedisCounts(options: RedisCountsOptions): RedisCounts {
  const { ask, mayWrite, timers } = options
  let timer: Timer | undefined
  const writeSoon = (): void => {
    if (timer !== undefined || !mayWrite()) return
    timer = timers.setTimeout(() => {
      timer = undefined
      // What failed stays to be written, at the next heartbeat or by the probe.
      void writeCounts(places, options, ask).catch(() => undefined)
    }, GATHER_MS)
  }
  const places = createPlaces(options.maxKeys, writeSoon)
  return {
    places,
    write: by => writeCounts(places, options, by),
    writeSoon,
    lease: (key, claim, cap) => leaseShared(options, key, claim, cap),
    stop: () => timers.clearTimeout(timer),
    clear: () => places.clear(),
  }
}
