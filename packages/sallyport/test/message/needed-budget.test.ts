import assert from 'node:assert/strict'
import { test } from 'node:test'
import { excessMs, spent } from '../../src/controls/message/gcra.ts'
import { NeededBudget, NeededBudgets } from '../../src/controls/message/needed-budget.ts'
import type { Budget } from '../../src/model/store.ts'
import { fc } from '../../../../test/support/fast-check.ts'

const SET: Budget = { amount: 10, perMs: 60_000, burst: 10 }

/** Whether a budget lets all of it pass. */
function passes({ amount, perMs, burst }: Budget, traffic: readonly (readonly [at: number, cost: number])[]): boolean {
  let tat = 0
  for (const [at, cost] of traffic) {
    if (excessMs(tat, at, cost, { amount, perMs, burst }) > 0) return false
    tat = spent(tat, at, cost, { amount, perMs, burst })
  }
  return true
}

test('what the set budget lets pass needs no other', () => {
  const need = new NeededBudget(SET)
  for (let nth = 0; nth < 10; nth++) need.count(1000 * nth, 1)
  assert.equal(need.amount, 10)
})

test('a burst of 40 needs 40', () => {
  const need = new NeededBudget(SET)
  for (let nth = 0; nth < 40; nth++) need.count(5000, 1)
  assert.equal(need.amount, 40)
})

test('whatever came, the needed budget would have let all of it pass', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 20_000 }), fc.integer({ min: 1, max: 5 })), { maxLength: 200 }),
      steps => {
        const need = new NeededBudget(SET)
        let at = 0
        const traffic = steps.map(([wait, cost]) => [(at += wait), cost] as const)
        for (const [when, cost] of traffic) need.count(when, cost)
        assert.ok(passes({ amount: need.amount, perMs: SET.perMs, burst: need.amount }, traffic))
      },
    ),
  )
})

test('users are counted apart, and a flood of users is forgotten from its beginning', () => {
  const needs = new NeededBudgets({ amount: 1, perMs: 1000, burst: 1 })
  assert.equal(needs.count('ann', 0, 3), 3)
  assert.equal(needs.count('bob', 0, 1), 1)
  for (let nth = 0; nth < 1000; nth++) needs.count(`user-${nth}`, 0, 1)
  assert.equal(needs.count('ann', 0, 1), 1)
})
