import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { expiryOf, freshness } from '../../src/session/freshness.ts'

const NOW = Date.UTC(2026, 0, 1)

describe('how long an answer may be used again', () => {
  const rows: readonly [headers: Record<string, string>, ms: number | null][] = [
    [{}, null],
    [{ 'cache-control': 'private' }, null],
    [{ 'cache-control': 'max-age=30' }, 30_000],
    [{ 'cache-control': 'MAX-AGE="30"' }, 30_000],
    [{ 'cache-control': 'max-age=30, max-age=10' }, 10_000],
    [{ 'cache-control': 'max-age=-1' }, 0],
    [{ 'cache-control': 'max-age=x' }, 0],
    [{ 'cache-control': 'max-age=30', age: '10' }, 20_000],
    [{ 'cache-control': 'max-age=30', age: 'x' }, 30_000],
    [{ 'cache-control': 'max-age=30, no-store' }, 0],
    [{ 'cache-control': 's-maxage=30' }, null],
    [{ 'cache-control': 'max-age=30', expires: 'Thu, 01 Jan 1970 00:00:00 GMT' }, 30_000],
    [{ expires: 'Thu, 01 Jan 2026 00:00:10 GMT' }, 10_000],
    [{ expires: 'never' }, 0],
    [{ vary: 'Accept, *', 'cache-control': 'max-age=30' }, 0],
    [{ vary: 'Cookie', 'cache-control': 'max-age=30' }, 30_000],
  ]
  for (const [headers, ms] of rows) {
    test(JSON.stringify(headers), () =>
      assert.equal(
        freshness(name => headers[name], NOW),
        ms,
      ),
    )
  }
})

describe('when a session ends', () => {
  const rows: readonly [text: string, at: number | null][] = [
    ['1767225600', NOW],
    ['1767225600000', NOW],
    ['1767225600.5', NOW + 500],
    ['Thu, 01 Jan 2026 00:00:00 GMT', NOW],
    ['2026-01-01T00:00:00Z', NOW],
    ['2026-01-01T01:00:00+01:00', NOW],
    ['0', 0],
    ['', null],
    ['tomorrow', null],
    ['1e99', null],
    ['-1', null],
    ['Infinity', null],
    ['2026', 2_026_000],
    ['Thu, 99 Jan 2026 00:00:00 GMT', null],
  ]
  for (const [text, at] of rows) test(`'${text}'`, () => assert.equal(expiryOf(text), at))
})
