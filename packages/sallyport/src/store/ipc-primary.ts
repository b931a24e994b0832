import cluster, { type Worker } from 'node:cluster'
import { type Asked, CHANNEL, isFrame, type PrimaryFrame } from './ipc-frames.ts'
import { createMemoryStore, type MemoryStore } from './memory.ts'
import { type MemoryStoreOptions, requireMemoryOptions } from './memory-options.ts'
import type { ShareGrant } from './shares.ts'
import { StoreError } from '../model/store-error.ts'
import type { Budget } from '../model/store.ts'

/** What {@link serveIpcStore} serves. */
export interface IpcPrimary {
  readonly store: MemoryStore
  /** Stops serving; workers that ask afterwards get no answer. */
  close(): void
}

/**
 * Holds the memory store for the workers, present and future, of this primary of `node:cluster`. What a worker holds is
 * given back in the instant it ends. Throws a `TypeError` in a worker, and for options that cannot hold.
 */
export function serveIpcStore(options: MemoryStoreOptions = {}): IpcPrimary {
  requireMemoryOptions('serveIpcStore', options)
  if (!cluster.isPrimary) {
    throw new TypeError('serveIpcStore() belongs into the primary of node:cluster; a worker calls ipcStore()')
  }
  const store = createMemoryStore(options)
  const held: Held = new Map()

  const off = store.onRevoked(target => {
    for (const worker of workers()) tell(worker, { channel: CHANNEL, revoked: target })
  })

  const onMessage = (worker: Worker, message: unknown): void => {
    if (!isFrame(message) || !('asks' in message)) return
    const answers = message.asks.map(([of, asked]) => {
      try {
        const value = answer(store, held, worker.id, asked)
        return value === undefined ? { of } : { of, value }
      } catch (error) {
        return { of, error: error instanceof StoreError ? error.code : 'Error' }
      }
    })
    tell(worker, { channel: CHANNEL, answers, workers: Math.max(1, workers().length) })
  }
  const onGone = (worker: Worker): void => {
    for (const [key, ids] of held.get(worker.id) ?? []) for (const id of ids) store.release(key, id)
    held.delete(worker.id)
  }
  cluster.on('message', onMessage)
  cluster.on('exit', onGone)

  return {
    store,
    close() {
      off()
      cluster.off('message', onMessage)
      cluster.off('exit', onGone)
      store.close()
      held.clear()
    },
  }
}

/** Slots by worker: key, then ids. */
type Held = Map<number, Map<string, Set<string>>>

function answer(store: MemoryStore, held: Held, worker: number, asked: Asked): unknown {
  switch (asked[0]) {
    case 'take':
      return store.take(asked[1], asked[2], asked[3])
    case 'share':
      return asked[1].map(({ key, budget, owed, wanted }) => settle(store, key, budget, owed, wanted))
    case 'once':
      return store.once(asked[1], asked[2])
    case 'lease': {
      const [, key, id, cap, ttlMs] = asked
      if (!store.lease(key, id, cap, ttlMs)) return false
      const own = held.get(worker) ?? new Map<string, Set<string>>()
      held.set(worker, own)
      own.set(key, (own.get(key) ?? new Set()).add(id))
      return true
    }
    case 'release': {
      const [, key, id] = asked
      store.release(key, id)
      const ids = held.get(worker)?.get(key)
      ids?.delete(id)
      if (ids?.size === 0) held.get(worker)?.delete(key)
      return undefined
    }
    case 'remember':
      store.remember(asked[1], asked[2], asked[3])
      return undefined
    case 'recall':
      return store.recall(asked[1]) ?? undefined
    case 'forget':
      store.forget(asked[1])
      return undefined
    case 'revoke':
      store.revoke(asked[1], asked[2])
      return undefined
    case 'revokedAt':
      return store.revokedAt(asked[1], asked[2])
    case 'hello':
      return undefined
    default:
      throw new TypeError('an unknown question')
  }
}

/** What was spent is taken in steps that fit; of what is wanted, as much as there is. */
function settle(store: MemoryStore, key: string, budget: Budget, owed: number, wanted: number): ShareGrant {
  if (owed > 0) store.take(key, owed, { ...budget, burst: Infinity })
  let granted = Math.floor(wanted)
  while (granted > 0) {
    const taken = store.take(key, granted, budget)
    if (taken.ok) break
    granted = Math.floor(granted / 2)
  }
  if (granted >= wanted) return { granted, retryAfterMs: 0 }
  return { granted, retryAfterMs: Math.max(1, probe(store, key, budget)) }
}

function probe(store: MemoryStore, key: string, budget: Budget): number {
  // Asks for more than there can be, so that nothing is taken.
  const { retryAfterMs } = store.take(key, budget.burst + 1, budget)
  return Math.max(1, retryAfterMs - (budget.burst * budget.perMs) / budget.amount)
}

function tell(worker: Worker, frame: PrimaryFrame): void {
  if (!worker.isConnected()) return
  // A worker that ends meanwhile needs no answer.
  worker.send(frame, undefined, () => undefined)
}

function workers(): Worker[] {
  return Object.values(cluster.workers ?? {}).filter(worker => worker !== undefined)
}
