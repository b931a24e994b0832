import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concurrency, createConcurrency } from '../../src/controls/message/concurrency.ts'
import { policyWith } from './door-fixtures.ts'

test('the bound is the policy’s', () => {
  assert.equal(
    concurrency.compile(policyWith({ concurrency: { handlers: 7, background: 1, countListeners: false } })),
    7,
  )
})

test('full at the bound, not one below; not full when one ends', () => {
  const count = createConcurrency(3)
  assert.deepEqual([count.enter(), count.enter(), count.enter()], [false, false, true])
  assert.equal(count.running, 3)
  assert.deepEqual([count.leave(), count.leave(), count.leave()], [true, false, false])
  assert.equal(count.running, 0)
})

test('a bound of 1', () => {
  const count = createConcurrency(1)
  assert.deepEqual([count.enter(), count.leave(), count.enter(), count.leave()], [true, true, true, true])
})

test('what was read before the pause goes over: reading resumes only below the bound', () => {
  const count = createConcurrency(2)
  assert.deepEqual([count.enter(), count.enter(), count.enter(), count.enter()], [false, true, true, true])
  assert.deepEqual([count.leave(), count.leave(), count.leave(), count.leave()], [false, false, true, false])
})

test('a handler that ends twice does not make room for one more', () => {
  const count = createConcurrency(1)
  assert.equal(count.leave(), false)
  assert.equal(count.running, 0)
  assert.equal(count.enter(), true)
})
