import { after, before, describe } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { redis, type RedisStore } from 'sallyport/store/redis'
import { storeConformance } from '../../packages/sallyport/test/store/conformance.ts'
import { connect } from './clients.ts'
import { SECRET } from './orders.ts'
import { startRedisCluster } from './redis-cluster.ts'
import { startRedisSentinels } from './redis-sentinel.ts'

const topologies = {
  async sentinel() {
    const { sentinels, close } = await startRedisSentinels()
    return { port: sentinels[0]!.port, close }
  },
  async cluster() {
    const { servers, close } = await startRedisCluster()
    return { port: servers[0]!.port, close }
  },
} as const

// Beside one another: what takes its time here is waiting for what expires.
describe('on more than one server', { concurrency: true }, () => {
  for (const topology of ['sentinel', 'cluster'] as const) {
    describe(`a Redis store, ${topology}`, () => {
      let started: Awaited<ReturnType<(typeof topologies)[typeof topology]>>
      before(async () => {
        started = await topologies[topology]()
        closing.push(() => started.close())
      })
      const closing: (() => Promise<void>)[] = []
      after(async () => {
        for (const close of closing.toReversed()) await close()
      })
      for (const name of ['node-redis', 'ioredis'] as const) {
        let store: RedisStore
        before(async () => {
          const client = connect(name, topology, { host: '127.0.0.1', port: started.port })
          await client.connected()
          // What is right is tested here, not how fast a busy machine answers.
          store = redis(client.client, { secret: SECRET, deadlineMs: 2000 })
          await store.ready()
          closing.push(async () => {
            await store.close()
            client.end()
          })
        })
        // One for all: no two of its tests share a key.
        storeConformance(`${topology} by ${name}`, () => ({ store, pass: wait, close: () => undefined }))
      }
    })
  }
})
