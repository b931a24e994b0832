import assert from 'node:assert/strict'
import { test } from 'node:test'
import { guarded, settled } from '../guard/live.ts'

const order = { handshake: {}, lifetime: { session: { dangerouslyOff: true } } }

test('verdicts that come late, and in any order, keep the messages in theirs', async t => {
  const gates = new Map<number, PromiseWithResolvers<boolean>>()
  const guard = guarded(t, {
    ...order,
    message: {
      authorize(_session: unknown, { n }: { n: number }) {
        if (n % 3 === 0) return true
        const gate = Promise.withResolvers<boolean>()
        gates.set(n, gate)
        return gate.promise
      },
    },
  })
  const handled: unknown[] = []
  const { wire, read } = guard.seat({ delivery: { message: ({ value }: any) => handled.push(value.n) } })
  read(...Array.from({ length: 9 }, (_, n) => ({ n })))
  assert.deepEqual(handled, [0])
  assert.equal(wire.paused, false)
  for (let n = 1; n < 9; n++) {
    if (n % 3 === 0) continue
    assert.equal(gates.has(n), true, `${n} is judged once those before it are`)
    assert.equal(gates.has(n + 1), false, `${n + 1} is not judged yet`)
    gates.get(n)!.resolve(true)
    await settled()
  }
  assert.deepEqual(handled, [0, 1, 2, 3, 4, 5, 6, 7, 8])
  assert.equal(wire.paused, false)
})

for (const bound of [1, 2, 16]) {
  test(`no more than ${bound} handlers at once; what waits is handled in order as they end`, async t => {
    const guard = guarded(t, { ...order, message: { concurrency: { handlers: bound } } })
    const running: PromiseWithResolvers<void>[] = []
    const started: number[] = []
    const { wire, read } = guard.seat({
      delivery: {
        message({ value }: any) {
          started.push(value.n)
          const gate = Promise.withResolvers<void>()
          running.push(gate)
          return gate.promise
        },
      },
    })
    read(...Array.from({ length: bound - 1 }, (_, n) => ({ n })))
    assert.equal(wire.paused, false)
    read(...Array.from({ length: 40 }, (_, n) => ({ n: bound - 1 + n })))
    assert.equal(started.length, bound)
    assert.equal(wire.paused, false)
    for (let ended = 0; ended < 39 + bound; ended++) {
      assert.ok(started.length <= ended + bound, `${started.length} started, ${ended} ended`)
      running[ended]!.resolve()
      await settled()
    }
    assert.deepEqual(
      started,
      Array.from({ length: 39 + bound }, (_, n) => n),
    )
    assert.equal(wire.paused, false)
  })
}

test('report mode of concurrency: reported once, nothing waits', async t => {
  const guard = guarded(t, { ...order, message: { concurrency: { handlers: 2 } }, report: ['message/concurrency'] })
  let started = 0
  const { wire, read } = guard.seat({
    delivery: {
      message() {
        started++
        return settled()
      },
    },
  })
  for (let round = 0; round < 5; round++) {
    read(...Array.from({ length: 50 }, (_, n) => ({ n })))
    await settled()
    await settled()
  }
  assert.equal(started, 250)
  assert.equal(wire.pauses, 0)
  assert.deepEqual(guard.denials(), ['SALLY_MESSAGE_CONCURRENCY?'])
})

for (const report of [false, true]) {
  test(`a transport that delivers on although paused is bounded${report ? ', in report mode too' : ''}`, t => {
    const guard = guarded(t, { ...order, message: { authorize: () => new Promise(() => {}) }, report })
    const { connection, wire, read } = guard.seat()
    read('{}')
    for (let message = 0; message < 16_384; message++) read('{}')
    assert.equal(connection.readyState, 1)
    read('{}')
    assert.deepEqual(wire.closes, [[1008, 'SALLY_MESSAGE_CONCURRENCY']])
    assert.deepEqual(guard.denials(), ['SALLY_MESSAGE_CONCURRENCY'])
  })
}

