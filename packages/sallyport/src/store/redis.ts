import type { Runtime } from '../model/runtime.ts'
import { StoreError } from '../model/store-error.ts'
import type { Store, StoreState, Taken, Unsubscribe } from '../model/store.ts'
import { systemRuntime } from '../model/system-runtime.ts'
import type { Awaitable } from '../model/verdict.ts'
import type { IoRedisClient, NodeRedisClient } from './redis-link.ts'
import { createRedisNode } from './redis-node.ts'
import type { RedisStoreOptions } from './redis-options.ts'
import { rememberIn } from './redis-remembered.ts'
import { ONCE, TAKE } from './redis-scripts.ts'

/** A {@link Store} that all nodes of a cluster share. */
export interface RedisStore extends Store {
  onState(listener: (state: StoreState) => void): Unsubscribe
  /** Resolves once Redis knows this node and its news are heard; rejects when that fails. Handshakes wait for nothing: before it they are denied. */
  ready(): Promise<void>
  /** Leaves the cluster: no timer and no connection of its own is left. The client stays open. */
  close(): Promise<void>
}

/** How far the clocks of two nodes may stand apart. */
const CLOCK_SKEW_MS = 2000

/**
 * The store of a cluster, over a client of `redis` or `ioredis` that the app made and connected (a `createSentinel` need
 * not be). Redis 6.2 or later, or Valkey; one server, Sentinel or Cluster. Throws a `TypeError` for a client that cannot
 * serve, and for options that cannot hold.
 *
 * @param system not public: a simulation gives its virtual clock
 */
export function redis(
  client: NodeRedisClient | IoRedisClient,
  options: RedisStoreOptions,
  system: Runtime = systemRuntime,
): RedisStore {
  const node = createRedisNode(client, options, system)
  const { names, hub, counts, revocations, shares, now, ask, assertOpen } = node
  return {
    ...rememberIn(names, ask, assertOpen),
    take(key, cost, budget): Awaitable<Taken> {
      assertOpen()
      if (!(cost >= 0)) return { ok: false, retryAfterMs: budget.perMs }
      return ask(TAKE, [names.of('b', key).key], [cost, budget.amount, budget.perMs, budget.burst]).then(answer => {
        const [ok, retryAfterMs] = answer as [number, number]
        return { ok: ok === 1, retryAfterMs }
      })
    },
    takeShare(key, cost, budget) {
      assertOpen()
      return shares.take(key, cost, budget)
    },
    async once(key, ttlMs, bornAt) {
      assertOpen(ttlMs)
      const { bucket, key: use } = names.of('o', key)
      const born = bornAt === undefined ? -1 : Math.max(0, Math.round(bornAt + hub.offset))
      const args = [Math.ceil(ttlMs), born, CLOCK_SKEW_MS]
      const answer = Number(await ask(ONCE, [use, names.inBucket(bucket, 'line')], args))
      if (answer >= 0) return answer === 1
      throw new StoreError('SALLY_STORE_FORGOT', 'Redis may have lost a use since this key was created')
    },
    lease(key, id, cap, ttlMs) {
      assertOpen(ttlMs)
      const claim = counts.places.claim(key, id, cap, ttlMs, now())
      return typeof claim === 'boolean' || claim instanceof Promise ? claim : counts.lease(key, claim, cap)
    },
    release(key, id) {
      counts.places.release(key, id)
    },
    async revoke(target, ttlMs) {
      assertOpen(ttlMs)
      await revocations.revoke(target, ttlMs)
    },
    revokedAt(session, user) {
      assertOpen()
      return revocations.revokedAt(session, user)
    },
    onRevoked: listener => revocations.onRevoked(listener),
    onState: listener => node.onState(listener),
    ready: () => node.ready(),
    close: () => node.close(),
  }
}

export type { IoRedisClient, NodeRedisClient, RedisStoreOptions }
