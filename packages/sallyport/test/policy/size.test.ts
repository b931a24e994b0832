import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LARGEST_BYTES, parseSize } from '../../src/shape/size.ts'

const GOOD: readonly (readonly [unknown, number])[] = [
  [1, 1],
  [65_536, 65_536],
  [LARGEST_BYTES, LARGEST_BYTES],
  ['64 KiB', 65_536],
  ['64kib', 65_536],
  ['64 KB', 64_000],
  ['1 MB', 1_000_000],
  ['1.5 MiB', 1_572_864],
  ['1 GiB', LARGEST_BYTES],
  ['100 bytes', 100],
  ['1 byte', 1],
  ['7 B', 7],
]
for (const [value, bytes] of GOOD) test(`size ${JSON.stringify(value)}`, () => assert.equal(parseSize(value), bytes))

const BAD: readonly unknown[] = [
  0,
  -1,
  1.5,
  Number.NaN,
  Infinity,
  LARGEST_BYTES + 1,
  '',
  '64',
  '0 KiB',
  '-1 KiB',
  '1 TiB',
  '2 GiB',
  '64 K',
  '0x10 KiB',
  '9'.repeat(400),
  null,
  true,
  [],
  {},
]
for (const [index, value] of BAD.entries()) {
  test(`no size: ${index} ${String(value).slice(0, 20)}`, () => {
    const parsed = parseSize(value)
    assert.ok(typeof parsed !== 'number' && parsed.message !== '' && parsed.remedy !== '')
  })
}

test('a misspelt unit is guessed', () => {
  const parsed = parseSize('64 KiiB')
  assert.ok(typeof parsed !== 'number')
  assert.equal(parsed.nearest, 'KiB')
})
