import { after, before, describe } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { createClient } from 'redis'
import { redis } from '../../src/store/redis.ts'
import { storeConformance } from './conformance.ts'
import { type RedisServer, startRedis } from './redis-server.ts'

const secret = 'a secret of tests that is long enough'
/** What is right is tested here, not how fast a busy machine answers. */
const deadlineMs = 2000

describe('a Redis store', () => {
  let server: RedisServer
  before(async () => {
    server = await startRedis()
  })
  after(() => server.close())

  storeConformance('Redis by node-redis', async () => {
    const client = createClient({ socket: { port: server.port } })
    const store = redis(client, { secret, deadlineMs })
    await client.connect()
    await store.ready()
    return {
      store,
      pass: wait,
      async close() {
        await store.close()
        client.destroy()
      },
    }
  })
})
