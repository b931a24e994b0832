import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plainStringEnd, readNumber } from '../../src/fast-path/template-scan.ts'

const isPlain = (byte: number): boolean => byte >= 0x20 && byte < 0x80 && byte !== 0x22 && byte !== 0x5c

function endOf(bytes: Buffer, start: number, end: number): number {
  return (
    plainStringEnd(
      new DataView(bytes.buffer),
      bytes.byteOffset + start,
      bytes.byteOffset + end,
      bytes,
      bytes.byteOffset,
    ) - bytes.byteOffset
  )
}

for (const length of [4, 16, 19, 2048]) {
  test(`every pair of bytes, at every place of a word, in ${length} bytes`, () => {
    const bytes = Buffer.alloc(length + 1, 'x')
    for (const at of [0, 1, 2, length - 3, length - 2]) {
      for (let first = 0; first < 256; first++) {
        // Of the long ones a few: what carries from one byte to the next is the same code.
        for (let second = 0; second < 256; second += length > 100 ? 37 : 1) {
          bytes[at] = first
          bytes[at + 1] = second
          const expected = !isPlain(first) ? at : !isPlain(second) ? at + 1 : length
          if (endOf(bytes, 0, length) !== expected) assert.fail(`${first}, ${second} at ${at} of ${length}`)
        }
      }
      bytes.fill('x')
    }
  })
}

test('where all is plain, the end is the end, and what lies after it is not looked at', () => {
  const bytes = Buffer.alloc(5000, 'x')
  for (let end = 0; end < 100; end++) {
    for (let start = 0; start <= end; start++) {
      bytes[end] = 0x22
      assert.equal(endOf(bytes, start, end), end)
      assert.equal(endOf(bytes, start, end + 1), end)
      bytes[end] = 0x78
    }
  }
  for (let end = 4000; end < 4070; end++) assert.equal(endOf(bytes, 3, end), end)
})

test('a short string before much else is searched to its own end alone', () => {
  let searched = 0
  const counted = (bytes: Buffer): Buffer =>
    Object.assign(bytes.subarray(0), {
      subarray: (start?: number, end?: number) => counted(bytes.subarray(start, end)),
      indexOf(byte: number) {
        const at = bytes.indexOf(byte)
        searched += at === -1 ? bytes.length : at + 1
        return at
      },
    })
  const bytes = Buffer.alloc(1_000_000, 'x')
  for (const [quote, backslash, expected] of [
    [100, -1, 100],
    [100, 50, 50],
    [50, 100, 50],
    [3000, 2999, 2999],
  ] as const) {
    bytes.fill('x')
    bytes[quote] = 0x22
    if (backslash !== -1) bytes[backslash] = 0x5c
    searched = 0
    const view = new DataView(bytes.buffer, 0)
    const { byteOffset: offset, length } = bytes
    assert.equal(plainStringEnd(view, offset, offset + length, counted(bytes), offset) - offset, expected)
    assert.ok(searched <= 2 * quote + 2, `${searched} bytes for a string of ${expected}`)
  }
})

const numbers: readonly [text: string, value: number | null][] = [
  ['0', 0],
  ['-1', -1],
  ['12.50', 12.5],
  ['999999999999999', 999_999_999_999_999],
  ['99999999999999.9', 99_999_999_999_999.9],
  ['0.00000000000001', 1e-14],
  ['9999999999999999', null],
  ['999999999999999.9', null],
  ['0.000000000000001', null],
  ['-0', null],
  ['-0.0', null],
  ['00', null],
  ['01', null],
  ['-01', null],
  ['1.', null],
  ['.1', null],
  ['-', null],
  ['+1', null],
  ['', null],
  ['--1', null],
]
for (const [text, value] of numbers) {
  test(`number: ${text}`, () => {
    const bytes = new Uint8Array(Buffer.from(`${text}9`))
    const into = new Float64Array(1)
    const end = readNumber(new DataView(bytes.buffer), 0, text.length, into, 0)
    assert.equal(end, value === null ? 0 : text.length)
    if (value !== null) assert.ok(Object.is(into[0], value))
  })
}
