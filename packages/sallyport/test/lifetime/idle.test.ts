import assert from 'node:assert/strict'
import { test } from 'node:test'
import { guarded } from '../guard/live.ts'

const QUIET = { heartbeat: { dangerouslyOff: true }, idle: { after: 1000 } }

for (const [name, ms, closes] of [
  ['one below the bound stays', 999, []],
  ['at the bound is closed', 1000, [[4408, 'SALLY_IDLE']]],
  ['above the bound is closed', 1100, [[4408, 'SALLY_IDLE']]],
] as const) {
  test(`silence ${name}`, async t => {
    const guard = guarded(t, { lifetime: QUIET })
    const { wire } = guard.seat()
    await guard.run(ms)
    assert.deepEqual(wire.closes, closes)
  })
}

for (const [name, act, stays] of [
  ['a message of the peer', (seat: any) => seat.read({ a: 1 }), true],
  ['a message to the peer', (seat: any) => seat.connection.send('x'), true],
  ['a ping', (seat: any) => seat.connection.pinged(), false],
  ['a pong', (seat: any) => seat.connection.ponged(), false],
] as const) {
  test(`${name} ${stays ? 'is' : 'is not'} a sign of life`, async t => {
    const guard = guarded(t, { lifetime: QUIET })
    const seat = guard.seat()
    await guard.run(900)
    act(seat)
    await guard.run(900)
    assert.equal(seat.wire.closes.length, stays ? 0 : 1)
    await guard.run(200)
    assert.equal(seat.wire.closes.length, 1)
  })
}

test('report mode says it once and closes nothing', async t => {
  const guard = guarded(t, { lifetime: QUIET, report: ['lifetime/idle'] })
  const { wire, read } = guard.seat()
  await guard.run(3000)
  read({ a: 1 })
  await guard.run(3000)
  assert.deepEqual(wire.closes, [])
  assert.deepEqual(guard.denials(), ['SALLY_IDLE?'])
})

test('off: silence is never closed', async t => {
  const guard = guarded(t, { lifetime: { ...QUIET, idle: { dangerouslyOff: true } } })
  const { wire } = guard.seat()
  await guard.run(60_000)
  assert.deepEqual(wire.closes, [])
})
