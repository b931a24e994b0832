import { kindOf } from '../shape/shown.ts'
import { isThenable } from '../model/thenable.ts'
import type { Script } from './redis-scripts.ts'

type Method = (...args: never[]) => unknown

/** A client of the `redis` package (node-redis ≥ 5): of `createClient`, `createCluster` or `createSentinel`; no pool, which cannot subscribe. */
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
  /** Of a cluster. */
  readonly masters?: unknown
  /** Of a sentinel. */
  readonly getSentinelNode?: unknown
  evalSha(sha: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
  eval(lua: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
  connect(): Promise<unknown>
  duplicate(overrides?: { reserveClient: true; masterPoolSize: 1; replicaPoolSize: 0 }): NodeRedis
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
  /** Of a Cluster alone. */
  refreshSlotsCache?: (done?: (error?: Error) => void) => void
}

const ignore = (): void => undefined

/** Speaks to either client in one way. Throws a `TypeError` for what is neither. */
export function createRedisLink(client: NodeRedisClient | IoRedisClient): RedisLink {
  const given: Partial<NodeRedis & IoRedis> = (client ?? {}) as never
  if (typeof given.on !== 'function' || typeof given.eval !== 'function') throw unknownClient(client)
  // Without a listener a lost connection would end the process.
  given.on('error', ignore)
  if (typeof given.evalSha === 'function') {
    if (typeof given.subscribe !== 'function') throw deafClient()
    return typeof given.getSentinelNode === 'function'
      ? nodeRedisSentinelLink(given as NodeRedis)
      : nodeRedisLink(given as NodeRedis)
  }
  if (typeof given.evalsha === 'function') return ioRedisLink(given as IoRedis)
  throw unknownClient(client)
}

function unknownClient(client: unknown): TypeError {
  const remedy = isThenable(client)
    ? 'await it first'
    : 'give a client of `redis` (createClient(), createCluster(), createSentinel()) or of `ioredis` (new Redis(), new Cluster())'
  return new TypeError(`redis(client, options): client is ${kindOf(client)}, which cannot serve; ${remedy}`)
}

function deafClient(): TypeError {
  return new TypeError(
    'redis(client, options): this client cannot subscribe, as pools cannot: revocations would not be heard. Give the client of createClient(), createCluster() or createSentinel() itself',
  )
}

/**
 * Runs scripts by name. The first time after a connection the text is sent, so that no call pays for two round trips by
 * being told that its script is unknown; once for each hash tag, since the servers of a cluster do not share scripts.
 */
function createRunner<Arguments extends unknown[]>(
  byName: (sha: string, ...args: Arguments) => Promise<unknown>,
  byText: (lua: string, ...args: Arguments) => Promise<unknown>,
): { run(script: Script, key: string, ...args: Arguments): Promise<unknown>; forget(): void } {
  const known = new Set<string>()
  return {
    async run({ sha, lua }, key, ...args) {
      const place = `${sha} ${key.slice(0, key.indexOf('}'))}`
      const isKnown = known.has(place)
      // From now on: what is sent behind it on the same connection arrives behind it.
      known.add(place)
      try {
        return await (isKnown ? byName(sha, ...args) : byText(lua, ...args))
      } catch (error) {
        if (isKnown && isUnknownScript(error)) return byText(lua, ...args)
        if (!isKnown) known.delete(place)
        throw error
      }
    },
    forget: () => known.clear(),
  }
}

const isUnknownScript = (error: unknown): boolean => error instanceof Error && error.message.startsWith('NOSCRIPT')

type NodeRedisOptions = Parameters<NodeRedis['evalSha']>[1]

const nodeRedisRunner = (client: NodeRedis): ReturnType<typeof createRunner<[NodeRedisOptions]>> =>
  createRunner(
    (sha, options: NodeRedisOptions) => client.evalSha(sha, options),
    (lua, options: NodeRedisOptions) => client.eval(lua, options),
  )

function nodeRedisLink(client: NodeRedis): RedisLink {
  const listeners: (() => void)[] = []
  const tell = (): void => listeners.forEach(listener => listener())
  const runner = nodeRedisRunner(client)
  // A cluster reports each of its servers, and when it knows them all.
  for (const event of ['ready', 'node-ready', 'connect']) {
    client.on(event, () => {
      if (client.isReady === false) return
      runner.forget()
      tell()
    })
  }
  // A single client needs a second connection to listen on; clusters see to it themselves.
  const single = typeof client.isPubSubActive === 'boolean'
  let own: NodeRedis | null = null
  let leave = ignore
  return {
    cluster: client.masters !== undefined,
    up: () => client.isReady !== false,
    run: (script, keys, args) => runner.run(script, keys[0]!, { keys: [...keys], arguments: args.map(String) }),
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
      try {
        await listening.connect()
        await listening.subscribe(channel, listener)
      } catch (error) {
        // Another try has a connection of its own: this one would go on reconnecting for nobody.
        destroy(listening)
        throw error
      }
    },
    onReady: listener => void listeners.push(listener),
    close() {
      leave()
      if (own !== null) destroy(own)
    },
  }
}

