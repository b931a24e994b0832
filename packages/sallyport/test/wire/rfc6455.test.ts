import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { decode, hex, singly } from './decoding.ts'
import { RULES } from './rfc6455-rows.ts'

for (const [section, rows] of Object.entries(RULES)) {
  describe(`RFC 6455 ${section}`, () => {
    for (const [name, bytes, heard, peer = 'client'] of rows) {
      test(name, () => {
        assert.deepEqual(decode([hex(bytes)], { peer }), heard)
        assert.deepEqual(decode(singly(hex(bytes)), { peer }), heard, 'one byte at a time')
      })
    }
  })
}

describe('what is cut short is not heard', () => {
  const whole = hex(`0183 37fa213d 569f4d 8084 01020304 63626166`)
  for (let length = 0; length < whole.length; length++) {
    test(`${length} of ${whole.length} bytes`, () => assert.deepEqual(decode([whole.subarray(0, length)]), []))
  }
})
