import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc } from '../../../../test/support/fast-check.ts'
import { createLeases } from '../../src/store/leases.ts'

const TTL_MS = 1000
const CAP = 2
const room = (): boolean => true
/** More than stand in a holder's own record. */
const KEYS = ['all', 'ip', 'user', 'fourth', 'fifth'] as const
const step = fc.record({
  kind: fc.constantFrom('take', 'take', 'renew', 'release', 'sweep'),
  key: fc.constantFrom(...KEYS),
  id: fc.constantFrom('a', 'b', 'c', 'd'),
  passes: fc.constantFrom(0, 0, 1, TTL_MS - 1, TTL_MS),
})

test('whatever is taken, renewed, given back and let lapse: the places are those of a table of dues', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), steps => {
      const leases = createLeases()
      const dues = new Map<string, number>()
      let now = 5
      const held = (key: string): number =>
        [...dues].filter(([place, due]) => place.startsWith(`${key} `) && due > now).length
      for (const { kind, key, id, passes } of steps) {
        now += passes
        const place = `${key} ${id}`
        const mine = (dues.get(place) ?? 0) > now
        if (kind === 'take') {
          const granted = mine || held(key) < CAP
          assert.equal(leases.take(key, id, CAP, TTL_MS, now, room), granted)
          if (granted) dues.set(place, now + TTL_MS)
        } else if (kind === 'renew') {
          assert.equal(leases.renew(key, id, TTL_MS, now), mine)
          if (mine) dues.set(place, now + TTL_MS)
        } else if (kind === 'release') {
          if (mine) assert.equal(leases.release(key, id), true)
          else leases.release(key, id)
          dues.delete(place)
        } else leases.queue.sweep(now, Infinity)
      }
      leases.queue.sweep(now, Infinity)
      for (const key of KEYS) assert.equal(leases.count(key), held(key))
    }),
    { numRuns: 600 },
  )
})

test('whatever the clock does: no cap is passed, a refusal means that the cap is really full, and all is given back', () => {
  const passes = fc.constantFrom(0, 0.5, 1, TTL_MS, -1, -TTL_MS, 3_600_000, -3_600_000)
  fc.assert(
    fc.property(fc.array(fc.tuple(step, passes), { maxLength: 60 }), steps => {
      const leases = createLeases()
      /** Who took a place and did not give it back, lapsed or not. */
      const holders = new Map(KEYS.map(key => [key, new Set<string>()]))
      let now = 1e12
      for (const [{ kind, key, id }, passed] of steps) {
        now += passed
        const ids = holders.get(key)!
        if (kind === 'take') {
          const others = ids.size - (ids.has(id) ? 1 : 0)
          if (leases.take(key, id, CAP, TTL_MS, now, room)) ids.add(id)
          else assert.ok(others >= CAP)
        } else if (kind === 'renew') {
          if (leases.renew(key, id, TTL_MS, now)) assert.ok(ids.has(id))
        } else if (kind === 'release') {
          if (leases.release(key, id)) assert.ok(ids.has(id))
          ids.delete(id)
        } else leases.queue.sweep(now, 2)
        assert.ok(leases.count(key) <= Math.min(CAP, ids.size))
      }
      for (const [key, ids] of holders) for (const id of ids) leases.release(key, id)
      assert.deepEqual([leases.queue.size, ...KEYS.map(leases.count)], [0, ...KEYS.map(() => 0)])
      for (const key of KEYS) assert.equal(leases.take(key, 'late', 1, TTL_MS, now, room), true)
      assert.equal(leases.queue.sweep(now + 2 * TTL_MS, Infinity), 1)
      assert.deepEqual([leases.queue.size, ...KEYS.map(leases.count)], [0, ...KEYS.map(() => 0)])
    }),
    { numRuns: 600 },
  )
})

test('an id whose places lapsed and were swept takes new ones, which count and are given back', () => {
  const leases = createLeases()
  assert.equal(leases.take('all', 'a', 1, TTL_MS, 0, room), true)
  leases.queue.sweep(TTL_MS + 1000, Infinity)
  assert.equal(leases.count('all'), 0)
  assert.equal(leases.take('all', 'a', 1, TTL_MS, 2 * TTL_MS, room), true)
  assert.equal(leases.take('all', 'b', 1, TTL_MS, 2 * TTL_MS, room), false)
  assert.equal(leases.release('all', 'a'), true)
  assert.deepEqual([leases.count('all'), leases.queue.size], [0, 0])
})

test('an id that makes room by its own lapse is not counted for the places that it lost', () => {
  const leases = createLeases()
  leases.take('all', 'a', 9, TTL_MS, 0, room)
  const sweeps = (): boolean => leases.queue.sweep(TTL_MS + 1000, Infinity) > 0
  assert.equal(leases.take('ip', 'a', 9, TTL_MS, TTL_MS + 1000, sweeps), true)
  assert.deepEqual([leases.count('all'), leases.count('ip'), leases.queue.size], [0, 1, 1])
  assert.equal(leases.release('ip', 'a'), true)
})

test('forgetting all forgets the last one it knew', () => {
  const leases = createLeases()
  leases.take('all', 'a', 1, TTL_MS, 0, room)
  leases.clear()
  assert.equal(leases.release('all', 'a'), false)
  assert.equal(leases.renew('all', 'a', TTL_MS, 0), false)
})

for (const places of [1, 2, 3, 4, 5]) {
  test(`an id with ${places} places: each lapses at its own time, not with the others, and is given back once`, () => {
    const leases = createLeases()
    const keys = KEYS.slice(0, places)
    for (const [nth, key] of keys.entries()) leases.take(key, 'a', 1, TTL_MS, nth * 100, room)
    for (const [nth, key] of keys.entries()) {
      const end = nth * 100 + TTL_MS
      assert.equal(leases.take(key, 'b', 1, TTL_MS, end - 1, room), false, `${key} before its end`)
      assert.equal(leases.take(key, 'b', 1, TTL_MS, end, room), true, `${key} at its end`)
      assert.equal(leases.release(key, 'a'), false, `${key} is lost`)
    }
    for (const key of keys) assert.equal(leases.release(key, 'b'), true, `${key} is given back`)
    for (const key of keys) assert.equal(leases.release(key, 'b'), false, `${key} is given back twice`)
    assert.equal(leases.queue.size, 0)
  })
}
