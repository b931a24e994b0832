import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { createClient } from 'redis'
import { createMemoryStore } from '../../src/store/memory.ts'
import { namedStore, originOf } from '../../src/store/named-store.ts'
import { redis } from '../../src/store/redis.ts'
import type { Store } from '../../src/model/store.ts'
import { closeOf, createWorld, nextMessage, refusalOf, type World } from '../support/world.ts'
import { startRedis } from './redis-server.ts'

const BUDGET = { amount: 1, perMs: 60_000, burst: 1 }
const SECRET = 'a secret of tests that is long enough'

async function worldOf(t: TestContext, store: Store, name: string, policy: object = {}): Promise<World> {
  const world = await createWorld({ store, name, ...policy })
  t.after(() => world.close())
  return world
}

async function statusOf(world: World, sid = 'ann-1'): Promise<number> {
  const ticket = await world.ticket(sid)
  return (await refusalOf(world.client({ sid, protocols: ['sallyport.v1', `sallyport.ticket.${ticket}`] }))).status
}

describe('a store of a policy name', () => {
  it('the same store and name give the same object: a takeover knows that counts stay where they are', () => {
    const store = createMemoryStore()
    assert.equal(namedStore(store, 'chat'), namedStore(store, 'chat'))
    assert.notEqual(namedStore(store, 'chat'), namedStore(store, 'desk'))
    assert.notEqual(namedStore(store, 'chat'), namedStore(createMemoryStore(), 'chat'))
  })

  it('each name has its own counts, leases and budgets', async () => {
    const store = createMemoryStore()
    const [chat, desk] = [namedStore(store, 'chat'), namedStore(store, 'desk')]
    for (const one of [chat, desk]) {
      assert.equal((await one.take('k', 1, BUDGET)).ok, true)
      assert.equal((await one.take('k', 1, BUDGET)).ok, false)
      assert.equal(await one.lease('k', 'a', 1, 1000), true)
      assert.equal(await one.lease('k', 'b', 1, 1000), false)
    }
    await chat.release('k', 'a')
    assert.equal(await desk.lease('k', 'b', 1, 1000), false)
    assert.equal(await chat.lease('k', 'b', 1, 1000), true)
  })

  it('a single use and a revocation are common to all names', async () => {
    const store = createMemoryStore()
    const [chat, desk] = [namedStore(store, 'chat'), namedStore(store, 'desk')]
    assert.equal(await chat.once('ticket:n', 1000), true)
    assert.equal(await desk.once('ticket:n', 1000), false)
    await chat.revoke({ session: 'ann-1' }, 60_000)
    assert.notEqual((await desk.revokedAt('ann-1', 'ann'))?.session ?? null, null)
  })

  it('a user id that is written like a name reaches no other name', async () => {
    const store = createMemoryStore()
    const seen: string[] = []
    const spy = { ...store, lease: (key: string) => seen.push(key) > 0 } as Store
    await namedStore(spy, 'a').lease('connections:user:x\nb', '1', 1, 1)
    await namedStore(spy, 'b').lease('connections:user:x', '1', 1, 1)
    await namedStore(spy, 'b').lease('connections:user:x\na', '1', 1, 1)
    assert.equal(new Set(seen).size, 3)
    assert.equal(originOf(namedStore(spy, 'a')).store, spy)
  })
})

describe('two guards on one store', () => {
  const caps = { handshake: { connections: { total: 100, perIp: 100, perUser: 1 } } }

  it("another name: a user's connections there take no place here", async t => {
    const store = createMemoryStore()
    const [chat, desk] = [await worldOf(t, store, 'chat', caps), await worldOf(t, store, 'desk', caps)]
    await chat.connect()
    await desk.connect()
    assert.equal(await statusOf(chat), 429)
    assert.equal(await statusOf(desk), 429)
  })

  it('the same name: the cap is one', async t => {
    const store = createMemoryStore()
    const [first, second] = [await worldOf(t, store, 'chat', caps), await worldOf(t, store, 'chat', caps)]
    await first.connect()
    assert.equal(await statusOf(second), 429)
  })

  it('another name: the total and the address are counted apart', async t => {
    const store = createMemoryStore()
    const one = { handshake: { connections: { total: 1, perIp: 1, perUser: 1 } } }
    const [chat, desk] = [await worldOf(t, store, 'chat', one), await worldOf(t, store, 'desk', one)]
    await chat.connect()
    await desk.connect('bob-1')
    assert.equal(await statusOf(desk), 503)
  })

  it('another name: a flood of messages there spends nothing here', async t => {
    const store = createMemoryStore()
    const budget = {
      perUser: { messages: 2, per: '1 hour', burst: 2 },
      perIp: { messages: 2, per: '1 hour', burst: 2 },
    }
    const policy = { message: { rate: { ...budget, exceed: 'close' } } }
    const [chat, desk] = [await worldOf(t, store, 'chat', policy), await worldOf(t, store, 'desk', policy)]
    for (const world of [chat, desk]) {
      const socket = await world.connect()
      const closed = closeOf(socket)
      for (let index = 0; index < 2; index++) {
        socket.send(JSON.stringify({ type: 'chat', message: 'hello' }))
        assert.deepEqual(await nextMessage(socket), { type: 'chat', message: 'echo hello' })
      }
      socket.send(JSON.stringify({ type: 'chat', message: 'hello' }))
      assert.equal((await closed).reason, 'SALLY_MESSAGE_RATE_SHARED')
    }
  })

  it('on Redis as in memory', async t => {
    const server = await startRedis()
    t.after(() => server.close())
    const storeOf = async (): Promise<Store> => {
      const client = createClient({ socket: { port: server.port } })
      const store = redis(client, { secret: SECRET, deadlineMs: 2000 })
      await client.connect()
      await store.ready()
      t.after(async () => {
        await store.close()
        client.destroy()
      })
      return store
    }
    const chat = namedStore(await storeOf(), 'chat')
    const desk = namedStore(await storeOf(), 'desk')
    const again = namedStore(await storeOf(), 'chat')
    assert.equal(await chat.lease('connections:user:ann', 'a', 1, 60_000), true)
    assert.equal(await desk.lease('connections:user:ann', 'b', 1, 60_000), true)
    assert.equal(await again.lease('connections:user:ann', 'c', 1, 60_000), false)
    assert.equal((await chat.take('handshake:all', 1, BUDGET)).ok, true)
    assert.equal((await desk.take('handshake:all', 1, BUDGET)).ok, true)
    assert.equal((await again.take('handshake:all', 1, BUDGET)).ok, false)
  })
})
