import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRemembered } from '../../src/store/remembered.ts'

test('at the bound the oldest gives way, below it nobody', () => {
  const texts = createRemembered(3)
  for (const key of ['a', 'b', 'c']) texts.set(key, key, 1000, 0)
  assert.deepEqual(
    ['a', 'b', 'c'].map(key => texts.get(key, 1)),
    ['a', 'b', 'c'],
  )
  texts.set('d', 'd', 1000, 2)
  assert.equal(texts.size, 3)
  assert.equal(texts.get('a', 3), null)
  assert.equal(texts.get('d', 3), 'd')
})

test('one that is remembered again is the newest', () => {
  const texts = createRemembered(2)
  texts.set('a', 'a', 1000, 0)
  texts.set('b', 'b', 1000, 0)
  texts.set('a', 'again', 1000, 1)
  texts.set('c', 'c', 1000, 2)
  assert.equal(texts.get('a', 3), 'again')
  assert.equal(texts.get('b', 3), null)
})

test('what is over goes as others come: memory follows what is remembered, not what ever was', () => {
  const texts = createRemembered(1_000_000)
  for (let index = 0; index < 10_000; index++) texts.set(String(index), 'x', 10, index)
  assert.ok(texts.size <= 32, String(texts.size))
})

test('a clock that is set back by a day does not prolong what is remembered', () => {
  const texts = createRemembered(10)
  texts.set('a', 'a', 1000, 86_400_000)
  assert.equal(texts.get('a', 0), null)
})
