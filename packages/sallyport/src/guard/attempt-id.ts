import type { Randomness } from '../model/runtime.ts'

const ID_BYTES = 16
/** Number of ids that one call of the CSPRNG supplies. */
const POOLED = 256
/** The offsets of the 16 bytes of a UUID in its text. */
const PLACES = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34] as const
const TEXT_CHARS = 36

/** The two digits of each byte. */
const digits = Uint16Array.from({ length: 256 }, (_, byte) => {
  const pair = byte.toString(16).padStart(2, '0')
  return pair.charCodeAt(0) | (pair.charCodeAt(1) << 8)
})
const text = Buffer.alloc(TEXT_CHARS, '-')

interface Pool {
  readonly bytes: Buffer
  used: number
}
const pools = new WeakMap<Pick<Randomness, 'randomFill'>, Pool>()

/**
 * The id of a handshake and of its later connection: a random UUID (RFC 9562 §5.4) from the CSPRNG, as one flat string.
 * `randomUUID` returns a string made of parts, which takes some 500 bytes. A connection would keep them.
 */
export function createAttemptId(randomness: Pick<Randomness, 'randomFill'>): string {
  const pool = poolOf(randomness)
  const { bytes, used } = pool
  for (let index = 0; index < ID_BYTES; index++) {
    let byte = bytes[used + index]!
    if (index === 6) byte = (byte & 0x0f) | 0x40
    else if (index === 8) byte = (byte & 0x3f) | 0x80
    const pair = digits[byte]!
    const place = PLACES[index]!
    text[place] = pair & 0xff
    text[place + 1] = pair >> 8
  }
  // Erases the used bytes, so that no later bug can reveal the source of an id.
  bytes.fill(0, used, used + ID_BYTES)
  pool.used += ID_BYTES
  return text.toString('latin1')
}

/** The pool of this source. It holds the bytes for at least one id. */
function poolOf(randomness: Pick<Randomness, 'randomFill'>): Pool {
  let pool = pools.get(randomness)
  if (pool === undefined) {
    pool = { bytes: Buffer.allocUnsafeSlow(ID_BYTES * POOLED), used: ID_BYTES * POOLED }
    pools.set(randomness, pool)
  }
  if (pool.used === pool.bytes.length) {
    randomness.randomFill(pool.bytes, 0, pool.bytes.length)
    pool.used = 0
  }
  return pool
}
