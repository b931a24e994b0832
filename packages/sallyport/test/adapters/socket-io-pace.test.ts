import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Pace, UserPaces } from '../../src/adapters/socket-io/pace.ts'
import { systemRuntime } from '../../src/model/system-runtime.ts'

const LONGEST = 2500
const HOME = '192.0.2.1'

/** How many requests pass at once, without waiting. */
function passing(pace: Pace, address: string, user = 'ann', now = 1_000_000): number {
  for (let count = 0; count < 1000; count++) {
    const verdict = pace.take(address, user, now, LONGEST)
    if (verdict instanceof Promise || !verdict.pass) return count
  }
  return Infinity
}

test('from its own address a session sends 100 requests at once, and then waits', () => {
  assert.equal(passing(new Pace(HOME, new UserPaces(), systemRuntime), HOME), 100)
})

test('attack: a stranger who knows the id spends neither the budget of its address nor that of the user', () => {
  const users = new UserPaces()
  const pace = new Pace(HOME, users, systemRuntime)
  assert.equal(passing(pace, '198.51.100.7'), 20)
  assert.equal(passing(pace, '203.0.113.9'), 0)
  assert.equal(passing(pace, HOME), 100)
  assert.equal(passing(new Pace(HOME, users, systemRuntime), HOME), 100)
})

test('attack: many sessions of one user share a budget, and other users have their own', () => {
  const users = new UserPaces()
  let count = 0
  for (let session = 0; session < 30; session++) count += passing(new Pace(HOME, users, systemRuntime), HOME)
  // 400, of which the first three sessions spent one each on a request that waits.
  assert.equal(count, 397)
  assert.equal(passing(new Pace(HOME, users, systemRuntime), HOME, 'bob'), 100)
})

test('what would wait longer than the door does is refused with the wait, and takes nothing', () => {
  const pace = new Pace(HOME, new UserPaces(), systemRuntime)
  const verdicts = Array.from({ length: 400 }, () => pace.take(HOME, 'ann', 1_000_000, LONGEST))
  const denials = verdicts.filter(verdict => !(verdict instanceof Promise) && !verdict.pass)
  // 100 at once, and 50 a second for 2.5 s.
  assert.equal(denials.length, 400 - 225)
  assert.equal(passing(pace, HOME, 'ann', 1_000_000 + 10_000), 100)
})

test('honest: a session that moved has the full budget at its new address', () => {
  const pace = new Pace(HOME, new UserPaces(), systemRuntime)
  assert.equal(passing(pace, '198.51.100.7'), 20)
  pace.moved('198.51.100.7')
  assert.equal(passing(pace, '198.51.100.7'), 100)
})
