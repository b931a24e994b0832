import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { redis, type RedisStore } from 'sallyport/store/redis'
import type { RedisServer } from '../../packages/sallyport/test/store/redis-server.ts'
import { connect } from './clients.ts'
import { type ClientName, SECRET } from './orders.ts'
import { startRedisCluster } from './redis-cluster.ts'
import { startRedisSentinels } from './redis-sentinel.ts'

/** No heartbeat comes in time: only a publication can tell. */
const DEAF = { secret: SECRET, deadlineMs: 1000, heartbeatMs: 30_000, graceMs: 90_000 }
const PATIENCE_MS = 60_000

const topologies = {
  async sentinel() {
    const { sentinels, servers, close } = await startRedisSentinels()
    return { entries: sentinels, servers, close }
  },
  async cluster() {
    const { servers, close } = await startRedisCluster()
    return { entries: servers, servers, close }
  },
} as const

/** What `attempt` answers once it neither fails nor answers null; rejects when that does not come. */
async function eventually<T>(what: string, attempt: () => Promise<T | null>): Promise<T> {
  const until = performance.now() + PATIENCE_MS
  for (;;) {
    try {
      const answer = await attempt()
      if (answer !== null) return answer
    } catch {
      // Not yet.
    }
    if (performance.now() > until) throw new Error(`never came: ${what}`)
    await wait(100)
  }
}

/** The server on which somebody subscribes to our channel; null for none. */
async function listenedAt(servers: readonly RedisServer[]): Promise<RedisServer | null> {
  for (const server of servers) {
    const channels = (await server.admin.pubsub('CHANNELS', 'sallyport:*')) as string[]
    if (channels.length > 0) return server
  }
  return null
}

for (const topology of ['sentinel', 'cluster'] as const) {
  for (const name of ['node-redis', 'ioredis'] as const satisfies ClientName[]) {
    test(`${topology} by ${name}: the server that the news came from is killed, and publications are heard again`, async () => {
      const { entries, servers, close } = await topologies[topology]()
      const ends: (() => Promise<void>)[] = [close]
      const join = async (entry: RedisServer): Promise<RedisStore> => {
        const client = connect(name, topology, { host: '127.0.0.1', port: entry.port })
        const store = redis(client.client, DEAF)
        ends.push(async () => {
          await store.close()
          client.end()
        })
        await client.connected()
        await eventually('a node that is ready', async () => {
          await store.ready()
          return true
        })
        return store
      }
      try {
        const listening = await join(entries[0]!)
        const source = await eventually('a subscription', () => listenedAt(servers))
        const telling = await join(entries.at(-1)!)
        const published = new Set<string>()
        listening.onRevoked((target, at) => {
          // What a look at the log brought has the time that it is of.
          if (target !== 'all' && 'session' in target && at === undefined) published.add(target.session)
        })
        let nth = 0
        const heard = (): Promise<boolean> =>
          eventually('a publication', async () => {
            const session = `s${nth++}`
            await telling.revoke({ session }, 60_000)
            await wait(100)
            return published.has(session) ? true : null
          })
        assert.ok(await heard())
        await source.kill('SIGKILL')
        assert.ok(await heard())
      } finally {
        for (const end of ends.toReversed()) await end()
      }
    })
  }
}
