import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { describe, it } from 'node:test'
import { createRedisLink } from '../../src/store/redis-link.ts'
import { ONCE, PROBE } from '../../src/store/redis-scripts.ts'

/** A client that notes what it is asked, and a server that knows the scripts it was sent. */
function setUp(kind: 'node-redis' | 'ioredis') {
  const asked: string[] = []
  const known = new Set<string>()
  const control = { fails: false }
  const nameOf = (text: string): string => (text === ONCE.lua || text === ONCE.sha ? 'once' : 'probe')
  const answer = async (how: 'text' | 'name', script: string): Promise<string> => {
    asked.push(`${nameOf(script)} by ${how}`)
    if (control.fails) throw new Error('LOADING')
    if (how === 'text') known.add(nameOf(script))
    else if (!known.has(nameOf(script))) throw new Error('NOSCRIPT No matching script')
    return 'answered'
  }
  const byText = (lua: string): Promise<string> => answer('text', lua)
  const byName = (sha: string): Promise<string> => answer('name', sha)
  const names =
    kind === 'ioredis' ? { evalsha: byName, status: 'ready' } : { evalSha: byName, subscribe: () => undefined }
  const client = Object.assign(new EventEmitter(), names, { eval: byText })
  return { link: createRedisLink(client), client, asked, known, control }
}

for (const kind of ['node-redis', 'ioredis'] as const) {
  describe(`scripts by ${kind}: one round trip each`, () => {
    it('the text goes with the first call of a bucket alone, also where many are made at once', async () => {
      const { link, asked } = setUp(kind)
      await Promise.all([1, 2, 3].map(() => link.run(ONCE, ['p:{1}:o:a', 'p:{1}:line'], [1])))
      await link.run(PROBE, ['p:{1}:line'], [])
      await link.run(ONCE, ['p:{1}:o:b', 'p:{1}:line'], [1])
      await link.run(ONCE, ['p:{2}:o:b', 'p:{2}:line'], [1])
      assert.deepEqual(asked, [
        'once by text',
        'once by name',
        'once by name',
        'probe by text',
        'once by name',
        'once by text',
      ])
    })

    it('and again after each new connection, which may lead to another server', async () => {
      const { link, client, asked } = setUp(kind)
      await link.run(ONCE, ['p:{1}:o:a'], [1])
      client.emit('ready')
      await link.run(ONCE, ['p:{1}:o:a'], [1])
      assert.deepEqual(asked, ['once by text', 'once by text'])
    })

    it('a script that the server forgot is sent once more, at the cost of a second round trip', async () => {
      const { link, known, asked } = setUp(kind)
      await link.run(ONCE, ['p:{1}:o:a'], [1])
      known.clear()
      assert.equal(await link.run(ONCE, ['p:{1}:o:a'], [1]), 'answered')
      assert.deepEqual(asked, ['once by text', 'once by name', 'once by text'])
    })

    it('a text that was refused is not taken for known', async () => {
      const { link, control, asked } = setUp(kind)
      control.fails = true
      await assert.rejects(link.run(ONCE, ['p:{1}:o:a'], [1]))
      control.fails = false
      await link.run(ONCE, ['p:{1}:o:a'], [1])
      assert.deepEqual(asked, ['once by text', 'once by text'])
    })
  })
}

for (const kind of ['node-redis', 'ioredis'] as const) {
  it(`a connection for news that cannot be made is ended, by ${kind}: it does not go on reconnecting beside the next`, async () => {
    let ended = 0
    const fail = (): Promise<never> => Promise.reject(new Error('refused'))
    const client = Object.assign(new EventEmitter(), {
      eval: fail,
      ...(kind === 'ioredis' ? { evalsha: fail, status: 'ready' } : { evalSha: fail, isPubSubActive: false }),
      subscribe: fail,
      connect: async () => undefined,
      disconnect: () => ended++,
      destroy: () => ended++,
      duplicate: () => client,
    })
    const link = createRedisLink(client)
    await assert.rejects(
      link.subscribe('news', () => undefined),
      /refused/,
    )
    assert.equal(ended, 1)
  })
}

it('a Cluster of ioredis is ended with nothing to ask for its slots with: told to while it asks, it would ask for ever', async () => {
  let refreshes = 0
  let ended = 0
  const client = Object.assign(new EventEmitter(), {
    isCluster: true,
    status: 'ready',
    eval: async () => undefined,
    evalsha: async () => undefined,
    subscribe: async () => undefined,
    refreshSlotsCache: () => void refreshes++,
    disconnect: () => ended++,
    duplicate: () => client,
  })
  const link = createRedisLink(client)
  await link.subscribe('news', () => undefined)
  client.refreshSlotsCache()
  assert.equal(refreshes, 1)
  link.close()
  client.refreshSlotsCache()
  assert.deepEqual([refreshes, ended], [1, 1])
})

describe('clients of node-redis that are not one connection', () => {
  const unused = (): never => {
    throw new Error('not asked in this test')
  }

  it('a pool, which cannot subscribe, is a mistake at start', () => {
    const pool = Object.assign(new EventEmitter(), { eval: unused, evalSha: unused })
    assert.throws(() => createRedisLink(pool), { name: 'TypeError', message: /cannot subscribe.*createClient\(\)/ })
  })

  it('a cluster is ready when it knows its servers, and again with each connection to one of them', () => {
    const cluster = Object.assign(new EventEmitter(), {
      eval: unused,
      evalSha: unused,
      subscribe: unused,
      masters: [],
      isReady: false,
    })
    const link = createRedisLink(cluster)
    let told = 0
    link.onReady(() => told++)
    assert.equal(link.cluster, true)
    cluster.emit('node-ready')
    assert.equal(told, 0, 'the others are not known yet')
    cluster.isReady = true
    cluster.emit('connect')
    cluster.emit('node-ready')
    assert.equal(told, 2)
  })

  it('a sentinel, connected or not: all goes by a duplicate with a connection reserved', async () => {
    const asked: string[] = []
    const options: unknown[] = []
    const own = Object.assign(new EventEmitter(), {
      isReady: false,
      eval: async () => void asked.push('eval'),
      subscribe: async () => void asked.push('subscribe'),
      async connect() {
        asked.push('connect')
        if (asked.length === 1) throw new Error('no sentinel answers')
        own.isReady = true
        own.emit('ready')
      },
      destroy: async () => void asked.push('destroy'),
    })
    const given = Object.assign(new EventEmitter(), {
      eval: unused,
      evalSha: unused,
      subscribe: unused,
      getSentinelNode: unused,
      duplicate(overrides: unknown) {
        options.push(overrides)
        return own
      },
    })
    const link = createRedisLink(given)
    let told = 0
    link.onReady(() => told++)
    assert.deepEqual(options, [{ reserveClient: true, masterPoolSize: 1, replicaPoolSize: 0 }])
    await assert.rejects(link.subscribe('news', unused), /no sentinel answers/)
    assert.equal(link.up(), false)
    await link.subscribe('news', unused)
    assert.equal(link.up(), true)
    assert.equal(told, 1)
    await link.run(ONCE, ['p:{1}:o:a'], [1])
    link.close()
    assert.deepEqual(asked, ['connect', 'connect', 'subscribe', 'eval', 'destroy'])
  })
})
