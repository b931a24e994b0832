import assert from 'node:assert/strict'
import { test } from 'node:test'
import { guarded } from '../guard/live.ts'

const AGED = { heartbeat: { dangerouslyOff: true }, age: { max: 2000 } }

for (const [name, ms, closes] of [
  ['one below the bound stays', 1999, []],
  ['at the bound is closed', 2000, [[4409, 'SALLY_AGE']]],
] as const) {
  test(`a busy connection ${name}`, async t => {
    const guard = guarded(t, { lifetime: AGED })
    const { wire, read } = guard.seat()
    for (let passed = 0; passed < ms; passed += 500) {
      read({ a: 1 })
      await guard.run(Math.min(500, ms - passed))
    }
    assert.deepEqual(wire.closes, closes)
  })
}

test('more than a turn of the wheel is exact to a tick', async t => {
  const guard = guarded(t, { lifetime: { ...AGED, age: { max: '10 minutes' } } })
  const { wire } = guard.seat()
  await guard.run(600_000 - 1)
  assert.deepEqual(wire.closes, [])
  await guard.run(101)
  assert.deepEqual(wire.closes, [[4409, 'SALLY_AGE']])
})

test('report mode says it once and closes nothing', async t => {
  const guard = guarded(t, { lifetime: AGED, report: true })
  const { wire } = guard.seat()
  await guard.run(10_000)
  assert.deepEqual(wire.closes, [])
  assert.deepEqual(guard.denials(), ['SALLY_AGE?'])
})

test('off: no age is too great', async t => {
  const guard = guarded(t, { lifetime: { ...AGED, age: { dangerouslyOff: true } } })
  const { wire } = guard.seat()
  await guard.run(60_000)
  assert.deepEqual(wire.closes, [])
})