/**
 * A sentinel's client gives its connections on loan: calls that are made at once wait for each other, one round trip
 * each, unless one connection is reserved for them. So scripts and news go by a duplicate with a connection of its own,
 * and the client that was given need not be connected.
 */
function nodeRedisSentinelLink(client: NodeRedis): RedisLink {
  const own = client.duplicate({ reserveClient: true, masterPoolSize: 1, replicaPoolSize: 0 })
  const runner = nodeRedisRunner(own)
  let closed = false
  let connecting: Promise<unknown> | null = null
  own.on('error', ignore)
  const connect = (): Promise<unknown> => {
    connecting ??= own
      .connect()
      .then(() => {
        if (closed) destroy(own)
      })
      .catch((error: unknown) => {
        connecting = null
        throw error
      })
    return connecting
  }
  void connect().catch(ignore)
  return {
    cluster: false,
    up: () => own.isReady !== false,
    run: (script, keys, args) => runner.run(script, keys[0]!, { keys: [...keys], arguments: args.map(String) }),
    async subscribe(channel, listener) {
      await connect()
      await own.subscribe(channel, listener)
    },
    onReady(listener) {
      own.on('ready', () => {
        runner.forget()
        listener()
      })
    },
    close() {
      closed = true
      destroy(own)
    },
  }
}

function destroy(client: NodeRedis): void {
  try {
    void Promise.resolve(client.destroy()).catch(ignore)
  } catch {
    // It was never connected.
  }
}

function ioRedisLink(client: IoRedis): RedisLink {
  const listeners: (() => void)[] = []
  const tell = (): void => listeners.forEach(listener => listener())
  const runner = createRunner(
    (sha, keys: number, ...rest: string[]) => client.evalsha(sha, keys, ...rest),
    (lua, keys: number, ...rest: string[]) => client.eval(lua, keys, ...rest),
  )
  client.on('ready', () => {
    runner.forget()
    tell()
  })
  let own: IoRedis | null = null
  return {
    cluster: client.isCluster === true,
    // `wait` is a lazy client that connects on its first command.
    up: () => client.status === 'ready' || client.status === 'wait',
    run: (script, keys, args) => runner.run(script, keys[0]!, keys.length, ...keys, ...args.map(String)),
    async subscribe(channel, listener) {
      const listening = client.duplicate()
      own = listening
      listening.on('error', ignore)
      listening.on('ready', tell)
      listening.on('message', (from, message) => {
        if (from === channel) listener(String(message))
      })
      try {
        await listening.subscribe(channel)
      } catch (error) {
        // Another try has a connection of its own: this one would go on reconnecting for nobody.
        end(listening)
        throw error
      }
    },
    onReady: listener => void listeners.push(listener),
    close() {
      if (own !== null) end(own)
    },
  }
}

/**
 * Ends a connection of our own. A Cluster that is told to while it asks for its slots, as it does every few seconds, asks
 * for them for ever after (ioredis 6.0): so it is left nothing to ask with.
 */
function end(client: IoRedis): void {
  if (client.isCluster === true) client.refreshSlotsCache = ignore
  client.disconnect()
}
