import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { createRedisNames } from '../../src/store/redis-names.ts'
import { PROBE } from '../../src/store/redis-scripts.ts'
import { redis, type RedisStore, type RedisStoreOptions } from '../../src/store/redis.ts'
import type { StoreState, RevocationTarget } from '../../src/model/store.ts'
import { type RedisServer, startRedis } from './redis-server.ts'
import { systemRuntime } from '../../src/model/system-runtime.ts'

const secret = 'a secret of tests that is long enough'
/** Generous where promptness is not the matter: the machine may be busy. */
const PATIENT: Partial<RedisStoreOptions> = { deadlineMs: 2000, heartbeatMs: 200, settleMs: 600 }

async function until(what: string, holds: () => unknown): Promise<void> {
  const end = Date.now() + 10_000
  for (;;) {
    try {
      if (await holds()) return
    } catch {
      // Not yet.
    }
    if (Date.now() > end) throw new Error(`never came: ${what}`)
    await wait(20)
  }
}

describe('stores of several nodes on one Redis', () => {
  let server: RedisServer
  const ends: (() => Promise<void>)[] = []
  let prefix = 0
  before(async () => {
    server = await startRedis()
  })
  after(async () => {
    for (const end of ends) await end()
    await server.close()
  })
  const join = async (
    options: Partial<RedisStoreOptions> = {},
  ): Promise<{ store: RedisStore; client: Redis; states: StoreState[] }> => {
    const client = new Redis({ port: server.port, retryStrategy: () => 50 })
    const store = redis(client, { secret, ...PATIENT, ...options })
    const states: StoreState[] = []
    store.onState(state => states.push(state))
    await until('a connection', () => client.status === 'ready')
    await store.ready()
    ends.push(async () => {
      await store.close()
      client.disconnect()
    })
    return { store, client, states }
  }
  const apart = (): { prefix: string } => ({ prefix: `t${prefix++}` })
  const range = (length: number): number[] => Array.from({ length }, (_, index) => index)

  it('300 racing leases over three nodes under a cap of 10: exactly 10, and none is lost by releasing', async () => {
    const options = apart()
    const nodes = await Promise.all(range(3).map(() => join(options)))
    const answers = await Promise.all(
      range(300).map(async nth => ({ nth, ok: await nodes[nth % 3]!.store.lease('user', `c${nth}`, 10, 60_000) })),
    )
    const held = answers.filter(({ ok }) => ok)
    assert.equal(held.length, 10)
    for (const { nth } of held) await nodes[nth % 3]!.store.release('user', `c${nth}`)
    await until('all places free', async () => {
      const again = await Promise.all(range(10).map(async nth => nodes[0]!.store.lease('user', `d${nth}`, 10, 60_000)))
      return again.every(Boolean)
    })
  })

  it('a place that is asked for again before Redis has answered is held by that answer, and counted once', async () => {
    const options = apart()
    const [one, two] = [await join(options), await join(options)]
    const twice = (): Promise<boolean[]> =>
      Promise.all(['b', 'b'].map(async id => two.store.lease('all', id, 1, 60_000)))
    assert.equal(await one.store.lease('all', 'a', 1, 60_000), true)
    assert.deepEqual(await twice(), [false, false])
    await one.store.release('all', 'a')
    await until('the place', async () => (await twice()).every(Boolean))
    assert.equal(await one.store.lease('all', 'c', 1, 60_000), false)
  })

  it('a place that is given back and taken again before Redis has answered is counted', async () => {
    const options = apart()
    const [one, two] = [await join(options), await join(options)]
    const first = one.store.lease('all', 'a', 1, 60_000)
    await one.store.release('all', 'a')
    const second = one.store.lease('all', 'a', 1, 60_000)
    assert.deepEqual([await first, await second], [true, true])
    // Also once all that was to be written is.
    for (let nth = 0; nth < 20; nth++) {
      assert.equal(await two.store.lease('all', 'b', 1, 60_000), false)
      await wait(10)
    }
  })

  it('150 racing uses over three nodes: exactly one wins', async () => {
    const options = apart()
    const nodes = await Promise.all(range(3).map(() => join(options)))
    const answers = await Promise.all(range(150).map(async nth => nodes[nth % 3]!.store.once('k', 30_000)))
    assert.equal(answers.filter(Boolean).length, 1)
  })

  it('a revocation reaches the others by publication, and theirs alone is told late', async () => {
    const options = apart()
    const [one, two] = [await join(options), await join(options)]
    const heard: [RevocationTarget, number | undefined][] = []
    two.store.onRevoked((target, at) => heard.push([target, at]))
    for (const target of [{ session: 's' }, { user: 'u' }, 'all'] as const) await one.store.revoke(target, 60_000)
    await until('three news', () => heard.length === 3)
    assert.deepEqual(heard, [
      [{ session: 's' }, undefined],
      [{ user: 'u' }, undefined],
      ['all', undefined],
    ])
  })

  it('a publication that was lost is made good by the next heartbeat, with the time that it was meant for', async () => {
    const options = apart()
    const [one, two] = [await join(options), await join(options)]
    const heard: [RevocationTarget, number | undefined][] = []
    two.store.onRevoked((target, at) => heard.push([target, at]))
    // Nobody listens for a while: the connections for news are cut.
    await server.admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
    await one.store.revoke({ user: 'u' }, 60_000)
    await until('the news', () => heard.length === 1)
    assert.deepEqual(heard[0]?.[0], { user: 'u' })
    await wait(500)
    assert.equal(heard.length, 1, 'once')
  })

  it('a store that was made before its client connected hears news by itself', async () => {
    const options = apart()
    const { store } = await join(options)
    const client = createClient({ socket: { port: server.port } })
    // No heartbeat comes in time: only a publication can tell.
    const early = redis(client, { secret, ...PATIENT, ...options, heartbeatMs: 60_000, graceMs: 180_000 })
    const heard: RevocationTarget[] = []
    early.onRevoked(target => heard.push(target))
    ends.push(async () => {
      await early.close()
      client.destroy()
    })
    await client.connect()
    await until('the news', async () => {
      await store.revoke({ session: `s${Math.random()}` }, 1000)
      return heard.length > 0
    })
  })

  it('what somebody without the secret publishes is not heard', async () => {
    const options = apart()
    const { store } = await join(options)
    const heard: RevocationTarget[] = []
    store.onRevoked(target => heard.push(target))
    const foreign = createRedisNames(options.prefix, 'another secret that is long enough too', 16, systemRuntime)
    const ours = createRedisNames(options.prefix, secret, 16, systemRuntime)
    const forged = foreign.seal({ from: 'x', target: 'all', at: 1, ttlMs: 1000 })
    for (const text of [`1 1 ${forged}`, '2 2 AAAA', 'all', '', '3 3', `${'9'.repeat(400)} 1 x`]) {
      await server.admin.publish(ours.channel, text)
    }
    await store.revoke({ session: 'own' }, 1000)
    assert.deepEqual(heard, [{ session: 'own' }])
  })

  it('all keys lost, and the node that revoked too: those who heard mark it again', async () => {
    const options = apart()
    const [one, two] = [await join(options), await join(options)]
    const heard: RevocationTarget[] = []
    two.store.onRevoked(target => heard.push(target))
    await one.store.revoke({ session: 's' }, 60_000)
    await until('the news', () => heard.length === 1)
    await one.store.close()
    await server.admin.del(...(await server.admin.keys(`${options.prefix}:*`)))
    await until('the mark', async () => typeof (await two.store.revokedAt('s', 'u'))?.session === 'number')
  })

  it('a node that leaves frees its places at once; one that dies frees them when its time is over', async () => {
    const options = { ...apart(), graceMs: 300, heartbeatMs: 100 }
    const [one, two, three] = [await join(options), await join(options), await join(options)]
    assert.equal(await one.store.lease('user', 'a', 2, 60_000), true)
    assert.equal(await two.store.lease('user', 'b', 2, 60_000), true)
    assert.equal(await three.store.lease('user', 'c', 2, 60_000), false)
    // No more is heard of it: its client is gone, as with kill -9.
    one.client.disconnect()
    await until('the place of the dead', () => three.store.lease('user', 'c', 2, 60_000))
    assert.equal(await three.store.lease('user', 'd', 2, 60_000), false, 'the living keep theirs')
  })

  it('scripts that Redis forgot are sent again', async () => {
    const { store } = await join(apart())
    await server.admin.script('FLUSH')
    assert.equal(await store.once('k', 1000), true)
    await server.admin.script('FLUSH')
    assert.equal(await store.once('k', 1000), false)
  })

  for (const { row, bornAgoMs, expected } of [
    { row: 'born after the loss, by more than clocks may differ', bornAgoMs: -2500, expected: true },
    { row: 'born before the loss', bornAgoMs: 1000, expected: 'SALLY_STORE_FORGOT' },
    { row: 'of unknown birth', bornAgoMs: null, expected: true },
  ]) {
    it(`all keys lost, a use ${row}: ${expected === true ? 'counted' : 'denied'}`, async () => {
      const options = apart()
      const { store } = await join(options)
      const names = createRedisNames(options.prefix, secret, 16, systemRuntime)
      for (let bucket = 0; bucket < 16; bucket++) await server.admin.del(names.inBucket(bucket, 'line'))
      const use = (): Promise<boolean> =>
        Promise.resolve(store.once('k', 30_000, bornAgoMs === null ? undefined : Date.now() - bornAgoMs))
      if (expected === true) assert.equal(await use(), true)
      else await assert.rejects(use(), { code: expected })
    })
  }

  it('all keys lost: counts are written again, and nobody is let in before they are', async () => {
    const options = { ...apart(), buckets: 1 }
    const [one, two] = [await join(options), await join(options)]
    for (const nth of range(3)) assert.equal(await one.store.lease('user', `c${nth}`, 3, 60_000), true)
    await server.admin.del(...(await server.admin.keys(`${options.prefix}:*`)))
    let refused = 0
    await until('an answer', async () => {
      try {
        const held = await two.store.lease('user', `d${refused}`, 3, 60_000)
        assert.equal(held, false, 'the cap holds through the loss')
        return true
      } catch (error) {
        if ((error as { code?: string }).code !== 'SALLY_STORE_SETTLING') throw error
        refused++
        return false
      }
    })
    assert.ok(refused > 0, 'until then it was denied, not let in')
  })
})

