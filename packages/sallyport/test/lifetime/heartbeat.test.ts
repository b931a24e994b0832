import assert from 'node:assert/strict'
import { test } from 'node:test'
import { guarded, settled } from '../guard/live.ts'

const BEAT = { heartbeat: { interval: 1000, timeout: 400 } }

test('a ping each interval, none before; a peer that pongs lives', async t => {
  const guard = guarded(t, { lifetime: BEAT })
  const { connection, wire } = guard.seat()
  await guard.run(999)
  assert.equal(wire.pings, 0)
  await guard.run(1)
  assert.equal(wire.pings, 1)
  for (let beat = 2; beat < 20; beat++) {
    await guard.run(300)
    connection.ponged()
    await guard.run(700)
    assert.equal(wire.pings, beat)
  }
  assert.equal(wire.terminated, false)
})

for (const [name, ms, isCut] of [
  ['one below the bound', 1399, false],
  ['at the bound', 1400, true],
] as const) {
  test(`no pong: ${name} it is ${isCut ? 'cut' : 'open'}`, async t => {
    const guard = guarded(t, { lifetime: BEAT })
    const { wire } = guard.seat()
    await guard.run(ms)
    assert.equal(wire.terminated, isCut)
    assert.deepEqual(guard.denials(), isCut ? ['SALLY_HEARTBEAT_LOST'] : [])
  })
}

test('a peer that sends messages and never pongs is cut', async t => {
  const guard = guarded(t, { lifetime: BEAT })
  const { wire, read } = guard.seat()
  for (let passed = 0; passed < 1500; passed += 100) {
    read({ a: 1 })
    await guard.run(100)
  }
  assert.equal(wire.terminated, true)
})

test('messages that are judged asynchronously do not stand in for pongs', async t => {
  const guard = guarded(t, { lifetime: BEAT, message: { authorize: async () => true } })
  const { wire, read } = guard.seat()
  for (let passed = 0; passed < 1500; passed += 100) {
    read({ a: 1 })
    await settled()
    await guard.run(100)
  }
  assert.equal(wire.terminated, true)
})

test('while we do not read, no pong is missed; it is pinged on, and has its time once we read again', async t => {
  const guard = guarded(t, { lifetime: BEAT, message: { concurrency: { handlers: 1 } } })
  const slow = Promise.withResolvers<void>()
  const { connection, wire, read, fill } = guard.seat({ delivery: { message: () => slow.promise } })
  await guard.run(1100)
  read({ a: 1 })
  assert.equal(wire.paused, false)
  fill()
  assert.equal(wire.paused, true)
  await guard.run(10_000)
  assert.equal(wire.terminated, false)
  assert.ok(wire.pings > 5)
  slow.resolve()
  await guard.run(100)
  assert.equal(wire.paused, false)
  connection.ponged()
  await guard.run(900)
  assert.equal(wire.terminated, false)
})

test('a pause within the bound is not counted against the peer: no less, and no more', async t => {
  const guard = guarded(t, { lifetime: BEAT })
  const { connection, wire, fill } = guard.seat()
  await guard.run(1100)
  connection.hold()
  fill()
  await guard.run(200)
  connection.release()
  await guard.run(299)
  assert.equal(wire.terminated, false)
  await guard.run(1)
  assert.equal(wire.terminated, true)
})

test('to be let go without having been held gives a peer no more time', async t => {
  const guard = guarded(t, { lifetime: BEAT })
  const { connection, wire } = guard.seat()
  await guard.run(1300)
  connection.release()
  await guard.run(100)
  assert.equal(wire.terminated, true)
})

test('it is cut once we read again and it still does not pong', async t => {
  const guard = guarded(t, { lifetime: BEAT, message: { concurrency: { handlers: 1 } } })
  const slow = Promise.withResolvers<void>()
  const { wire, read, fill } = guard.seat({ delivery: { message: () => slow.promise } })
  await guard.run(1100)
  read({ a: 1 })
  fill()
  await guard.run(5000)
  slow.resolve()
  await guard.run(500)
  assert.equal(wire.terminated, true)
})

test('a pause while a frame is under way is not counted against the peer: no less, and no more', async t => {
  const guard = guarded(t, { lifetime: BEAT })
  const { connection, wire, fill } = guard.seat()
  wire.midFrame = true
  await guard.run(1500)
  connection.hold()
  fill()
  await guard.run(200)
  connection.release()
  // 500 bytes a second are 200 in this time-out.
  wire.bytesRead = 199
  await guard.run(299)
  assert.equal(wire.terminated, false)
  await guard.run(1)
  assert.equal(wire.terminated, true)
})

test('a connection that is held and read ahead must pong in time: what it sends is seen', async t => {
  const guard = guarded(t, { lifetime: BEAT, message: { concurrency: { handlers: 1 } } })
  const never = new Promise<void>(() => undefined)
  const [silent, honest] = [0, 1].map(() => guard.seat({ delivery: { message: () => never } }))
  for (const { read } of [silent!, honest!]) read({ a: 1 }, { a: 2 })
  for (let beat = 0; beat < 5; beat++) {
    await guard.run(1000)
    honest!.connection.ponged()
  }
  assert.deepEqual([silent!.wire.terminated, honest!.wire.terminated], [true, false])
})

test('an unasked pong is a control frame like a ping: a flood of them ends it', t => {
  const guard = guarded(t, { lifetime: BEAT, message: { size: { controlFrames: { frames: 3, per: '1 minute' } } } })
  const { connection, wire } = guard.seat()
  for (let frame = 0; frame < 3; frame++) connection.ponged()
  assert.deepEqual(wire.closes, [])
  connection.ponged()
  assert.deepEqual(wire.closes, [[1008, 'SALLY_CONTROL_FRAMES']])
})

test('report mode says it once and cuts nothing', async t => {
  const guard = guarded(t, { lifetime: BEAT, report: ['lifetime/heartbeat'] })
  const { wire } = guard.seat()
  await guard.run(10_000)
  assert.equal(wire.terminated, false)
  assert.deepEqual(guard.denials(), ['SALLY_HEARTBEAT_LOST?'])
})

test('off: no ping', async t => {
  const guard = guarded(t, { lifetime: { heartbeat: { dangerouslyOff: true } } })
  const { wire } = guard.seat()
  await guard.run(60_000)
  assert.equal(wire.pings, 0)
  assert.equal(wire.terminated, false)
})
