import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fc } from '../../../../test/support/fast-check.ts'
import { applyMask, maskingKey } from '../../src/wire/index.ts'
import { copyMasked } from '../../src/wire/mask.ts'

/** RFC 6455 §5.3 as it is written: j = i mod 4. */
function masked(bytes: Uint8Array, key: Uint8Array, phase: number): number[] {
  const turns = Buffer.from(key)
  return [...bytes].map((byte, index) => byte ^ turns.readUInt8((index + phase) % 4))
}

describe('applyMask', () => {
  test('is RFC 6455 §5.3 at every alignment, length and phase, and tells ASCII', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 80 }),
        fc.uint8Array({ minLength: 4, maxLength: 4 }),
        fc.nat(19),
        fc.nat(7),
        fc.nat(1000),
        fc.boolean(),
        (plain, key, offset, before, phase, ascii) => {
          const bytes = ascii ? plain.map(byte => byte & 127) : plain
          // A view, as the buffers of a pool are.
          const memory = Buffer.alloc(before + offset + bytes.length + 5, 0xaa).subarray(before)
          memory.set(masked(bytes, key, phase), offset)
          const found = applyMask(memory, offset, offset + bytes.length, Buffer.from(key).readInt32LE(), phase)
          assert.deepEqual([...memory.subarray(offset, offset + bytes.length)], [...bytes])
          assert.equal(
            found,
            bytes.every(byte => byte < 128),
          )
          assert.ok(memory.subarray(0, offset).every(byte => byte === 0xaa))
          assert.ok(memory.subarray(offset + bytes.length).every(byte => byte === 0xaa))
        },
      ),
      { numRuns: 2000 },
    )
  })

  test('one byte that is not ASCII is found at every place, at every alignment', () => {
    for (let start = 0; start < 4; start++) {
      for (let length = 1; length <= 40; length++) {
        for (let place = start; place < start + length; place++) {
          const bytes = Buffer.alloc(start + length, 0x61)
          bytes[place] = 0x80
          assert.equal(applyMask(bytes, start, start + length, 0, 0), false, `${place - start} of ${length}`)
        }
      }
    }
  })

  test('works on a view into larger memory', () => {
    const memory = Buffer.allocUnsafeSlow(64).fill(0)
    const view = memory.subarray(3, 60)
    applyMask(view, 1, 57, 0x04030201, 0)
    assert.equal(memory.toString('hex'), `00000000${'01020304'.repeat(14)}00000000`)
  })
})

test('buffers that take turns, some of one memory, are never taken for each other', () => {
  const memory = Buffer.allocUnsafeSlow(96).fill(0)
  const buffers = [memory, Buffer.alloc(40), memory.subarray(32, 72), Buffer.allocUnsafeSlow(64).fill(0)]
  const expected = buffers.map(buffer => buffer.length)
  for (const turn of [0, 0, 1, 0, 1, 2, 0, 2, 3, 0, 3, 1, 2, 2, 0, 3, 3, 2, 1]) {
    const buffer = buffers[turn]!
    const before = buffers.map(other => other.toString('hex'))
    applyMask(buffer, 0, 40, 0x01010101, 0)
    for (const [index, other] of buffers.entries()) {
      assert.equal(other.length, expected[index])
      if (other.buffer !== buffer.buffer)
        assert.equal(other.toString('hex'), before[index], 'another memory is as it was')
    }
    applyMask(buffer, 0, 40, 0x01010101, 0)
    assert.deepEqual(
      buffers.map(other => other.toString('hex')),
      before,
      'twice is as it was',
    )
  }
})

describe('copyMasked', () => {
  test('is RFC 6455 §5.3 at every alignment and length; the source and what lies around the copy stay as they were', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 80 }),
        fc.uint8Array({ minLength: 4, maxLength: 4 }),
        fc.nat(7),
        fc.nat(7),
        (plain, key, from, at) => {
          const source = Buffer.alloc(from + plain.length + 5, 0xaa)
          source.set(plain, from)
          const before = source.toString('hex')
          const target = Buffer.alloc(at + plain.length + 5, 0xbb)
          const end = at + plain.length
          const written = copyMasked(target, at, source, from, from + plain.length, Buffer.from(key).readInt32LE())
          assert.equal(written, end)
          assert.deepEqual([...target.subarray(at, end)], masked(plain, key, 0))
          assert.equal(source.toString('hex'), before)
          assert.ok(target.subarray(0, at).every(byte => byte === 0xbb))
          assert.ok(target.subarray(end).every(byte => byte === 0xbb))
        },
      ),
      { numRuns: 2000 },
    )
  })

  const memory = Buffer.alloc(64, 0x41)
  const outside: readonly [name: string, at: number, from: number, to: number][] = [
    ['of a source behind its end, though its memory goes on', 0, 30, 41],
    ['of a source before its begin, though memory is there', 0, -1, 10],
    ['into a target behind its end', 31, 0, 10],
    ['into a target before its begin', -1, 0, 10],
  ]
  for (const [name, at, from, to] of outside) {
    test(`copies nothing ${name}: a RangeError`, () => {
      const source = memory.subarray(8, 48)
      assert.throws(() => copyMasked(Buffer.alloc(40), at, source, from, to, 0), RangeError)
    })
  }

  test('buffers that take turns are never taken for each other', () => {
    const buffers = ['a', 'b', 'c', 'd'].map(letter => Buffer.alloc(40, letter))
    const target = Buffer.alloc(40)
    for (const turn of [0, 0, 1, 0, 1, 2, 0, 2, 3, 0, 3, 1, 2, 2, 0, 3, 3, 2, 1]) {
      copyMasked(target, 0, buffers[turn]!, 0, 40, 0)
      assert.equal(target.toString(), buffers[turn]!.toString())
      const other = Buffer.alloc(40)
      copyMasked(other, 0, target, 0, 40, 0)
      assert.equal(other.toString(), target.toString())
    }
  })
})

describe('maskingKey', () => {
  test('gives keys that do not repeat, over the end of its pool', () => {
    const keys = new Set(Array.from({ length: 5000 }, maskingKey))
    assert.ok(Array.from(keys).every(key => Number.isInteger(key)))
    // The birthday bound: 5 000 draws of 32 bits collide about 0.003 times.
    assert.ok(keys.size >= 4998, `${keys.size} of 5000`)
  })
})
