import { createCipheriv, createDecipheriv, createHmac, createSecretKey, hkdfSync } from 'node:crypto'
import type { Randomness } from '../model/runtime.ts'
import type { RevocationTarget } from '../model/store.ts'

/** A key as Redis sees it. */
export interface RedisKey {
  readonly bucket: number
  readonly key: string
}

/** A revocation as it travels. */
export interface News {
  /** The node that revoked. */
  readonly from: string
  readonly target: RevocationTarget
  /** Ms of Redis's clock. */
  readonly at: number
  /** How long its mark lasts, in ms. */
  readonly ttlMs: number
}

/** Names for keys and news that tell a reader of Redis neither session nor user nor address. */
export interface RedisNames {
  /** The name of something of one kind; what belongs to it has the same bucket, and so the same hash slot. */
  of(kind: string, id: string): RedisKey
  /** A key that a bucket has once. */
  inBucket(bucket: number, name: string): string
  /** A key that the cluster has once. */
  hub(name: string): string
  readonly channel: string
  seal(news: News): string
  /** Null for what was not sealed under this secret. */
  open(sealed: string): News | null
  /** A text that a reader of Redis cannot read, nor put under another key. */
  sealText(key: string, text: string): string
  /** Null for what was not sealed under this secret for this key. */
  openText(key: string, sealed: string): string | null
}

const IV_BYTES = 12
const TAG_BYTES = 16
/** 132 bits. */
const ID_CHARS = 22

/** Names under a prefix and a secret; `buckets` is how many hash tags the keys are spread over. */
export function createRedisNames(
  prefix: string,
  secret: string,
  buckets: number,
  { randomBytes }: Pick<Randomness, 'randomBytes'>,
): RedisNames {
  const derive = (purpose: string): Buffer =>
    Buffer.from(hkdfSync('sha256', secret, 'sallyport store', `${prefix}\0${purpose}`, 32))
  const hashKey = createSecretKey(derive('names'))
  const sealKey = derive('news')
  const textKey = derive('texts')
  const hub = (name: string): string => `${prefix}:{hub}:${name}`
  const inBucket = (bucket: number, name: string): string => `${prefix}:{${bucket}}:${name}`

  return {
    of(kind, id) {
      // UTF-16, as the ids are compared: lone surrogates stay apart.
      const digest = createHmac('sha256', hashKey).update(`${kind}\0`, 'utf16le').update(id, 'utf16le').digest()
      const bucket = digest.readUInt32BE(28) % buckets
      return { bucket, key: inBucket(bucket, `${kind}:${digest.toString('base64url', 0, 24).slice(0, ID_CHARS)}`) }
    },
    inBucket,
    hub,
    channel: hub('revoked'),
    seal: news => sealed(sealKey, randomBytes(IV_BYTES), '', JSON.stringify(news)),
    open(text) {
      try {
        const opened = unsealed(sealKey, '', text)
        return opened === null ? null : newsOf(JSON.parse(opened))
      } catch {
        return null
      }
    },
    sealText: (key, text) => sealed(textKey, randomBytes(IV_BYTES), key, text),
    openText: (key, text) => unsealed(textKey, key, text),
  }
}

/** AES-256-GCM; what it belongs to is authenticated with it. */
function sealed(secret: Buffer, iv: Buffer, belongsTo: string, text: string): string {
  const cipher = createCipheriv('aes-256-gcm', secret, iv)
  cipher.setAAD(Buffer.from(belongsTo, 'utf8'))
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64')
}

function unsealed(secret: Buffer, belongsTo: string, text: string): string | null {
  try {
    const bytes = Buffer.from(text, 'base64')
    const decipher = createDecipheriv('aes-256-gcm', secret, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES })
    decipher.setAAD(Buffer.from(belongsTo, 'utf8'))
    decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES))
    return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]).toString('utf8')
  } catch {
    return null
  }
}

function newsOf(value: unknown): News | null {
  const { from, target, at, ttlMs } = (value ?? {}) as Partial<Record<keyof News, unknown>>
  if (typeof from !== 'string' || typeof at !== 'number' || typeof ttlMs !== 'number') return null
  if (target === 'all') return { from, at, ttlMs, target }
  const { session, user } = (target ?? {}) as { session?: unknown; user?: unknown }
  if (typeof session === 'string') return { from, at, ttlMs, target: { session } }
  return typeof user === 'string' ? { from, at, ttlMs, target: { user } } : null
}

/** Most keys of one call. */
export const BATCH = 100

/** What is asked about several keys, as calls: keys of one bucket each, and no more than {@link BATCH} of them. */
export function batchesOf<T extends { readonly name: RedisKey }>(
  named: readonly T[],
): readonly { readonly bucket: number; readonly part: readonly T[] }[] {
  return [...Map.groupBy(named, ({ name }) => name.bucket)].flatMap(([bucket, group]) =>
    Array.from({ length: Math.ceil(group.length / BATCH) }, (_, nth) => ({
      bucket,
      part: group.slice(nth * BATCH, (nth + 1) * BATCH),
    })),
  )
}
