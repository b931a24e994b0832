import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fc } from '../../../../test/support/fast-check.ts'
import { createUsedKeys } from '../../src/store/used-keys.ts'

const START = 1_700_000_000_000
const room = (): boolean => true

describe('used keys', () => {
  it('a model agrees over any order of uses, sweeps and waits', () => {
    const step = fc.record({
      wait: fc.integer({ min: 0, max: 1500 }),
      key: fc.integer({ min: 0, max: 4 }),
      ttl: fc.constantFrom(1, 300, 1000, 4000),
      sweep: fc.integer({ min: 0, max: 3 }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), steps => {
        const used = createUsedKeys()
        const model = new Map<number, number>()
        let at = START
        for (const { wait, key, ttl, sweep } of steps) {
          at += wait
          const due = model.get(key)
          const expected = due === undefined || due <= at
          if (expected) model.set(key, at + ttl)
          assert.equal(used.use(`k${key}`, ttl, at, room), expected)
          used.sweep(at, sweep)
        }
        used.sweep(at + 5000, 1000)
        assert.equal(used.size, 0, 'nothing outlives its time')
      }),
      { numRuns: 300 },
    )
  })

  for (const [name, wait, expected] of [
    ['one ms before its end a key is used', 999, false],
    ['at its end it is free', 1000, true],
    ['one ms after it', 1001, true],
  ] as const) {
    it(name, () => {
      const used = createUsedKeys()
      assert.equal(used.use('k', 1000, START + 250, room), true)
      used.sweep(START + 250 + wait, 1000)
      assert.equal(used.size, expected ? 0 : 1)
      assert.equal(used.use('k', 1000, START + 250 + wait, room), expected)
    })
  }

  it('a key that is used again after its end is not swept at its old one', () => {
    const used = createUsedKeys()
    used.use('k', 1000, START, room)
    used.use('k', 5000, START + 1000, room)
    used.sweep(START + 3000, 1000)
    assert.equal(used.use('k', 1000, START + 3000, room), false)
  })

  it('without room a new key is not written, and one that is over takes no more room', () => {
    const used = createUsedKeys()
    const none = (): boolean => false
    assert.equal(used.use('k', 1000, START, room), true)
    assert.equal(used.use('more', 1000, START, none), null)
    assert.equal(used.use('k', 1000, START + 500, none), false)
    assert.equal(used.use('k', 1000, START + 1000, none), true)
    assert.equal(used.size, 1)
  })

  it('after a flood and its time nothing is left, and a sweep looks at no more than it may', () => {
    const used = createUsedKeys()
    for (let key = 0; key < 5000; key++) used.use(`k${key}`, 60_000, START + key, room)
    assert.equal(used.sweep(START + 70_000, 1000), 1000)
    assert.equal(used.size, 4000)
    for (let round = 0; round < 4; round++) used.sweep(START + 70_000, 1000)
    assert.equal(used.size, 0)
  })
})
