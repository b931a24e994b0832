import assert from 'node:assert/strict'
import { test } from 'node:test'
import { guarded } from '../guard/live.ts'

const TIGHT = { backpressure: { bytes: 1000, for: 2000 }, session: { dangerouslyOff: true } }

for (const [name, buffered, isHeld] of [
  ['one below the bound is heard', 999, false],
  ['at the bound is heard', 1000, false],
  ['one above it is held: it cannot ask for more', 1001, true],
] as const) {
  test(`a peer ${name}`, t => {
    const guard = guarded(t, { lifetime: TIGHT })
    const handled: unknown[] = []
    const { connection, wire, read, fill } = guard.seat({ delivery: { message: ({ value }) => handled.push(value) } })
    wire.bufferedAmount = buffered
    connection.send('x')
    read({ more: 1 })
    assert.equal(handled.length, isHeld ? 0 : 1)
    assert.equal(wire.paused, false)
    fill()
    assert.equal(wire.paused, isHeld)
  })
}

for (const [name, ms, closes] of [
  ['one below its time stays', 1999, []],
  ['at its time is closed', 2000, [[1013, 'SALLY_BACKPRESSURE']]],
] as const) {
  test(`a peer that does not catch up ${name}`, async t => {
    const guard = guarded(t, { lifetime: TIGHT })
    const { connection, wire } = guard.seat()
    wire.bufferedAmount = 1001
    connection.send('x')
    await guard.run(ms)
    assert.deepEqual(wire.closes, closes)
  })
}

for (const [name, message] of [
  ['at once', {}],
  ['later', { authorize: async () => true }],
] as const) {
  test(`its time begins with what it does not read, not with what it said before and was judged ${name}`, async t => {
    const guard = guarded(t, { lifetime: TIGHT, message })
    const { connection, wire, read } = guard.seat()
    read({ a: 1 })
    await guard.run(5000)
    wire.bufferedAmount = 1001
    connection.send('x')
    await guard.run(1999)
    assert.deepEqual(wire.closes, [])
    await guard.run(1)
    assert.deepEqual(wire.closes, [[1013, 'SALLY_BACKPRESSURE']])
  })
}

test('what it does not read includes the close frame: it is cut', async t => {
  const guard = guarded(t, { lifetime: TIGHT })
  const { connection, wire } = guard.seat()
  wire.bufferedAmount = 1001
  connection.send('x')
  await guard.run(6900)
  assert.equal(wire.terminated, false)
  await guard.run(200)
  assert.equal(wire.terminated, true)
})

test('a peer that catches up is read from again, and what it had sent is handled in order', async t => {
  const guard = guarded(t, { lifetime: TIGHT })
  const handled: unknown[] = []
  const { connection, wire, read } = guard.seat({ delivery: { message: ({ value }) => handled.push(value) } })
  wire.bufferedAmount = 2000
  connection.send('x')
  read({ n: 1 }, { n: 2 })
  await guard.run(1000)
  assert.deepEqual(handled, [])
  wire.bufferedAmount = 0
  await guard.run(300)
  assert.deepEqual(handled, [{ n: 1 }, { n: 2 }])
  assert.equal(wire.paused, false)
  await guard.run(3000)
  assert.deepEqual(wire.closes, [])
})

for (const [name, buffered, isCut] of [
  ['at four times the bound, beside the message itself, it is open', 4001, false],
  ['one above it is cut at once', 4002, true],
] as const) {
  test(`a peer that makes us hold ever more: ${name}`, t => {
    const guard = guarded(t, { lifetime: TIGHT })
    const { connection, wire } = guard.seat()
    wire.bufferedAmount = buffered
    connection.send('x')
    assert.equal(wire.terminated, isCut)
    assert.equal(connection.send('y'), !isCut)
    assert.deepEqual(guard.denials(), isCut ? ['SALLY_BACKPRESSURE'] : [])
  })
}

test('one long message of the app to a peer that reads is no offence of the peer', async t => {
  const guard = guarded(t, { lifetime: TIGHT })
  const { connection, wire } = guard.seat()
  wire.bufferedAmount = 10_000
  connection.send('x'.repeat(10_000))
  assert.equal(wire.terminated, false)
  wire.bufferedAmount = 0
  await guard.run(3000)
  assert.deepEqual(wire.closes, [])
  assert.equal(wire.paused, false)
})

test('report mode: reported once however much is sent, never paused, never cut', async t => {
  const guard = guarded(t, { lifetime: TIGHT, report: ['lifetime/backpressure'] })
  const handled: unknown[] = []
  const { connection, wire, read } = guard.seat({ delivery: { message: ({ value }) => handled.push(value) } })
  wire.bufferedAmount = 1_000_000
  for (let message = 0; message < 100; message++) connection.send('x')
  await guard.run(10_000)
  for (let message = 0; message < 100; message++) connection.send('x')
  read({ n: 1 })
  assert.deepEqual(handled, [{ n: 1 }])
  assert.equal(wire.pauses, 0)
  assert.equal(wire.terminated, false)
  assert.deepEqual(guard.denials(), ['SALLY_BACKPRESSURE?'])
})
