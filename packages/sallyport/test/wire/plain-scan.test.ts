import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fc } from '../../../../test/support/fast-check.ts'
import { plainEnd } from '../../src/wire/plain-scan.ts'

function naive(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    const byte = bytes.at(at)!
    if (byte < 0x20 || byte === 0x22 || byte === 0x5c) return at
  }
  return end
}

describe('plainEnd', () => {
  test('judges each of the 256 bytes at every place of every alignment, among ASCII and among UTF-8', () => {
    for (const filler of [0x61, 0xff]) {
      for (let start = 0; start < 4; start++) {
        for (const length of [1, 24, 25, 42]) {
          const bytes = Buffer.alloc(start + length + 4, filler)
          for (let at = start; at < start + length; at++) {
            for (let byte = 0; byte < 256; byte++) {
              bytes[at] = byte
              const found = plainEnd(bytes, start, start + length)
              if (found !== naive(bytes, start, start + length)) {
                assert.fail(`${byte} at ${at} of [${start}, ${start + length}) among ${filler}: ${found}`)
              }
            }
            bytes[at] = filler
          }
        }
      }
    }
  })

  test('what lies before the range and behind it does not end it', () => {
    for (let offset = 0; offset < 4; offset++) {
      for (let length = 0; length <= 70; length++) {
        const memory = Buffer.allocUnsafeSlow(96)
          .fill('"')
          .fill('x', offset + 3, offset + 3 + length)
        const view = memory.subarray(offset)
        assert.equal(plainEnd(view, 3, 3 + length), 3 + length, `${length} from ${offset}`)
      }
    }
  })

  test('nor is it passed where plain bytes follow', () => {
    const bytes = Buffer.alloc(160, 'x')
    for (let start = 0; start < 4; start++) {
      for (let end = start; end <= 80; end++) assert.equal(plainEnd(bytes, start, end), end, `[${start}, ${end})`)
    }
  })

  test('the last bytes of a memory that is no whole number of words are judged too', () => {
    for (const size of [32, 33, 34, 35]) {
      const bytes = new Uint8Array(size).fill(0x61)
      assert.equal(plainEnd(bytes, 0, size), size)
      bytes[size - 1] = 0x5c
      assert.equal(plainEnd(bytes, 0, size), size - 1)
    }
  })

  test('is the loop over bytes, whatever the bytes, the range and where the memory begins', () => {
    const byte = fc.oneof(fc.integer({ min: 0x20, max: 0xff }), fc.nat(255), fc.constant(0x61), fc.constant(0x61))
    fc.assert(
      fc.property(
        fc.array(byte, { maxLength: 120 }),
        fc.nat(7),
        fc.nat(40),
        fc.nat(40),
        (plain, offset, from, less) => {
          const view = Buffer.from([...Buffer.alloc(offset), ...plain]).subarray(offset)
          const start = Math.min(from, view.length)
          const end = Math.max(start, view.length - less)
          assert.equal(plainEnd(view, start, end), naive(view, start, end))
        },
      ),
      { numRuns: 3000 },
    )
  })
})
