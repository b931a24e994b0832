import { spawnSync } from 'node:child_process'
import { setTimeout as wait } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { type RedisServer, startRedis } from '../../packages/sallyport/test/store/redis-server.ts'

/** Three primaries and a replica of each, on loopback. */
export interface RedisCluster {
  readonly servers: readonly RedisServer[]
  /** The server that holds the slot of a key as primary now. */
  primaryOf(key: string): Promise<RedisServer>
  /** Moves the slot of a key to another primary, key by key; `each` is awaited while a part of them has moved. */
  move(key: string, each: () => Promise<void>): Promise<void>
  close(): Promise<void>
}

/** Starts one; rejects with what `redis-cli` said where it cannot be made. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const servers: RedisServer[] = []
  // The bus of each stands 10 000 above its port, and below the ports that the kernel hands out.
  for (let nth = 0; nth < 6; nth++) {
    servers.push(
      await startRedis({
        cluster: true,
        args: ['--repl-diskless-sync-delay', '0'],
        port: 14_000 + (process.pid % 1000) * 6 + nth,
      }),
    )
  }
  const close = async (): Promise<void> => {
    await Promise.all(servers.map(server => server.close()))
  }
  const addresses = servers.map(({ port }) => `127.0.0.1:${port}`)
  const made = spawnSync(
    'redis-cli',
    ['--cluster', 'create', ...addresses, '--cluster-replicas', '1', '--cluster-yes'],
    {
      encoding: 'utf8',
      timeout: 60_000,
    },
  )
  if (made.status !== 0) {
    await close()
    throw new Error(`redis-cli --cluster create: ${made.error?.message ?? made.stdout}`)
  }
  const ok = async (): Promise<boolean> => {
    for (const { port } of servers) {
      const probe = new Redis({ port })
      const [info, link] = await Promise.all([probe.cluster('INFO'), probe.info('replication')])
      probe.disconnect()
      // A replica that was never in step cannot take over.
      if (!info.includes('cluster_state:ok') || link.includes('master_link_status:down')) return false
    }
    return true
  }
  for (let nth = 0; nth < 100 && !(await ok()); nth++) await wait(200)
  const primaryOf = async (key: string): Promise<RedisServer> => {
    for (const server of servers) {
      const probe = new Redis({ port: server.port, retryStrategy: () => null })
      probe.on('error', () => undefined)
      try {
        const slot = await probe.cluster('KEYSLOT', key)
        const slots = (await probe.cluster('SLOTS')) as unknown as [number, number, [string, number]][]
        const owner = slots.find(([from, to]) => slot >= from && slot <= to)?.[2][1]
        const found = servers.find(({ port }) => port === owner)
        if (found) return found
      } catch {
        // Ask another one.
      } finally {
        probe.disconnect()
      }
    }
    throw new Error(`no primary for ${key}`)
  }
  return {
    servers,
    primaryOf,
    async move(key, each) {
      const from = await primaryOf(key)
      const primaries: RedisServer[] = []
      for (const server of servers) {
        if ((await server.admin.info('replication')).includes('role:master')) primaries.push(server)
      }
      const to = primaries.find(server => server !== from)
      if (to === undefined) throw new Error('there is one primary alone')
      const slot = await from.admin.cluster('KEYSLOT', key)
      const [fromId, toId] = (await Promise.all([from, to].map(({ admin }) => admin.call('CLUSTER', 'MYID')))) as [
        string,
        string,
      ]
      await to.admin.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId)
      await from.admin.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId)
      for (;;) {
        const keys = (await from.admin.call('CLUSTER', 'GETKEYSINSLOT', slot, 4)) as string[]
        if (keys.length === 0) break
        await from.admin.call('MIGRATE', '127.0.0.1', to.port, '', 0, 5000, 'KEYS', ...keys)
        await each()
      }
      for (const { admin } of [to, from, ...primaries]) await admin.call('CLUSTER', 'SETSLOT', slot, 'NODE', toId)
    },
    close,
  }
}