describe('a Redis store whose Redis goes away', () => {
  it('denies at once, revokes later, tells every change, ends connections after the grace, and comes back', async () => {
    const server = await startRedis({ appendOnly: true })
    const clients = [0, 1].map(() => new Redis({ port: server.port, retryStrategy: () => 50 }))
    const stores = clients.map(client =>
      redis(client, { secret, deadlineMs: 500, heartbeatMs: 100, settleMs: 300, graceMs: 1000 }),
    )
    const states: string[] = []
    stores[0]!.onState(({ state }) => states.push(state))
    const heard: [RevocationTarget, number | undefined][] = []
    stores[1]!.onRevoked((target, at) => heard.push([target, at]))
    try {
      await until('both ready', async () => {
        await Promise.all(stores.map(store => store.ready()))
        return true
      })
      await server.kill()
      await until('the circuit to open', () => states.includes('unavailable'))
      for (const call of [
        () => stores[0]!.once('k', 1000),
        () => stores[0]!.lease('k', 'c', 1, 1000),
        () => stores[0]!.take('k', 1, { amount: 1, perMs: 1000, burst: 1 }),
        () => stores[0]!.revokedAt('s', 'u'),
      ]) {
        await assert.rejects(async () => call(), { code: 'SALLY_STORE_UNAVAILABLE' })
      }
      const share = stores[0]!.takeShare!('k', 1, { amount: 10, perMs: 60_000, burst: 10 })
      assert.ok(!(share instanceof Promise) && share.ok, 'open connections go on, on their own')
      await assert.rejects(async () => stores[0]!.revoke({ user: 'u' }, 60_000), { code: 'SALLY_STORE_UNAVAILABLE' })
      await until('the grace to end', () => states.includes('lost'))
      // News of the last second are not late; how the clocks differ is known no better than a round trip under load.
      await wait(3000)
      await server.start()
      await until('the late news', () => heard.length > 0)
      assert.deepEqual(heard[0]?.[0], { user: 'u' })
      assert.equal(typeof heard[0]?.[1], 'number', 'late news say what time they are of')
      await until('available', () => states.at(-1) === 'available')
      assert.equal(typeof (await stores[1]!.revokedAt('s', 'u'))?.user, 'number')
      await until('places again', () => stores[0]!.lease('k', 'c', 1, 1000))
    } finally {
      for (const store of stores) await store.close()
      for (const client of clients) client.disconnect()
      await server.close()
    }
  })
})

