import { setTimeout as wait } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { type RedisServer, startRedis } from '../../packages/sallyport/test/store/redis-server.ts'

/** The name under which the sentinels know the primary. */
export const SENTINEL_NAME = 'sallyport'

/** A primary, its replica, and three sentinels of which two decide, on loopback. */
export interface RedisSentinels {
  readonly sentinels: readonly RedisServer[]
  readonly servers: readonly RedisServer[]
  /** The server that the sentinels name as primary now. */
  primary(): Promise<RedisServer>
  close(): Promise<void>
}

/** Starts them; rejects where the sentinels do not come to know each other and the replica. */
export async function startRedisSentinels(): Promise<RedisSentinels> {
  const all: RedisServer[] = []
  const start = async (options: Parameters<typeof startRedis>[0]): Promise<RedisServer> => {
    const server = await startRedis(options)
    all.push(server)
    return server
  }
  const close = async (): Promise<void> => {
    await Promise.all(all.map(server => server.close()))
  }
  try {
    const first = await start({ args: ['--repl-diskless-sync-delay', '0'] })
    const replica = await start({ args: ['--replicaof', '127.0.0.1', `${first.port}`] })
    const sentinel = [
      `sentinel monitor ${SENTINEL_NAME} 127.0.0.1 ${first.port} 2`,
      `sentinel down-after-milliseconds ${SENTINEL_NAME} 1000`,
      `sentinel failover-timeout ${SENTINEL_NAME} 6000`,
      '',
    ].join('\n')
    const sentinels = [await start({ sentinel }), await start({ sentinel }), await start({ sentinel })]
    const servers = [first, replica]
    const primaryAt = async (probe: Redis): Promise<RedisServer | undefined> => {
      const [, port] = (await probe.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', SENTINEL_NAME)) as string[]
      return servers.find(server => server.port === Number(port))
    }
    const ready = async (probe: Redis): Promise<boolean> => {
      const [replicas, others] = (await Promise.all([
        probe.call('SENTINEL', 'REPLICAS', SENTINEL_NAME),
        probe.call('SENTINEL', 'SENTINELS', SENTINEL_NAME),
      ])) as [string[][], unknown[]]
      // A replica that was never in step cannot take over.
      const inStep = replicas.filter(fields => fields[fields.indexOf('master-link-status') + 1] === 'ok')
      return inStep.length === 1 && others.length === 2
    }
    const asked = await Promise.all(sentinels.map(({ port }) => settled(port, ready)))
    if (asked.includes(false)) throw new Error('the sentinels did not find each other and the replica')
    return {
      sentinels,
      servers,
      async primary() {
        const found = await withProbe(sentinels[0]!.port, primaryAt)
        if (found === undefined) throw new Error('the sentinels name no primary')
        return found
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function withProbe<T>(port: number, work: (probe: Redis) => Promise<T>): Promise<T> {
  const probe = new Redis({ port, retryStrategy: () => null })
  probe.on('error', () => undefined)
  try {
    return await work(probe)
  } finally {
    probe.disconnect()
  }
}

/** Whether it holds within 30 s: sentinels look at a replica every 10 s while nothing is wrong. */
async function settled(port: number, holds: (probe: Redis) => Promise<boolean>): Promise<boolean> {
  for (let nth = 0; nth < 150; nth++) {
    if (await withProbe(port, holds)) return true
    await wait(200)
  }
  return false
}
