import { type Bucket, refilledAt, takeFrom } from './bucket.ts'
import { createExpiryQueue, type Expiring, type Sweepable } from './expiry.ts'
import { createLeases } from './leases.ts'
import { type MemoryStoreOptions, requireMemoryOptions } from './memory-options.ts'
import { createRemembered } from './remembered.ts'
import type { Runtime, Timer } from '../model/runtime.ts'
import { StoreError } from '../model/store-error.ts'
import type { Revocation, Store, Taken, RevocationTarget, Unsubscribe } from '../model/store.ts'
import { systemRuntime } from '../model/system-runtime.ts'
import { createUsedKeys } from './used-keys.ts'

/** How many keys of each kind live in a store. */
export interface MemoryStoreSize {
  readonly budgets: number
  readonly once: number
  readonly leases: number
  readonly revocations: number
}

/** A {@link Store} in the memory of this process: every answer is synchronous. */
export interface MemoryStore extends Store {
  take(key: string, cost: number, budget: Parameters<Store['take']>[2], at?: number): Taken
  once(key: string, ttlMs: number): boolean
  lease(key: string, id: string, cap: number, ttlMs: number): boolean
  release(key: string, id: string): void
  remember(key: string, value: string, ttlMs: number): void
  recall(key: string): string | null
  forget(key: string): void
  revoke(target: RevocationTarget, ttlMs: number): void
  revokedAt(session: string, user: string): Revocation | null
  size(): MemoryStoreSize
  /** Stops the timer and forgets everything. What is asked afterwards throws, and so is denied. */
  close(): void
}

export type { MemoryStoreOptions } from './memory-options.ts'
export { StoreError } from '../model/store-error.ts'

interface KeyedBucket extends Bucket, Expiring {
  readonly key: string
}
interface Revoked extends Expiring {
  readonly key: string
  at: number
}

/** Texts that are remembered at most: about 200 bytes each. */
const MOST_REMEMBERED = 100_000
const SWEEP_EVERY_MS = 1000
/** Looked at per tick: some ms of work. */
const SWEEP_TICK = 20_000
/** Looked at per new key: more than one, so that sweeping outruns filling. */
const SWEEP_ACCESS = 4
/** Looked at before a new key is refused. */
const SWEEP_FULL = 1000

/**
 * The default store. It is bounded: a budget is forgotten only when it has refilled, so that a crowd of addresses cannot
 * push out the debt of one; where nothing can be forgotten, new keys are refused. Keys end without a timer each.
 * Throws a `TypeError` for options that cannot hold.
 *
 * @param runtime not public: a simulation gives its virtual clock
 */
