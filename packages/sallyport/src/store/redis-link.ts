import type { Script } from './redis-scripts.ts'

type Method = (...args: never[]) => unknown

/** A client of the `redis` package (node-redis ≥ 5): `createClient`, `createCluster`, `createSentinel` or a pool. */
export interface NodeRedisClient {
  readonly evalSha: Method
  readonly eval: Method
  readonly on: Method
}

/** A client of the `ioredis` package (≥ 5): `Redis`, also over Sentinel, or `Cluster`. */
export interface IoRedisClient {
  readonly evalsha: Method
  readonly eval: Method
  readonly on: Method
}

/** What a store asks of a Redis client, whichever it is. */
export interface RedisLink {
  /** Whether keys may live on several servers. */
  readonly cluster: boolean
  /** False where the client itself knows that it is not connected: asking it would only queue. */
  up(): boolean
  /** Runs a script by its name, and by its text where the server does not know it yet. */
  run(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown>
  /** Subscribes on a connection of its own. Rejects when it cannot be made. */
  subscribe(channel: string, listener: (message: string) => void): Promise<void>
  /** Calls `listener` whenever a connection is ready: at first, and after each loss. */
  onReady(listener: () => void): void
  /** Ends the connections that were opened here; the client is left to whoever made it. */
  close(): void
}

interface Emitter {
  on(event: string, listener: (...args: unknown[]) => void): unknown
  off?(event: string, listener: (...args: unknown[]) => void): unknown
}

interface NodeRedis extends Emitter {
  readonly isReady?: boolean
  readonly isPubSubActive?: boolean
  readonly masters?: unknown
  evalSha(sha: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
  eval(lua: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
  connect(): Promise<unknown>
  duplicate(): NodeRedis
  subscribe(channel: string, listener: (message: string) => void): Promise<unknown>
  unsubscribe(channel: string, listener: (message: string) => void): Promise<unknown>
  destroy(): unknown
}

interface IoRedis extends Emitter {
  readonly status: string
  readonly isCluster?: boolean
  evalsha(sha: string, keys: number, ...args: string[]): Promise<unknown>
  eval(lua: string, keys: number, ...args: string[]): Promise<unknown>
  duplicate(): IoRedis
  subscribe(channel: string): Promise<unknown>
  disconnect(): void
}

const ignore = (): void => undefined

/** Speaks to either client in one way. Throws a `TypeError` for what is neither. */
export function createRedisLink(client: NodeRedisClient | IoRedisClient): RedisLink {
  const given: Partial<NodeRedis & IoRedis> = (client ?? {}) as never
  if (typeof given.on !== 'function' || typeof given.eval !== 'function') throw unknownClient()
  // Without a listener a lost connection would end the process.
  given.on('error', ignore)
  if (typeof given.evalSha === 'function') return nodeRedisLink(given as NodeRedis)
  if (typeof given.evalsha === 'function') return ioRedisLink(given as IoRedis)
  throw unknownClient()
}

function unknownClient(): TypeError {
  return new TypeError(
    'redis(client): client must be a client of `redis` (createClient(), createCluster(), …) or of `ioredis` (new Redis())',
  )
}

const isUnknownScript = (error: unknown): boolean => error instanceof Error && error.message.startsWith('NOSCRIPT')

function nodeRedisLink(client: NodeRedis): RedisLink {
  const listeners: (() => void)[] = []
  const tell = (): void => listeners.forEach(listener => listener())
  client.on('ready', tell)
  // A single client needs a second connection to listen on; clusters, pools and sentinels see to it themselves.
  const single = typeof client.isPubSubActive === 'boolean'
  let own: NodeRedis | null = null
  let leave = ignore
  return {
    cluster: client.masters !== undefined,
    up: () => client.isReady !== false,
    async run({ sha, lua }, keys, args) {
      const options = { keys: [...keys], arguments: args.map(String) }
      try {
        return await client.evalSha(sha, options)
      } catch (error) {
        if (!isUnknownScript(error)) throw error
        return client.eval(lua, options)
      }
    },
    async subscribe(channel, listener) {
      if (!single) {
        await client.subscribe(channel, listener)
        leave = () => void client.unsubscribe(channel, listener).catch(ignore)
        return
      }
      const listening = client.duplicate()
      own = listening
      listening.on('error', ignore)
      listening.on('ready', tell)
      await listening.connect()
      await listening.subscribe(channel, listener)
    },
    onReady: listener => void listeners.push(listener),
    close() {
      leave()
      try {
        own?.destroy()
      } catch {
        // It was never connected.
      }
    },
  }
}

function ioRedisLink(client: IoRedis): RedisLink {
  const listeners: (() => void)[] = []
  const tell = (): void => listeners.forEach(listener => listener())
  client.on('ready', tell)
  let own: IoRedis | null = null
  return {
    cluster: client.isCluster === true,
    // `wait` is a lazy client that connects on its first command.
    up: () => client.status === 'ready' || client.status === 'wait',
    async run({ sha, lua }, keys, args) {
      const rest = [...keys, ...args.map(String)]
      try {
        return await client.evalsha(sha, keys.length, ...rest)
      } catch (error) {
        if (!isUnknownScript(error)) throw error
        return client.eval(lua, keys.length, ...rest)
      }
    },
    async subscribe(channel, listener) {
      const listening = client.duplicate()
      own = listening
      listening.on('error', ignore)
      listening.on('ready', tell)
      listening.on('message', (from, message) => {
        if (from === channel) listener(String(message))
      })
      await listening.subscribe(channel)
    },
    onReady: listener => void listeners.push(listener),
    close() {
      own?.disconnect()
    },
  }
}
