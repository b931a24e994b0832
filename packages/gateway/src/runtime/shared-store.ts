import { createHmac } from 'node:crypto'
import type { Logger } from 'pino'
import type { Store } from 'sallyport'
import { redis } from 'sallyport/store/redis'
import type { StoreConfig } from '../model/config.ts'
import type { Secrets } from './shared-parts.ts'

/** A store that several gateways share, and what they all derive from its secret. */
export interface SharedStore {
  readonly store: Store
  readonly secrets: Secrets
  close(): Promise<void>
}

/** Longest wait for Redis at the start; after it handshakes are denied until it answers. */
const PATIENCE_MS = 5000
const RETRY_MS = 500

const REMEDY = 'start Redis there, open the way to it, or correct store.redis.url'

/**
 * Connects to Redis by the optional peer `redis`. A Redis that is down is no reason not to start: until it answers, what
 * needs it is denied (503), and the log says so. Rejects where the package is missing.
 */
export async function openSharedStore({ url, secret, prefix }: StoreConfig, log: Logger): Promise<SharedStore> {
  const { createClient } = await import('redis').catch((error: unknown) => {
    throw new Error('store.redis needs the package `redis` (5 or later) beside the gateway: npm install redis', {
      cause: error,
    })
  })
  const client = createClient({ url, socket: { reconnectStrategy: RETRY_MS, connectTimeout: PATIENCE_MS } })
  tellOfClient(client, url, log)
  const connected = client.connect().then(
    () => true,
    () => false,
  )
  const store = redis(client, { secret, prefix })
  tellOfState(store, log)
  const inTime = await Promise.race([
    connected
      .then(() => store.ready())
      .then(
        () => true,
        () => false,
      ),
    new Promise<false>(resolve => {
      setTimeout(() => resolve(false), PATIENCE_MS).unref()
    }),
  ])
  if (!inTime) log.error({ kind: 'store' }, 'Redis does not answer: handshakes are denied until it does')
  const derive = (what: string): string =>
    createHmac('sha256', secret).update(`sallyport-gateway ${what}`).digest('base64')
  return {
    store,
    secrets: { ticketSecret: derive('ticket'), hashKey: derive('events') },
    async close() {
      await store.close().catch(() => undefined)
      client.destroy()
    },
  }
}

/** A client of `redis`, as far as its events go. */
interface RedisEvents {
  on(event: 'error', listener: (error: unknown) => void): unknown
  on(event: 'ready', listener: () => void): unknown
}

function tellOfClient(client: RedisEvents, url: string, log: Logger): void {
  let told = ''
  // The code alone, once: the message could hold the URL, and with it the password.
  client.on('error', (error: unknown) => {
    const { code, name } = error as NodeJS.ErrnoException
    const what = code ?? name
    if (what !== told) {
      const at = URL.parse(url)?.host
      log.error(
        { kind: 'store', code: what, at, remedy: REMEDY },
        'Redis cannot be reached; nobody is let in until it is',
      )
    }
    told = what
  })
  client.on('ready', () => {
    told = ''
    log.info({ kind: 'store' }, 'Redis is reached')
  })
}

function tellOfState(store: ReturnType<typeof redis>, log: Logger): void {
  // Each probe makes two states: an outage is reported once, and so is its end.
  let isAway = false
  store.onState(({ state, detail }) => {
    if (state === 'probing' || (state === 'unavailable' && isAway)) return
    isAway = state === 'unavailable'
    if (state === 'available') log.info({ kind: 'store', state }, detail)
    else log.error({ kind: 'store', state }, detail)
  })
}
