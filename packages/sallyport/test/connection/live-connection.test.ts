import assert from 'node:assert/strict'
import { test } from 'node:test'
import { guarded, settled } from '../guard/live.ts'

const order = { handshake: {}, lifetime: { session: { dangerouslyOff: true } } }

test('a handler that throws, rejects, or is a thenable that throws: told to the app, a code to the peer, no more', async t => {
  const guard = guarded(t, order)
  const failed: unknown[] = []
  const thenable = {
    // oxlint-disable-next-line unicorn/no-thenable -- what an app may return
    then() {
      throw new Error('in then')
    },
  }
  const acts = [
    () => {
      throw new Error('secret')
    },
    () => Promise.reject(new Error('secret')),
    () => thenable,
  ]
  const { connection, wire, read } = guard.seat({
    delivery: {
      message: () => acts.shift()!(),
      failed(error) {
        failed.push(error)
        throw new Error('again')
      },
    },
  })
  for (let act = 0; act < 3; act++) {
    read('{}')
    await settled()
  }
  assert.equal(failed.length, 3)
  assert.deepEqual(wire.sent, Array.from({ length: 3 }).fill('{"type":"error","code":"SALLY_HANDLER_FAILED"}'))
  assert.equal(JSON.stringify(guard.events).includes('secret'), false)
  assert.equal(connection.readyState, 1)
})

for (const [name, open] of [
  [
    'throws',
    () => {
      throw new Error('x')
    },
  ],
  ['rejects', () => Promise.reject(new Error('x'))],
] as const) {
  test(`open that ${name} closes with 1011; the app gets the end`, async t => {
    const guard = guarded(t, order)
    const told: string[] = []
    const { connection, wire } = guard.seat({
      delivery: { open, failed: () => told.push('failed'), closed: () => told.push('closed') },
    })
    await settled()
    assert.deepEqual(wire.closes, [[1011, '']])
    connection.closed(1011)
    assert.deepEqual(told, ['failed', 'closed'])
  })
}

test('closed that rejects, and failed that rejects, end no process', async t => {
  const guard = guarded(t, order)
  const { connection } = guard.seat({
    delivery: { closed: () => Promise.reject(new Error('x')), failed: () => Promise.reject(new Error('y')) },
  })
  connection.closed(1000)
  await settled()
  assert.equal(guard.events.filter(({ kind }) => kind === 'failure').length, 1)
})

for (const [name, open] of [
  ['closes', (connection: any) => connection.close(4000, 'full')],
  ['terminates', (connection: any) => connection.terminate()],
] as const) {
  test(`a handler that ${name} inside open, sends and goes on: nothing is sent or handled after`, t => {
    const guard = guarded(t, order)
    const handled: unknown[] = []
    const { connection, wire, read } = guard.seat({
      delivery: {
        open(live) {
          open(live)
          assert.equal(live.send('late'), false)
        },
        message: ({ value }) => handled.push(value),
      },
    })
    read('{}')
    assert.deepEqual(handled, [])
    assert.deepEqual(wire.sent, [])
    assert.equal(connection.readyState, 2)
  })
}

test('a handler that closes in the middle of one read ends the handling of the rest', t => {
  const guard = guarded(t, order)
  const handled: number[] = []
  const { wire, read } = guard.seat({
    delivery: {
      message({ value }: any, live) {
        handled.push(value.n)
        live.close(4000)
        live.close(4001)
        throw new Error('after the close')
      },
    },
  })
  read({ n: 0 }, { n: 1 })
  assert.deepEqual(handled, [0])
  assert.deepEqual(wire.closes, [[4000, '']])
  assert.deepEqual(wire.sent, [])
})

for (const report of [false, true]) {
  test(`a listener that revokes on every denial does not recurse${report ? ', nor in report mode' : ''}`, t => {
    const guard = guarded(t, { lifetime: {}, report })
    let calls = 0
    const { core } = guard
    const { connection, wire } = guard.seat()
    // As an anomaly detector might.
    guard.events.push = (...events) => {
      for (const { kind } of events) {
        if (kind !== 'denial') continue
        calls++
        void core.revoke({ user: 'ann' })
        connection.end({ pass: false, code: 'SALLY_AGE', facts: {} })
        if (!report) connection.terminate()
      }
      return 0
    }
    connection.end({ pass: false, code: 'SALLY_IDLE', facts: {} })
    // What the operator orders is done in report mode too.
    assert.equal(calls, report ? 2 : 1)
    assert.equal(connection.rare.denial?.code ?? null, report ? 'SALLY_LIFETIME_REVOKED' : 'SALLY_IDLE')
    assert.equal(wire.terminated, !report)
  })
}

test('the signal aborts as soon as a denial ends the connection, before the peer answers', async t => {
  const guard = guarded(t, { lifetime: {} })
  const aborted: boolean[] = []
  let running: any
  const { wire, read } = guard.seat({
    delivery: {
      message(_subject, live) {
        running = live
        live.signal.addEventListener('abort', () => aborted.push(live.send('late')))
        return new Promise(() => {})
      },
    },
  })
  read('{}')
  await guard.core.revoke({ session: 's1' })
  assert.deepEqual(aborted, [false])
  assert.equal(running.readyState, 2)
  assert.equal(running.signal.aborted, true)
  assert.deepEqual(wire.sent, [])
  assert.deepEqual(wire.closes, [[4401, 'SALLY_LIFETIME_REVOKED']])
})

