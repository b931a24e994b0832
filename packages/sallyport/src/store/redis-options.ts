import { LONGEST_MS } from '../shape/duration.ts'
import { requireFunction, requireNumber, requireOptions } from '../shape/options.ts'
import { isPlaceholder } from '../shape/secret-value.ts'
import { kindOf, show } from '../shape/shown.ts'
import { MOST_KEYS } from './memory-options.ts'

/** Options of `redis`. Times in ms. */
export interface RedisStoreOptions {
  /**
   * 32 bytes or more, the same on every node: keys in Redis are hashed under it and news are sealed, so that a reader of
   * Redis learns neither session nor user nor address. The ticket secret will do.
   */
  readonly secret: string
  /** Begins every key. Default `sallyport`. Apps that share a Redis have one each. */
  readonly prefix?: string
  /** Hash tags that keys are spread over: as many servers of a cluster can take part. The same on every node. Default 16. */
  readonly buckets?: number
  /** A call that Redis leaves unanswered is denied within it: it waits for four fifths, well above a round trip. Default 50. */
  readonly deadlineMs?: number
  /** How long open connections live on while Redis is away; then they end. Three heartbeats or more. Default 60 000. */
  readonly graceMs?: number
  /** Between two heartbeats, which also look for missed revocations. Default 1000. */
  readonly heartbeatMs?: number
  /** After Redis lost what it knew: no new connection for so long, until every node has told it again. Default 3000. */
  readonly settleMs?: number
  /**
   * By which part of its burst all nodes together may exceed a budget of messages; or by one message for each node where
   * the user is connected, if that is more. Default 0.1.
   */
  readonly excess?: number
  /** Bound on places held, and on budgets shared, by this node: each. Default 1 000 000. */
  readonly maxKeys?: number
  /** Ms since the epoch. Default `Date.now`. */
  readonly now?: () => number
}

const KEYS: readonly (keyof RedisStoreOptions)[] = [
  'secret',
  'prefix',
  'buckets',
  'deadlineMs',
  'graceMs',
  'heartbeatMs',
  'settleMs',
  'excess',
  'maxKeys',
  'now',
]
const WHO = 'redis(client, options)'
const LEAST_SECRET_BYTES = 32
const TIMES = ['deadlineMs', 'graceMs', 'heartbeatMs', 'settleMs'] as const

/** The options, once they are known to hold; throws a `TypeError` that says what to write instead. */
export function checkedOptions(options: RedisStoreOptions): RedisStoreOptions {
  const { prefix } = requireOptions(WHO, options, KEYS, 'redis(client, { secret: process.env.STORE_SECRET })', {
    url: 'the URL where the client is made: createClient({ url })',
    keyPrefix: 'prefix',
  })
  requireSecret(options.secret)
  // Braces are what Redis chooses the server by.
  if (prefix !== undefined && (typeof prefix !== 'string' || !/^[\w.:/-]{1,64}$/.test(prefix))) {
    throw new TypeError(
      `${WHO}: prefix is ${show(prefix)}; write 1 to 64 letters, digits, '.', ':', '/', '_' or '-': 'sallyport'`,
    )
  }
  requireNumber(WHO, 'buckets', options.buckets, { least: 1, most: 4096 })
  for (const name of TIMES) requireNumber(WHO, name, options[name], { least: 1, most: LONGEST_MS, fraction: true })
  requireNumber(WHO, 'maxKeys', options.maxKeys, { least: 1, most: MOST_KEYS })
  requireNumber(WHO, 'excess', options.excess, { least: 0, most: 1, fraction: true })
  requireFunction(WHO, 'now', options.now, '() => Date.now()')
  const { graceMs = 60_000, heartbeatMs = 1000 } = options
  if (graceMs < 3 * heartbeatMs) {
    throw new TypeError(
      `${WHO}: graceMs is ${graceMs}; write three heartbeats (${heartbeatMs} ms each) or more, or one late answer ends every connection`,
    )
  }
  return options
}

/** The secret is not shown: its kind and length are. */
function requireSecret(secret: unknown): void {
  const bytes = typeof secret === 'string' ? Buffer.byteLength(secret) : 0
  const what =
    typeof secret !== 'string'
      ? kindOf(secret)
      : bytes < LEAST_SECRET_BYTES
        ? `(hidden, ${bytes} bytes)`
        : isPlaceholder(secret)
          ? `(hidden, ${bytes} bytes), a placeholder that anybody can guess`
          : null
  if (what === null) return
  throw new TypeError(
    `${WHO}: secret is ${what}; it must be text of ${LEAST_SECRET_BYTES} bytes or more, the same on every node. Make one with: openssl rand -base64 32`,
  )
}