test('and so it is in bytes: four messages of the greatest size and one read', t => {
  const guard = guarded(t, { ...order, message: { authorize: () => new Promise(() => {}), size: { bytes: 1000 } } })
  const { connection, wire, read } = guard.seat()
  read('{}')
  connection.text('x', 4000 + 65_536)
  assert.deepEqual(wire.closes, [])
  connection.text('x', 1)
  assert.deepEqual(wire.closes, [[1008, 'SALLY_MESSAGE_CONCURRENCY']])
})

test('delay: a message over the rate is handled later, in its place, none lost', async t => {
  const guard = guarded(t, {
    ...order,
    message: { rate: { messages: 10, per: '1 second', burst: 3, exceed: 'delay' } },
  })
  const handled: number[] = []
  const { wire, read } = guard.seat({ delivery: { message: ({ value }: any) => handled.push(value.n) } })
  read(...Array.from({ length: 20 }, (_, n) => ({ n })))
  assert.deepEqual(handled, [0, 1, 2])
  await guard.run(1000)
  assert.ok(handled.length >= 11 && handled.length <= 14, `${handled.length} after a second`)
  await guard.run(1500)
  assert.deepEqual(
    handled,
    Array.from({ length: 20 }, (_, n) => n),
  )
  assert.equal(wire.paused, false)
  assert.deepEqual(wire.closes, [])
})

test('drop: a message over the rate is not handled, and not answered', async t => {
  const guard = guarded(t, { ...order, message: { rate: { messages: 2, per: '1 minute', exceed: 'drop' } } })
  const handled: number[] = []
  const { wire, read } = guard.seat({ delivery: { message: ({ value }: any) => handled.push(value.n) } })
  read({ n: 0 }, { n: 1 }, { n: 2 }, { n: 3 })
  assert.deepEqual(handled, [0, 1])
  assert.deepEqual(wire.sent, [])
  assert.deepEqual(wire.closes, [])
})

test('delay, then the close: nothing is handled after it', async t => {
  const guard = guarded(t, { ...order, message: { rate: { messages: 1, per: '1 second', exceed: 'delay' } } })
  const handled: number[] = []
  const { connection, read } = guard.seat({ delivery: { message: ({ value }: any) => handled.push(value.n) } })
  read({ n: 0 }, { n: 1 }, { n: 2 })
  connection.close()
  await guard.run(3000)
  assert.deepEqual(handled, [0])
})

test('who takes messages holds and releases from within each: in order, however many wait, on no growing stack', t => {
  const guard = guarded(t, order)
  const handled: number[] = []
  const { connection, wire, read } = guard.seat({
    delivery: {
      message({ value }: any) {
        connection.hold()
        handled.push(value.n)
        connection.release()
      },
    },
  })
  connection.hold()
  assert.equal(wire.paused, false)
  read(...Array.from({ length: 15_000 }, (_, n) => ({ n })))
  assert.equal(wire.paused, true)
  assert.deepEqual(handled, [])
  connection.release()
  assert.deepEqual(
    handled,
    Array.from({ length: 15_000 }, (_, n) => n),
  )
  assert.equal(wire.paused, false)
})

test('once what waited is taken up, the next message waits for nothing', t => {
  const guard = guarded(t, order)
  const handled: unknown[] = []
  const { connection, read } = guard.seat({ delivery: { message: ({ value }) => handled.push(value) } })
  for (let round = 1; round <= 2; round++) {
    connection.hold()
    read({ held: round })
    connection.release()
    read({ free: round })
  }
  assert.deepEqual(handled, [{ held: 1 }, { free: 1 }, { held: 2 }, { free: 2 }])
})

test('several reasons to wait: reading goes on when the last is gone', async t => {
  const guard = guarded(t, {
    message: { concurrency: { handlers: 1 } },
    lifetime: { backpressure: { bytes: 100, for: 5000 }, session: { dangerouslyOff: true } },
  })
  const gate = Promise.withResolvers<void>()
  const { connection, wire, read, fill } = guard.seat({ delivery: { message: () => gate.promise } })
  read('{}')
  fill()
  wire.bufferedAmount = 200
  connection.send('x')
  wire.bufferedAmount = 0
  await guard.run(500)
  assert.equal(wire.paused, true)
  gate.resolve()
  await settled()
  assert.equal(wire.paused, false)
})
