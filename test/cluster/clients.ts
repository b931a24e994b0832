import { Cluster, Redis } from 'ioredis'
import { createClient, createCluster, createSentinel } from 'redis'
import type { IoRedisClient, NodeRedisClient } from 'sallyport/store/redis'
import type { ClientName, NodeSetup } from './orders.ts'
import { SENTINEL_NAME } from './redis-sentinel.ts'

/** A client of one of the two packages, on its way to be connected. */
export interface ConnectingClient {
  readonly client: NodeRedisClient | IoRedisClient
  /** Resolves once it is. */
  connected(): Promise<unknown>
  end(): void
}

const soon = (nth: number): number => Math.min(50 + nth * 50, 500)

/** A client as an app would make it; `address` is the server, a server of the cluster, or a sentinel. */
export function connect(
  name: ClientName,
  topology: NonNullable<NodeSetup['topology']>,
  address: { readonly host: string; readonly port: number },
): ConnectingClient {
  return name === 'ioredis' ? byIoRedis(topology, address) : byNodeRedis(topology, address)
}

const byIoRedis = (
  topology: NonNullable<NodeSetup['topology']>,
  address: { readonly host: string; readonly port: number },
): ConnectingClient => {
  const client = {
    server: () => new Redis({ ...address, connectTimeout: 1000, retryStrategy: soon }),
    cluster: () => new Cluster([address], { slotsRefreshInterval: 500, redisOptions: { connectTimeout: 500 } }),
    sentinel: () =>
      new Redis({ sentinels: [address], name: SENTINEL_NAME, sentinelRetryStrategy: soon, retryStrategy: soon }),
  }[topology]()
  const connected = Promise.withResolvers<void>()
  client.once('ready', () => connected.resolve())
  const end = (): void => {
    // It would ask for ever if it is asking now; `end` in `store/redis-link.ts` says more.
    if (client instanceof Cluster) client.refreshSlotsCache = () => undefined
    client.disconnect()
  }
  return { client, connected: () => connected.promise, end }
}

const byNodeRedis = (
  topology: NonNullable<NodeSetup['topology']>,
  address: { readonly host: string; readonly port: number },
): ConnectingClient => {
  const socket = { reconnectStrategy: soon }
  if (topology === 'sentinel') {
    const nodeClientOptions = { socket }
    const client = createSentinel({ name: SENTINEL_NAME, sentinelRootNodes: [address], nodeClientOptions })
    // The store connects a duplicate.
    return { client, connected: async () => undefined, end: () => undefined }
  }
  const client =
    topology === 'server'
      ? createClient({ socket: { ...address, ...socket } })
      : createCluster({
          rootNodes: [{ socket: address }],
          defaults: { socket: { connectTimeout: 500, ...socket } },
          topologyRefreshOnReconnectionAttemptStrategy: 500,
        })
  return { client, connected: () => client.connect(), end: () => client.destroy() }
}
