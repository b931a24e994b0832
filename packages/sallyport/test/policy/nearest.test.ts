import assert from 'node:assert/strict'
import { test } from 'node:test'
import { editDistance, nearest } from '../../src/shape/nearest.ts'

for (const [a, b, distance] of [
  ['', '', 0],
  ['origin', 'origin', 0],
  ['', 'abc', 3],
  ['abc', '', 3],
  ['origin', 'orgin', 1],
  ['origin', 'oirgin', 1],
  ['origin', 'origins', 1],
  ['origin', 'orixin', 1],
  ['ca', 'abc', 3],
  ['kitten', 'sitting', 3],
] as const) {
  test(`distance of '${a}' and '${b}' is ${distance}`, () => {
    assert.equal(editDistance(a, b), distance)
    assert.equal(editDistance(b, a), distance)
  })
}

const KNOWN = ['origin', 'session', 'rate', 'messages', 'dangerouslyOff']
for (const [word, found] of [
  ['orign', 'origin'],
  ['ORIGIN', 'origin'],
  ['sesion', 'session'],
  ['rates', 'rate'],
  ['rateLimit', 'rate'],
  ['dangerously', 'dangerouslyOff'],
  ['dangerouslyOf', 'dangerouslyOff'],
  ['maxPayload', undefined],
  ['', undefined],
  ['o'.repeat(49), undefined],
] as const) {
  test(`nearest to '${word}'`, () => assert.equal(nearest(word, KNOWN), found))
}

test('a megabyte of key costs nothing', () => assert.equal(nearest('origin'.repeat(200_000), KNOWN), undefined))
