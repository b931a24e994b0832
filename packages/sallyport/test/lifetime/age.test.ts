import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAttemptId } from '../../src/guard/attempt-id.ts'
import { systemRuntime } from '../../src/model/system-runtime.ts'
import { guarded } from '../guard/live.ts'

const AGED = { heartbeat: { dangerouslyOff: true }, age: { max: 2000 } }

for (const [name, ms, closes] of [
  ['below nine tenths of the bound stays', 1799, []],
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
  const { wire, connection } = guard.seat()
  const due = Math.ceil(600_000 * (1 - connection.spread / 10))
  await guard.run(due - 1)
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

test('a crowd that opened in one second ends over a tenth of the bound, and never beyond it', async t => {
  const guard = guarded(t, { lifetime: { ...AGED, age: { max: 100_000 } } })
  const seats = Array.from({ length: 400 }, () => guard.seat({ id: createAttemptId(systemRuntime) }))
  const ended = (): number => seats.filter(({ wire }) => wire.closes.length > 0).length
  await guard.run(89_900)
  assert.equal(ended(), 0)
  let before = 0
  for (let second = 0; second < 10; second++) {
    await guard.run(1000)
    const now = ended()
    assert.ok(now - before < 120, `${now - before} of 400 in one second`)
    before = now
  }
  await guard.run(100)
  assert.equal(ended(), 400)
})