test('the app’s own close lets running handlers end; the signal aborts with the socket', t => {
  const guard = guarded(t, order)
  const { connection } = guard.seat()
  const { signal } = connection
  connection.close()
  assert.equal(signal.aborted, false)
  connection.closed(1000)
  assert.equal(signal.aborted, true)
})

for (const [closeCode, code] of [
  [1009, 'SALLY_MESSAGE_TOO_BIG'],
  [1008, 'SALLY_MESSAGE_FRAGMENTS'],
  [1007, 'SALLY_MESSAGE_NOT_UTF8'],
  [1002, 'SALLY_PROTOCOL_ERROR'],
] as const) {
  test(`a violation of ${closeCode} is ${code}; what waited is dropped`, async t => {
    const gate = Promise.withResolvers<boolean>()
    const guard = guarded(t, { ...order, message: { authorize: () => gate.promise } })
    const handled: unknown[] = []
    const { connection, read } = guard.seat({ delivery: { message: ({ value }) => handled.push(value) } })
    read('{}', '{}')
    connection.violation(closeCode, 'detail')
    connection.violation(1002, 'again')
    gate.resolve(true)
    await settled()
    assert.deepEqual(handled, [])
    assert.deepEqual(guard.denials(), [code])
    connection.closed(closeCode)
    connection.closed(1006)
    assert.equal(guard.events.filter(({ kind }) => kind === 'close').length, 1)
  })
}

for (const [name, code, reason] of [
  ['1004', 1004, ''],
  ['1005', 1005, ''],
  ['1006', 1006, ''],
  ['1015', 1015, ''],
  ['999', 999, ''],
  ['2999', 2999, ''],
  ['5000', 5000, ''],
  ['a fraction', 3000.5, ''],
  ['not a number', Number.NaN, ''],
  ['a reason of 124 bytes', 1000, 'é'.repeat(62)],
] as const) {
  test(`close refuses ${name}`, t => {
    const { connection } = guarded(t, order).seat()
    assert.throws(() => connection.close(code, reason), RangeError)
    assert.equal(connection.readyState, 1)
  })
}

for (const [name, reason] of [
  ['a number', 5],
  ['null', null],
  ['an object', { room: 'closed' }],
  ['bytes, which could be counted and not be written', Buffer.from('closed')],
] as const) {
  test(`close refuses ${name} as a reason, and leaves the connection as it was`, t => {
    const { connection, wire } = guarded(t, order).seat()
    assert.throws(() => connection.close(4000, reason as never), {
      name: 'TypeError',
      message: /^the close reason is /,
    })
    assert.equal(connection.readyState, 1)
    connection.close(4000, 'closed')
    assert.deepEqual(wire.closes, [[4000, 'closed']])
  })
}

test('close takes 123 bytes of reason and the edges of the ranges', t => {
  const guard = guarded(t, order)
  for (const code of [1000, 1001, 1003, 1007, 1014, 3000, 4999]) {
    const { connection, wire } = guard.seat()
    connection.close(code, 'x'.repeat(123))
    assert.equal(wire.closes[0]?.[0], code)
  }
})

test('strikes: refused messages within a minute; report mode of the schema goes on answering', async t => {
  const alone = { heartbeat: { dangerouslyOff: true }, session: { dangerouslyOff: true } }
  for (const report of [false, ['message/schema']]) {
    const guard = guarded(t, { lifetime: alone, message: { strikes: 2 }, report })
    const { wire, read } = guard.seat()
    read('no', 'no')
    await guard.run(60_001)
    read('no', 'no')
    assert.deepEqual(wire.closes, [])
    read('no', 'no')
    assert.equal(wire.sent.length, report ? 6 : 4)
    assert.deepEqual(wire.closes, report ? [] : [[1008, 'SALLY_MESSAGE_STRIKES']])
    t.mock.timers.reset()
  }
})

test('outbound: what is not declared is dropped and reported, whatever it is', t => {
  const guard = guarded(t, {
    ...order,
    message: {
      outbound: { note: { type: 'object', properties: { type: { const: 'note' }, text: { type: 'string' } } } },
    },
  })
  const { connection, wire } = guard.seat()
  for (const message of ['null', '7', '"x"', 'not json', '[]', { type: 'other' }, new Uint8Array(4)])
    assert.equal(connection.send(message), false)
  assert.equal(connection.send({ type: 'note', text: 'x', passwordHash: 'h' }), true)
  assert.equal(connection.send('{"type":"note","text":"y","passwordHash":"h"}'), true)
  assert.deepEqual(wire.sent, ['{"type":"note","text":"x"}', '{"type":"note","text":"y"}'])
  assert.equal(guard.denials().length, 7)
})
