import { setTimeout as wait } from 'node:timers/promises'
import { type FaultReport, runFault } from './fault.ts'
import type { FleetNode } from './fleet.ts'
import type { ClientName } from './orders.ts'
import { type RedisCluster, startRedisCluster } from './redis-cluster.ts'
import { startRedisSentinels } from './redis-sentinel.ts'
import { type Scale, type Scenario, stateNote, withFleet } from './scenario.ts'

/** What befalls a Redis of several servers, by either client. */
export const FAILOVERS: readonly Scenario[] = (['ioredis', 'node-redis'] as const).flatMap(client => [
  sentinelFailover(client),
  clusterFailover(client),
  clusterReshard(client),
])

/** The primary that the sentinels know is killed: they promote the replica. */
function sentinelFailover(client: ClientName): Scenario {
  const name = `SENTINEL failover, ${client}: kill -9 of the primary`
  return {
    name,
    async run(scale) {
      const sentinels = await startRedisSentinels()
      try {
        const redis = { host: '127.0.0.1', port: sentinels.sentinels[0]!.port }
        return await withFleet({ redis, client, topology: 'sentinel' }, scale, async nodes => {
          const promoted = Promise.withResolvers<number>()
          let from = 0
          const report = await runFault({
            name,
            nodes,
            survivors: nodes,
            revoker: nodes[0]!,
            async strike() {
              const primary = await sentinels.primary()
              await primary.kill('SIGKILL')
              from = performance.now()
              void (async () => {
                while ((await sentinels.primary()) === primary) await wait(50)
                promoted.resolve(performance.now())
              })().catch(promoted.reject)
            },
            lastMs: 0,
            mend: () => undefined,
            patienceMs: 60_000,
            note: async () =>
              `promoted after ${Math.round((await promoted.promise) - from)} ms; ${await stateNote(nodes[0]!)}`,
          })
          if (report.firstAt < (await promoted.promise)) throw new Error('let in while there was no primary')
          return report
        })
      } finally {
        await sentinels.close()
      }
    },
  }
}

async function withCluster(
  client: ClientName,
  scale: Scale,
  work: (redisCluster: RedisCluster, nodes: FleetNode[]) => Promise<FaultReport>,
): Promise<FaultReport> {
  const redisCluster = await startRedisCluster()
  try {
    const redis = { host: '127.0.0.1', port: redisCluster.servers[0]!.port }
    return await withFleet({ redis, client, topology: 'cluster' }, scale, nodes => work(redisCluster, nodes))
  } finally {
    await redisCluster.close()
  }
}

function clusterFailover(client: ClientName): Scenario {
  const name = `CLUSTER failover, ${client}: kill -9 of the primary that holds the heartbeats`
  return {
    name,
    run: scale =>
      withCluster(client, scale, (redisCluster, nodes) =>
        runFault({
          name,
          nodes,
          survivors: nodes,
          revoker: nodes[0]!,
          async strike() {
            const primary = await redisCluster.primaryOf('{hub}')
            await primary.kill('SIGKILL')
          },
          lastMs: 0,
          mend: () => undefined,
          patienceMs: 60_000,
          note: () => stateNote(nodes[0]!),
        }),
      ),
  }
}

/** Every slot that holds a key of ours moves to another server, one after another, while handshakes go on. */
function clusterReshard(client: ClientName): Scenario {
  const name = `CLUSTER, ${client}: every slot moves to another server`
  return {
    name,
    run: scale =>
      withCluster(client, scale, (redisCluster, nodes) => {
        let moving: Promise<void> | null = null
        let moved = 0
        const moveAll = async (): Promise<void> => {
          const buckets = Array.from({ length: 16 }, (_, bucket) => `{${bucket}}`)
          for (const tag of [...buckets, '{hub}']) {
            await redisCluster.move(tag, () => wait(20))
            moved++
          }
        }
        return runFault({
          name,
          nodes,
          survivors: nodes,
          revoker: nodes[0]!,
          strike() {
            moving = moveAll().finally(() => {
              moving = null
            })
            moving.catch(() => undefined)
          },
          lastMs: 0,
          lasts: () => moving !== null,
          mend: () => undefined,
          patienceMs: 60_000,
          note: async () => `${moved} slots moved; ${await stateNote(nodes[0]!)}`,
        })
      }),
  }
}
