import type { Awaitable } from '../model/verdict.ts'
import { createCircuit } from './circuit.ts'
import { type Claim, createPlaces } from './places.ts'
import { BATCH, chunks } from './redis-batch.ts'
import { lostWithinMs } from './lost.ts'
import { createRedisHub } from './redis-hub.ts'
import { createRedisLink, type IoRedisClient, type NodeRedisClient } from './redis-link.ts'
import { createRedisNames } from './redis-names.ts'
import { checkedOptions, type RedisStoreOptions } from './redis-options.ts'
import { type Ask, createRevocations } from './redis-revocations.ts'
import { COUNT, LEASE, ONCE, PURGE, TAKE } from './redis-scripts.ts'
import { rememberIn } from './redis-remembered.ts'
import { settleShares } from './redis-shares.ts'
import { createShares } from './shares.ts'
import type { Runtime, Timer } from '../model/runtime.ts'
import { StoreError } from '../model/store-error.ts'
import type { Store, StoreState, Taken, Unsubscribe } from '../model/store.ts'
import { systemRuntime } from '../model/system-runtime.ts'

/** A {@link Store} that all nodes of a cluster share. */
export interface RedisStore extends Store {
  onState(listener: (state: StoreState) => void): Unsubscribe
  /** Resolves once Redis knows this node and its news are heard; rejects when that fails. Handshakes wait for nothing: before it they are denied. */
  ready(): Promise<void>
  /** Leaves the cluster: no timer and no connection of its own is left. The client stays open. */
  close(): Promise<void>
}