export function createMemoryStore(options: MemoryStoreOptions = {}, runtime: Runtime = systemRuntime): MemoryStore {
  requireMemoryOptions('createMemoryStore', options)
  const { maxKeys = 1_000_000, now = runtime.now } = options

  const buckets = new Map<string, KeyedBucket>()
  // The two asked for last: the messages of a connection come one behind the other, each for its user and its address.
  let recent: KeyedBucket | null = null
  let older: KeyedBucket | null = null
  const bucketQueue = createExpiryQueue<KeyedBucket>(bucket => {
    buckets.delete(bucket.key)
    if (bucket === recent) recent = null
    if (bucket === older) older = null
  })
  const bucketOf = (key: string): KeyedBucket | undefined => {
    if (recent?.key === key) return recent
    if (older?.key === key) return older
    const known = buckets.get(key)
    if (known) {
      older = recent
      recent = known
    }
    return known
  }
  const used = createUsedKeys()
  const revoked = new Map<string, Revoked>()
  const revokedQueue = createExpiryQueue<Revoked>(item => revoked.delete(item.key))
  const leases = createLeases()
  const remembered = createRemembered(Math.min(maxKeys, MOST_REMEMBERED))
  const queues: readonly Sweepable[] = [bucketQueue, used, revokedQueue, leases.queue]
  const listeners = new Set<{ readonly call: (target: RevocationTarget) => void }>()
  let timer: Timer | null = null
  let closed = false

  const tick = (): void => {
    const at = now()
    for (const queue of queues) queue.sweep(at, SWEEP_TICK)
    if (timer && queues.every(queue => queue.size === 0)) {
      runtime.clearInterval(timer)
      timer = null
    }
  }

  const assertOpen = (ttlMs = 1): void => {
    if (closed) throw new StoreError('SALLY_STORE_CLOSED', 'the store was closed; create a new one')
    if (!(ttlMs > 0 && ttlMs < Infinity)) throw new TypeError(`ttlMs must be positive and finite, not ${ttlMs}`)
  }

  /** Makes room for one key more; false where there is none. */
  const room = (queue: Sweepable, at: number): boolean => {
    // A budget that has only just refilled is likely to be asked for again at once.
    queue.sweep(queue === bucketQueue ? at - SWEEP_EVERY_MS : at, SWEEP_ACCESS)
    if (queue.size >= maxKeys && queue.sweep(at, SWEEP_FULL) === 0) return false
    if (!timer) {
      timer = runtime.setInterval(tick, SWEEP_EVERY_MS)
      timer.unref()
    }
    return true
  }

  const full = (what: string): StoreError =>
    new StoreError('SALLY_STORE_FULL', `the store holds ${maxKeys} ${what}; raise maxKeys, or use a shared store`)

  const current = (key: string, at: number): number | null => {
    const item = revoked.get(key)
    return item && item.due > at ? item.at : null
  }

  return {
    take(key, cost, budget, at = now()) {
      assertOpen()
      const known = bucketOf(key)
      if (known) {
        const taken = takeFrom(known, cost, budget, at)
        known.due = refilledAt(known, budget)
        return taken
      }
      const bucket: KeyedBucket = { key, debt: 0, at, due: 0, before: null, after: null }
      const taken = takeFrom(bucket, cost, budget, at)
      if (!taken.ok || cost === 0) return taken
      if (!room(bucketQueue, at)) return { ok: false, retryAfterMs: SWEEP_EVERY_MS }
      bucket.due = refilledAt(bucket, budget)
      buckets.set(key, bucket)
      bucketQueue.add(bucket)
      return taken
    },

    once(key, ttlMs) {
      assertOpen(ttlMs)
      const at = now()
      const first = used.use(key, ttlMs, at, () => room(used, at))
      if (first === null) throw full('single uses')
      return first
    },

    lease(key, id, cap, ttlMs) {
      assertOpen(ttlMs)
      const at = now()
      return leases.take(key, id, cap, ttlMs, at, () => room(leases.queue, at))
    },

    release(key, id) {
      leases.release(key, id)
    },

    remember(key, value, ttlMs) {
      assertOpen(ttlMs)
      remembered.set(key, value, ttlMs, now())
    },

    recall(key) {
      assertOpen()
      return remembered.get(key, now())
    },

    forget(key) {
      remembered.delete(key)
    },

    revoke(target, ttlMs) {
      assertOpen(ttlMs)
      const at = now()
      const key = target === 'all' ? 'all' : 'session' in target ? `session:${target.session}` : `user:${target.user}`
      const known = revoked.get(key)
      const kept = known !== undefined || room(revokedQueue, at)
      if (known) {
        known.at = at
        known.due = Math.max(known.due, at + ttlMs)
      } else if (kept) {
        const item: Revoked = { key, at, due: at + ttlMs, before: null, after: null }
        revoked.set(key, item)
        revokedQueue.add(item)
      }
      // Open connections end even where the mark could not be kept, and one listener's failure spares nobody.
      const failures: unknown[] = []
      for (const listener of listeners) {
        try {
          listener.call(target)
        } catch (error) {
          failures.push(error)
        }
      }
      if (!kept) throw full('revocations')
      if (failures.length > 0) throw new AggregateError(failures, 'a listener of a revocation failed')
    },

    revokedAt(session, user) {
      assertOpen()
      // As at most times: a handshake asks twice, and three keys are to be made each time.
      if (revoked.size === 0) return null
      const at = now()
      const ofSession = current(`session:${session}`, at)
      const ofUser = current(`user:${user}`, at)
      const ofAll = current('all', at)
      if (ofSession === null && ofUser === null && ofAll === null) return null
      return { session: ofSession, user: ofUser === null ? ofAll : ofAll === null ? ofUser : Math.max(ofUser, ofAll) }
    },

    onRevoked(listener): Unsubscribe {
      const entry = { call: listener }
      listeners.add(entry)
      return () => {
        listeners.delete(entry)
      }
    },

    size: () => ({
      budgets: buckets.size,
      once: used.size,
      leases: leases.queue.size,
      revocations: revoked.size,
    }),

    close() {
      closed = true
      if (timer) runtime.clearInterval(timer)
      timer = null
      buckets.clear()
      recent = null
      older = null
      revoked.clear()
      leases.clear()
      remembered.clear()
      for (const queue of queues) queue.clear()
      listeners.clear()
    },
  }
}
