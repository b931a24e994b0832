import type { Runtime } from '../model/runtime.ts'
import { StoreError } from '../model/store-error.ts'
import type { StoreState, Unsubscribe } from '../model/store.ts'
import { createCircuit, lostWithinMs } from './circuit.ts'
import { COUNTS_TTL_MS, createRedisCounts, type RedisCounts } from './redis-counts.ts'
import { createRedisHub, type RedisHub } from './redis-hub.ts'
import { createRedisLink, type IoRedisClient, type NodeRedisClient } from './redis-link.ts'
import { createRedisNames, type RedisNames } from './redis-names.ts'
import { checkedOptions, type RedisStoreOptions } from './redis-options.ts'
import { createRevocations, type Revocations } from './redis-revocations.ts'
import type { Ask } from './redis-scripts.ts'
import { settleShares } from './redis-shares.ts'
import { createShares, type Shares } from './shares.ts'

/** This process as one node of a cluster that shares a Redis. */
export interface RedisNode {
  readonly names: RedisNames
  readonly hub: Pick<RedisHub, 'offset'>
  readonly counts: Pick<RedisCounts, 'places' | 'lease'>
  readonly revocations: Pick<Revocations, 'revoke' | 'revokedAt' | 'onRevoked'>
  readonly shares: Pick<Shares, 'take'>
  /** Ms since the epoch. */
  readonly now: () => number
  /** Runs a script in time, or rejects at once while Redis is away. */
  readonly ask: Ask
  /** Throws once it is closed, and for a time to live that cannot hold. */
  assertOpen(ttlMs?: number): void
  onState(listener: (state: StoreState) => void): Unsubscribe
  /** Resolves once Redis knows this node and its news are heard. */
  ready(): Promise<void>
  close(): Promise<void>
}

/** Within one handshake the marks are looked at twice: by the session and by the ticket. */
const RECENT_MS = 50

/**
 * Joins the cluster. Heartbeat, circuit, counts, shares and revocations each call some of the others: this function
 * holds what connects them, and nothing else.
 */
export function createRedisNode(
  client: NodeRedisClient | IoRedisClient,
  options: RedisStoreOptions,
  system: Runtime,
): RedisNode {
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

  const counts = createRedisCounts({
    names,
    buckets,
    maxKeys,
    ask,
    hub: () => hub,
    register: () => circuit.call(() => hub.beat()),
    mayWrite: () => !closed && circuit.closed,
    timers: runtime,
  })
  const { places } = counts
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
      counts.writeSoon()
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
      await counts.write(askAnyway)
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
    names,
    hub,
    counts,
    revocations,
    shares,
    now,
    ask,
    assertOpen,
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
      counts.stop()
      await hub.close().catch(() => undefined)
      circuit.close()
      shares.close()
      counts.clear()
      revocations.close()
      link.close()
    },
  }
}
