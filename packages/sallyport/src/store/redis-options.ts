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

const LEAST_SECRET_BYTES = 32

/** The options, once they are known to hold; throws a `TypeError` that says what to write instead. */
export function checkedOptions(options: RedisStoreOptions): RedisStoreOptions {
  const { secret, buckets = 16 } = options ?? {}
  if (typeof secret !== 'string' || Buffer.byteLength(secret) < LEAST_SECRET_BYTES) {
    throw new TypeError(
      `redis(client, { secret }): secret must be ${LEAST_SECRET_BYTES} bytes or more, the same on every node. Make one with: openssl rand -base64 32`,
    )
  }
  if (!Number.isInteger(buckets) || buckets < 1 || buckets > 4096) {
    throw new TypeError(`redis(client, { buckets }): a whole number from 1 to 4096, not ${String(buckets)}`)
  }
  for (const name of ['deadlineMs', 'graceMs', 'heartbeatMs', 'settleMs', 'maxKeys'] as const) {
    const value = options[name]
    if (value !== undefined && !(value > 0 && value < 2 ** 31)) {
      throw new TypeError(`redis(client, { ${name} }): a number above 0, not ${String(value)}`)
    }
  }
  const { graceMs = 60_000, heartbeatMs = 1000 } = options
  if (graceMs < 3 * heartbeatMs) {
    throw new TypeError(
      `redis(client, { graceMs: ${graceMs} }): three heartbeats (${heartbeatMs} ms each) or more, or one late answer ends every connection`,
    )
  }
  return options
}
