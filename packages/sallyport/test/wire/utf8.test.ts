import assert from 'node:assert/strict'
import { isUtf8 } from 'node:buffer'
import { describe, test } from 'node:test'
import { fc } from '../../../../test/support/fast-check.ts'
import { checkUtf8 } from '../../src/wire/utf8.ts'

/** Whether any continuation makes the bytes UTF-8: the judge that `checkUtf8` must agree with. */
function hasCompletion(bytes: Buffer): boolean {
  if (isUtf8(bytes)) return true
  const tails: number[][] = [[]]
  for (let depth = 0; depth < 3; depth++) {
    for (const tail of tails.filter(known => known.length === depth)) {
      for (const next of [0x80, 0x90, 0xa0, 0xbf]) {
        const longer = [...tail, next]
        if (isUtf8(Buffer.concat([bytes, Buffer.from(longer)]))) return true
        tails.push(longer)
      }
    }
  }
  return false
}

// The bytes where the table of RFC 3629 changes, so that short random strings are near every rule.
const edge = fc.constantFrom(0x00, 0x61, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1)
const high = fc.constantFrom(0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff)
const bytesNearRules = fc.array(fc.oneof(edge, high), { maxLength: 8 }).map(bytes => Buffer.from(bytes))

describe('checkUtf8', () => {
  test('refuses exactly what no further byte can mend', () => {
    fc.assert(
      fc.property(bytesNearRules, bytes => {
        assert.equal(checkUtf8(bytes, 0, bytes.length) >= 0, hasCompletion(bytes), bytes.toString('hex'))
      }),
      { numRuns: 20_000 },
    )
  })

  test('every sequence of up to three bytes at the edges', () => {
    const edges = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec]
    const all = [...edges, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff]
    for (const first of all) {
      for (const second of all) {
        for (const third of all) {
          for (const bytes of [[first], [first, second], [first, second, third]].map(list => Buffer.from(list))) {
            assert.equal(checkUtf8(bytes, 0, bytes.length) >= 0, hasCompletion(bytes), bytes.toString('hex'))
          }
        }
      }
    }
  })

  test('goes on from where characters were whole, in any cut', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), fc.array(fc.nat(8)), (text, steps) => {
        const bytes = Buffer.from(text)
        let checked = 0
        let end = 0
        for (const step of [...steps, bytes.length]) {
          end = Math.min(bytes.length, end + step)
          checked = checkUtf8(bytes, checked, end)
          assert.ok(checked >= 0 && end - checked < 4)
          assert.ok(isUtf8(bytes.subarray(0, checked)))
        }
        assert.equal(checked, bytes.length)
      }),
    )
  })

  test('tells up to where characters are whole', () => {
    const rows = [
      ['', 0],
      ['61', 1],
      ['61c3', 1],
      ['61c3a9', 3],
      ['e282', 0],
      ['f09f98', 0],
      ['f09f9880', 4],
      ['61f0', 1],
    ] as const
    for (const [bytes, whole] of rows) assert.equal(checkUtf8(Buffer.from(bytes, 'hex'), 0, bytes.length / 2), whole)
  })
})
