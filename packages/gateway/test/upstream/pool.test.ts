import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { UpstreamConfig } from '../../src/config/types.ts'
import { failure } from '../../src/upstream/failure.ts'
import { createPool, type Pool } from '../../src/upstream/pool.ts'
import { UPSTREAM } from '../support/gateway-world.ts'

const UNREACHABLE = failure('GATEWAY_UPSTREAM_UNREACHABLE', 'ECONNREFUSED')

/** A pool on a clock of the test's own, none of whose backends is ever called. */
function poolOf(
  config: Partial<UpstreamConfig>,
  names = 'abc',
): { pool: Pool; clock: { now: number }; told: string[] } {
  const clock = { now: 1_700_000_000_000 }
  const told: string[] = []
  const tell = (_facts: object, message: string): void => void told.push(message)
  const targets = Array.from(names, name => `ws://${name}:1`)
  const pool = createPool('app', { ...UPSTREAM, ...config, targets }, { info: tell, warn: tell }, () => clock.now)
  return { pool, clock, told }
}
const picked = (pool: Pool, times: number): string =>
  Array.from({ length: times }, () => pool.pick()?.address.hostname ?? '-').join('')

describe('whose turn it is', () => {
  test('round robin: one after the other', () => {
    assert.equal(picked(poolOf({}).pool, 7), 'abcabca')
  })

  test('least connections: who has the fewest, and of equals one after the other', () => {
    const { pool } = poolOf({ balance: 'least-connections' })
    assert.equal(picked(pool, 6), 'abcabc')
    pool.targets[0]!.open = 2
    pool.targets[1]!.open = 1
    pool.targets[2]!.open = 1
    assert.deepEqual(new Set(picked(pool, 4)), new Set('bc'))
    pool.targets[2]!.open = 0
    assert.equal(picked(pool, 3), 'ccc')
  })

  test('round robin passes over who is down, and takes nobody else’s turn', () => {
    const { pool } = poolOf({})
    pool.targets[1]!.answers = false
    assert.equal(picked(pool, 4), 'acac')
  })
})

describe('a backend that fails is passed over', () => {
  for (const failures of [1, 2, 3]) {
    test(`after ${failures} in a row, and until its time is over`, () => {
      const { pool, clock, told } = poolOf({ failures, ejectMs: 500 }, 'a')
      const [target] = pool.targets
      for (let failed = 1; failed < failures; failed++) pool.report(target!, UNREACHABLE)
      assert.equal(picked(pool, 1), 'a')
      pool.report(target!, UNREACHABLE)
      assert.equal(picked(pool, 1), '-')
      assert.equal(target!.reason, 'ECONNREFUSED')
      clock.now += 499
      assert.equal(picked(pool, 1), '-')
      clock.now += 1
      assert.equal(picked(pool, 1), 'a')
      assert.deepEqual(told, ['the backend is passed over'])
    })
  }

  test('one that answers in between begins anew', () => {
    const { pool, told } = poolOf({ failures: 2 }, 'a')
    const [target] = pool.targets
    for (let round = 0; round < 3; round++) {
      pool.report(target!, UNREACHABLE)
      pool.report(target!, null)
    }
    assert.equal(picked(pool, 1), 'a')
    assert.deepEqual(told, Array(3).fill('the backend answers again'))
  })

  test('its own no to one client is no failure of it', () => {
    const { pool } = poolOf({}, 'a')
    for (const status of [401, 403, 404, 429]) {
      pool.report(pool.targets[0]!, failure('GATEWAY_UPSTREAM_REFUSED', `${status}`, status))
    }
    assert.equal(picked(pool, 1), 'a')
    pool.report(pool.targets[0]!, failure('GATEWAY_UPSTREAM_REFUSED', '503', 503))
    assert.equal(picked(pool, 1), '-')
  })
})