/** Within one handshake the marks are looked at twice: by the session and by the ticket. */
const RECENT_MS = 50
/** How far the clocks of two nodes may stand apart. */
const CLOCK_SKEW_MS = 2000
/** A count that no node writes again in this time belongs to no node. */
const COUNTS_TTL_MS = 3_600_000
/** What changes within this time is written together. */
const GATHER_MS = 10

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
  const {
    secret,
    prefix = 'sallyport',
    buckets = 16,
    deadlineMs = 50,
    graceMs = 60_000,
    heartbeatMs = 1000,
    settleMs = 3000,
    excess = 0.1,
    maxKeys = 1_000_000,
    now = system.now,
  } = checkedOptions(options)
  const runtime: Runtime = { ...system, now }
  const link = createRedisLink(client)
  const names = createRedisNames(prefix, secret, buckets, runtime)
  const node = runtime.randomBytes(9).toString('base64url')
  const stateListeners = new Set<{ readonly call: (state: StoreState) => void }>()
  let closed = false
  let writeTimer: Timer | undefined
  let restoring: Promise<void> | null = null

  const tellState = (state: StoreState): void => {
    for (const { call } of stateListeners) call(state)
  }
  const run: Ask = (script, keys, args) =>
    link.up()
      ? link.run(script, keys, args)
      : Promise.reject(new StoreError('SALLY_STORE_UNAVAILABLE', 'the client is not connected to Redis'))
  const ask: Ask = async (script, keys, args) => {
    try {
      return await circuit.call(() => run(script, keys, args))
    } catch (error) {
      // Whatever it was, others may know more: a failover shows in the next heartbeat.
      hub.soon()
      throw error
    }
  }
  /** Goes past an open circuit. */
  const askAnyway: Ask = (script, keys, args) => circuit.attempt(() => run(script, keys, args))

  const places = createPlaces(maxKeys, () => writeSoon())
  const revocations = createRevocations({
    names,
    buckets,
    node,
    ask,
    keepMs: Math.max(600_000, 3 * graceMs),
    recentMs: RECENT_MS,
    now,
    offset: () => hub.offset,
  })
  const hub = createRedisHub({
    names,
    node,
    buckets,
    cluster: link.cluster,
    graceMs,
    heartbeatMs,
    settleMs,
    ask: askAnyway,
    runtime,
    beat: epoch => revocations.catchUp(epoch, askAnyway),
    lost() {
      places.soil(places.keys())
      // Once for all buckets that share the loss.
      restoring ??= Promise.resolve()
        .then(() => revocations.restore(askAnyway))
        .catch(() => hub.soon())
        .finally(() => {
          restoring = null
        })
    },
    hubLost() {
      revocations.rewind()
      const detail = 'Redis was restarted or failed over; it is told again what it may have lost'
      // Otherwise the probe tells that it is back.
      if (circuit.closed) tellState({ state: 'available', detail })
    },
    away: detail => circuit.trip(detail),
    over: () =>
      tellState({
        state: 'lost',
        detail: `Redis was away for ${graceMs} ms; open connections end`,
        endsWithinMs: lostWithinMs(graceMs),
      }),
    tick() {
      places.sweep(now())
      places.soil(places.nextKeys(Math.ceil(COUNTS_TTL_MS / 3 / heartbeatMs)))
      shares.tick()
      writeSoon()
      void revocations.tellPending(askAnyway).catch(() => undefined)
      void listen().catch(() => undefined)
    },
  })

  let listening: Promise<void> | null = null
  const listen = (): Promise<void> => {
    listening ??= link
      .subscribe(names.channel, message => revocations.heard(message))
      .catch((error: unknown) => {
        listening = null
        throw error
      })
    return listening
  }

  const circuit = createCircuit({
    name: 'Redis',
    deadlineMs,
    failures: 5,
    maxPending: 20_000,
    probeMs: 250,
    probeMostMs: 2000,
    onState: tellState,
    timers: runtime,
    async probe() {
      void listen().catch(() => undefined)
      await hub.beat()
      await hub.look()
      await write(askAnyway)
      await restoring
      await revocations.tellPending(askAnyway)
    },
  })

  const shares = createShares({
    settle: asks => settleShares(asks, names, ask),
    nodes: () => hub.nodes.size,
    away: () => !circuit.closed,
    excess,
    maxKeys,
    runtime,
  })

  /** Writes the counts that changed. */
  async function write(by: Ask): Promise<void> {
    for (;;) {
      const counts = places.takeDirty(BATCH * buckets)
      if (counts.length === 0) return
      const named = counts.map(({ key, places: held, sequence }) => ({ key, held, sequence, name: names.of('l', key) }))
      const calls = [...Map.groupBy(named, ({ name }) => name.bucket)].flatMap(([bucket, group]) =>
        chunks(group, BATCH).map(part => ({ bucket, part })),
      )
      const results = await Promise.allSettled(
        calls.map(async ({ bucket, part }) => {
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

  function writeSoon(): void {
    if (writeTimer !== undefined || closed || !circuit.closed) return
    writeTimer = runtime.setTimeout(() => {
      writeTimer = undefined
      // What failed stays to be written, at the next heartbeat or by the probe.
      void write(ask).catch(() => undefined)
    }, GATHER_MS)
  }

  async function lease(key: string, claim: Claim, cap: number): Promise<boolean> {
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

  const register = (): Promise<void> => circuit.call(() => hub.beat())

  const assertOpen = (ttlMs = 1): void => {
    if (closed) throw new StoreError('SALLY_STORE_CLOSED', 'the store was closed; create a new one')
    if (!(ttlMs > 0 && ttlMs < Infinity)) throw new TypeError(`ttlMs must be positive and finite, not ${ttlMs}`)
  }

  const ready = async (): Promise<void> => {
    // It may be what makes the connection.
    await listen()
    await hub.beat()
    await hub.look()
  }
  link.onReady(() => {
    if (closed) return
    void listen().catch(() => undefined)
    circuit.retry()
    hub.soon()
  })
  if (link.up()) void ready().catch(() => undefined)
  hub.start()

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
      const claim = places.claim(key, id, cap, ttlMs, now())
      return typeof claim === 'boolean' || claim instanceof Promise ? claim : lease(key, claim, cap)
    },
    release(key, id) {
      places.release(key, id)
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
    onState(call) {
      const entry = { call }
      stateListeners.add(entry)
      return () => {
        stateListeners.delete(entry)
      }
    },
    ready,
    async close() {
      if (closed) return
      closed = true
      runtime.clearTimeout(writeTimer)
      await hub.close().catch(() => undefined)
      circuit.close()
      shares.close()
      places.clear()
      revocations.close()
      link.close()
    },
  }
}

export type { IoRedisClient, NodeRedisClient, RedisStoreOptions }
