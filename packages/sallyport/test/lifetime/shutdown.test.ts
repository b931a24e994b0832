import assert from 'node:assert/strict'
import { test } from 'node:test'
import { guarded, settled, type Seat } from '../guard/live.ts'

const CLOSED = [[1012, 'SALLY_SHUTDOWN']]

/** Answers the close frames of the guard, as honest peers do. */
function answerCloses(seats: readonly Seat[]): void {
  for (const { connection, wire } of seats) if (wire.closes.length > 0) connection.closed(wire.closes[0]![0])
}

test('every connection goes within the time, not all at once; drain resolves with the last', async t => {
  const guard = guarded(t, { lifetime: { shutdown: { within: 1000 }, session: { dangerouslyOff: true } } })
  const seats = Array.from({ length: 200 }, () => guard.seat())
  let drained = false
  void guard.core.drain().then(() => (drained = true))
  await guard.run(400)
  const gone = seats.filter(({ wire }) => wire.closes.length > 0).length
  assert.ok(gone > 20 && gone < 180, `${gone} of 200 after two fifths of the time`)
  await guard.run(700)
  for (const { wire } of seats) assert.deepEqual(wire.closes, CLOSED)
  assert.equal(drained, false)
  answerCloses(seats)
  await settled()
  assert.equal(drained, true)
  assert.equal(guard.core.connections.size, 0)
})

test('a peer that does not answer the close is cut after five seconds', async t => {
  const guard = guarded(t)
  const { connection, wire } = guard.seat()
  const drained = guard.core.drain(0)
  await guard.run(5000)
  assert.equal(wire.terminated, false)
  await guard.run(200)
  assert.equal(wire.terminated, true)
  connection.closed(1006)
  await drained
})

test('nothing to drain resolves at once; a second call brings the time nearer and both resolve', async t => {
  const guard = guarded(t)
  const { connection, wire } = guard.seat()
  const drains = [guard.core.drain(60_000), guard.core.drain(0)]
  await guard.run(200)
  assert.deepEqual(wire.closes, CLOSED)
  connection.closed(1012)
  await Promise.all(drains)
  await guard.core.drain()
})

test('a connection that opens while the server drains leaves with the next tick', async t => {
  const guard = guarded(t)
  guard.seat()
  void guard.core.drain(60_000)
  const { wire } = guard.seat()
  await guard.run(100)
  assert.deepEqual(wire.closes, CLOSED)
})

test('report mode: the operator’s own command is obeyed all the same', async t => {
  const guard = guarded(t, { report: true })
  const seats = [guard.seat()]
  const drained = guard.core.drain(0)
  await guard.run(200)
  assert.deepEqual(seats[0]!.wire.closes, CLOSED)
  answerCloses(seats)
  await drained
})

test('handlers that run answer first, and the connection leaves as soon as they have', async t => {
  const guard = guarded(t)
  const work = Promise.withResolvers<void>()
  const { connection, wire, read } = guard.seat({
    delivery: {
      message: async (_subject, live) => {
        await work.promise
        live.send({ answer: 1 })
      },
    },
  })
  const idle = guard.seat()
  read({ n: 1 })
  const drained = guard.core.drain(10_000)
  await guard.run(9000)
  assert.deepEqual(wire.closes, [])
  work.resolve()
  await guard.run(1000)
  assert.deepEqual(wire.sent, ['{"answer":1}'])
  assert.deepEqual(wire.closes, CLOSED)
  assert.deepEqual(idle.wire.closes, CLOSED)
  answerCloses([idle])
  connection.closed(1012)
  await drained
})

for (const [name, handler] of [
  ['never ends', () => new Promise<never>(() => undefined)],
  ['is followed by the next one, always', () => new Promise<void>(resolve => setTimeout(resolve, 150))],
] as const) {
  test(`a handler that ${name} does not keep the server from stopping`, async t => {
    const guard = guarded(t)
    const { wire, read } = guard.seat({ delivery: { message: handler } })
    read({ n: 1 })
    void guard.core.drain(3000)
    for (let passed = 0; passed < 2900; passed += 100) {
      read({ n: 2 })
      await guard.run(100)
    }
    await guard.run(300)
    assert.deepEqual(wire.closes, CLOSED)
  })
}

test('no time at all: a handler that runs is not waited for', async t => {
  const guard = guarded(t)
  const { wire, read } = guard.seat({ delivery: { message: () => new Promise<never>(() => undefined) } })
  read({ n: 1 })
  void guard.core.drain(0)
  await guard.run(200)
  assert.deepEqual(wire.closes, CLOSED)
})
