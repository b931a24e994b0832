import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemRuntime } from 'sallyport/internal'
import { createBoundedWarnings } from '../../src/upstream/bounded-warnings.ts'

test('a visitor who is refused without end writes twenty lines in ten seconds, and one that counts the rest', t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const told: object[] = []
  const warnings = createBoundedWarnings({ warn: facts => told.push(facts) }, systemRuntime)
  for (let index = 0; index < 5000; index++) warnings.warn('404', { index }, 'refused')
  warnings.warn('503', { index: -1 }, 'refused')
  assert.equal(told.length, 21)
  t.mock.timers.tick(10_000)
  assert.deepEqual(told.slice(21), [{ index: 4999, count: 4980 }])
  t.mock.timers.tick(60_000)
  assert.equal(told.length, 22)
  warnings.warn('404', { index: 0 }, 'refused')
  assert.equal(told.length, 23)
})

test('what was only counted is told at the end', () => {
  const told: object[] = []
  const warnings = createBoundedWarnings({ warn: facts => told.push(facts) }, systemRuntime)
  for (let index = 0; index < 22; index++) warnings.warn('404', { index }, 'refused')
  warnings.stop()
  assert.deepEqual(told.at(-1), { index: 21, count: 2 })
})
