import assert from 'node:assert/strict'
import { createHmac, randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { createHmacSha256, HMAC_HEAD_BYTES } from '../../src/session/hmac.ts'

function macOf(key: Uint8Array, message: Uint8Array): string {
  const target = Buffer.alloc(32)
  createHmacSha256(key)(Buffer.concat([Buffer.alloc(HMAC_HEAD_BYTES, 0xff), message]), target)
  return target.toString('hex')
}

// RFC 4231 §4.2–§4.4, §4.7 and §4.8, but for the truncated one.
const VECTORS: readonly (readonly [key: Buffer, message: Buffer, mac: string])[] = [
  [Buffer.alloc(20, 0x0b), Buffer.from('Hi There'), 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'],
  [
    Buffer.from('Jefe'),
    Buffer.from('what do ya want for nothing?'),
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  ],
  [Buffer.alloc(20, 0xaa), Buffer.alloc(50, 0xdd), '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe'],
  [
    Buffer.alloc(131, 0xaa),
    Buffer.from('Test Using Larger Than Block-Size Key - Hash Key First'),
    '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
  ],
  [
    Buffer.alloc(131, 0xaa),
    Buffer.from(
      'This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.',
    ),
    '9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2',
  ],
]

describe('HMAC-SHA-256', () => {
  for (const [key, message, mac] of VECTORS) {
    test(`is that of RFC 4231: a key of ${key.length} bytes, a message of ${message.length}`, () => {
      assert.equal(macOf(key, message), mac)
    })
  }

  test("is Node's own for keys and messages of every length about the block's", () => {
    for (const keyBytes of [0, 1, 32, 63, 64, 65, 128, 200]) {
      for (let bytes = 0; bytes < 140; bytes++) {
        const [key, message] = [randomBytes(keyBytes), randomBytes(bytes)]
        assert.equal(macOf(key, message), createHmac('sha256', key).update(message).digest('hex'))
      }
    }
  })

  test('is the same when asked again, and differs by key', () => {
    const [key, other] = [randomBytes(32), randomBytes(32)]
    const mac = createHmacSha256(key)
    const [first, second] = [Buffer.alloc(32), Buffer.alloc(32)]
    const message = Buffer.concat([Buffer.alloc(HMAC_HEAD_BYTES), Buffer.from('ticket')])
    mac(message, first)
    mac(message, second)
    assert.deepEqual(first, second)
    createHmacSha256(other)(message, second)
    assert.notDeepEqual(first, second)
  })
})