describe('servers whose writes may be lost unnoticed', () => {
  it('INFO that names no replication id: refused, since a failover would not show', async () => {
    const server = await startRedis()
    try {
      const lua = PROBE.lua.replace("redis.call('INFO', 'replication')", "'role:master'")
      assert.notEqual(lua, PROBE.lua)
      assert.match(String(await server.admin.eval(PROBE.lua, 1, 'line')), /^[0-9a-f]{40}:\d+$/)
      await assert.rejects(server.admin.eval(lua, 1, 'line'), /master_replid|Error running script/)
    } finally {
      await server.close()
    }
  })

  it('a primary without a replica, where min-replicas-to-write asks for one: every step is denied', async () => {
    const server = await startRedis({ args: ['--min-replicas-to-write', '1'] })
    const client = new Redis({ port: server.port })
    const store = redis(client, { secret, ...PATIENT })
    try {
      await until('a connection', () => client.status === 'ready')
      for (const step of [
        () => store.once('k', 1000),
        () => store.lease('k', 'c', 1, 1000),
        () => store.take('k', 1, { amount: 1, perMs: 1000, burst: 1 }),
        () => store.revoke({ user: 'u' }, 1000),
      ]) {
        await assert.rejects(async () => step(), { code: 'SALLY_STORE_UNAVAILABLE' })
      }
    } finally {
      await store.close()
      client.disconnect()
      await server.close()
    }
  })
})

describe('redis(client, options)', () => {
  const client = { on: () => undefined, eval: () => undefined, evalsha: () => undefined, status: 'wait' }
  for (const { row, make } of [
    { row: 'no secret', make: () => redis(client, {} as RedisStoreOptions) },
    { row: 'a secret of 31 bytes', make: () => redis(client, { secret: 'x'.repeat(31) }) },
    { row: 'no buckets', make: () => redis(client, { secret, buckets: 0 }) },
    { row: 'more buckets than there may be', make: () => redis(client, { secret, buckets: 4097 }) },
    { row: 'a deadline of nothing', make: () => redis(client, { secret, deadlineMs: 0 }) },
    { row: 'a grace that is no number', make: () => redis(client, { secret, graceMs: Number.NaN }) },
    { row: 'a grace of less than three heartbeats', make: () => redis(client, { secret, graceMs: 2999 }) },
    { row: 'no client', make: () => redis(null as never, { secret }) },
    { row: 'an address instead of a client', make: () => redis('redis://localhost' as never, { secret }) },
  ]) {
    it(`${row} is a mistake at start`, () => assert.throws(make, TypeError))
  }
})
