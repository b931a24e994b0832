import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAttemptId } from '../../src/guard/attempt-id.ts'
import { systemRuntime } from '../../src/model/system-runtime.ts'

test('ids are random UUIDs, of version 4 and variant 10', () => {
  for (let count = 0; count < 300; count++) {
    assert.match(createAttemptId(systemRuntime), /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
  }
})

test('none comes twice, over many fillings of the pool', () => {
  const seen = new Set(Array.from({ length: 20_000 }, () => createAttemptId(systemRuntime)))
  assert.equal(seen.size, 20_000)
})

test('every random digit takes every value: no byte of the pool is left out', () => {
  const places = Array.from({ length: 36 }, () => new Set<string>())
  for (let count = 0; count < 2000; count++) {
    for (const [place, char] of [...createAttemptId(systemRuntime)].entries()) places[place]!.add(char)
  }
  for (const [place, chars] of places.entries()) {
    const expected = [8, 13, 18, 23, 14].includes(place) ? 1 : place === 19 ? 4 : 16
    assert.equal(chars.size, expected, `place ${place}`)
  }
})
