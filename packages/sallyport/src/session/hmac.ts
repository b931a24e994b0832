import { hash } from 'node:crypto'

const BLOCK_BYTES = 64
const DIGEST_BYTES = 32

/** Room that a message leaves before its first byte, in bytes, for the key's block. */
export const HMAC_HEAD_BYTES: number = BLOCK_BYTES

/** Writes the 32 bytes of the MAC of `message` to `target`, whose length they are. */
export type Hmac = (message: Buffer, target: Buffer) => void

/**
 * HMAC-SHA-256 (RFC 2104, FIPS 198-1) under one key. `message` begins with {@link HMAC_HEAD_BYTES} that are not part of
 * it and are written over. Two hashes of one call each cost a third of an `Hmac` of Node's, which is an object, a stream
 * and a context of OpenSSL's that is made again for each ticket.
 */
export function createHmacSha256(key: Uint8Array): Hmac {
  const short = key.length > BLOCK_BYTES ? hash('sha256', key, 'buffer') : key
  const inner = Buffer.alloc(BLOCK_BYTES, 0x36)
  const outer = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES, 0x5c)
  for (const [at, byte] of short.entries()) {
    inner[at]! ^= byte
    outer[at]! ^= byte
  }
  return (message, target) => {
    inner.copy(message)
    // A string of one byte a character is cheaper to make than a buffer.
    outer.write(hash('sha256', message, 'binary'), BLOCK_BYTES, 'latin1')
    target.write(hash('sha256', outer, 'binary'), 'latin1')
  }
}
