import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LONGEST_MS, parseDuration } from '../../src/shape/duration.ts'

const GOOD: readonly (readonly [unknown, number])[] = [
  [1, 1],
  [1500, 1500],
  [LONGEST_MS, LONGEST_MS],
  ['500 ms', 500],
  ['30 seconds', 30_000],
  ['1 second', 1000],
  ['1.5 s', 1500],
  ['1 minute', 60_000],
  ['1min', 60_000],
  ['12 h', 43_200_000],
  ['12 Hours', 43_200_000],
  [' 2 hrs ', 7_200_000],
  ['24 days', LONGEST_MS],
]
for (const [value, ms] of GOOD) test(`duration ${JSON.stringify(value)}`, () => assert.equal(parseDuration(value), ms))

const BAD: readonly unknown[] = [
  0,
  0.5,
  -1,
  Number.NaN,
  Infinity,
  LONGEST_MS + 1,
  '',
  ' ',
  '0 s',
  '-1 s',
  '0.1 ms',
  '1e3 ms',
  '1_000 ms',
  '٣ seconds',
  '1 s 2 ms',
  'PT1M',
  's',
  '25 days',
  '9'.repeat(400),
  null,
  true,
  [],
  {},
  5n,
]
for (const [index, value] of BAD.entries()) {
  test(`no duration: ${index} ${String(value).slice(0, 20)}`, () => {
    const parsed = parseDuration(value)
    assert.ok(typeof parsed !== 'number' && parsed.message !== '' && parsed.remedy !== '')
  })
}

test('no time at all, only where it makes sense', () => {
  assert.equal(parseDuration(0, 0), 0)
  assert.equal(parseDuration('0 s', 0), 0)
  assert.notEqual(typeof parseDuration(-1, 0), 'number')
})
