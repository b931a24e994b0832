import assert from 'node:assert/strict'
import { test } from 'node:test'
import { guarded, settled } from '../guard/live.ts'

const SECRET = 'bXk4c2VjcmV0LXRoYXQtaXMtbG9uZy1lbm91Z2gtMTc='
const firstMessage = (extra: object = {}) => ({
  handshake: { ticket: { carrier: 'first-message', csrf: (token: string) => token === 'right', secret: SECRET } },
  lifetime: { authentication: { deadline: 1000 }, session: { dangerouslyOff: true } },
  ...extra,
})
const RIGHT = { type: 'auth', csrfToken: 'right' }
const WRONG = { type: 'auth', csrfToken: 'wrong' }

for (const [name, ms, closes] of [
  ['one below the deadline stays', 999, []],
  ['at the deadline is closed', 1000, [[4401, 'SALLY_AUTHENTICATION_DEADLINE']]],
] as const) {
  test(`a silent peer ${name}`, async t => {
    const guard = guarded(t, firstMessage())
    const { wire } = guard.seat({ ticket: 'deferred' })
    await guard.run(ms)
    assert.deepEqual(wire.closes, closes)
  })
}

test('who authenticates in time is answered, opened to the app, and no longer under the deadline', async t => {
  const guard = guarded(t, firstMessage())
  const opened: number[] = []
  const { connection, wire, read } = guard.seat({
    ticket: 'deferred',
    delivery: { open: ({ readyState }) => opened.push(readyState) },
  })
  assert.equal(connection.readyState, 0)
  assert.equal(wire.messageBytes, 4096)
  read(RIGHT)
  assert.deepEqual(wire.sent, ['{"type":"authenticated"}'])
  assert.deepEqual(opened, [1])
  assert.equal(wire.messageBytes, 65_536)
  await guard.run(5000)
  assert.deepEqual(wire.closes, [])
})

for (const [name, first, close] of [
  ['a wrong token', JSON.stringify(WRONG), [4401, 'SALLY_CSRF_INVALID']],
  ['another message', '{"type":"chat"}', [4401, 'SALLY_AUTHENTICATION_FIRST']],
  ['no JSON', 'hello', [4401, 'SALLY_AUTHENTICATION_FIRST']],
  ['an empty message', '', [4401, 'SALLY_AUTHENTICATION_FIRST']],
  ['4 KiB and one byte', 'x'.repeat(4097), [1009, 'SALLY_MESSAGE_TOO_BIG']],
] as const) {
  test(`first comes ${name}: closed, reported once, never opened to the app, no message handled`, async t => {
    const guard = guarded(t, firstMessage())
    const told: string[] = []
    const { connection, wire, read } = guard.seat({
      ticket: 'deferred',
      delivery: {
        open: () => told.push('open'),
        message: () => told.push('message'),
        closed: () => told.push('closed'),
      },
    })
    read(first, RIGHT, '{"type":"chat"}')
    await settled()
    connection.closed(close[0])
    assert.deepEqual(wire.closes, [close])
    assert.deepEqual(guard.denials(), [close[1]])
    assert.deepEqual(told, [])
    assert.deepEqual(wire.sent, [])
  })
}

test('a binary first message is refused and reported', t => {
  const guard = guarded(t, firstMessage())
  const { connection, wire } = guard.seat({ ticket: 'deferred' })
  connection.binary(new Uint8Array(10))
  assert.deepEqual(wire.closes, [[4401, 'SALLY_AUTHENTICATION_FIRST']])
  assert.deepEqual(guard.denials(), ['SALLY_AUTHENTICATION_FIRST'])
})

test('what is pipelined behind an asynchronous authentication waits for it, in order', async t => {
  const gate = Promise.withResolvers<boolean>()
  const guard = guarded(t, {
    ...firstMessage(),
    handshake: { ticket: { carrier: 'first-message', csrf: () => gate.promise, secret: SECRET } },
  })
  const handled: unknown[] = []
  const { wire, read } = guard.seat({ ticket: 'deferred', delivery: { message: ({ value }) => handled.push(value) } })
  read(RIGHT, { n: 1 }, { n: 2 })
  await settled()
  assert.deepEqual(handled, [])
  gate.resolve(true)
  await settled()
  assert.deepEqual(handled, [{ n: 1 }, { n: 2 }])
  assert.equal(wire.paused, false)
})

test('what the app sends early waits for authentication, and its bytes are bounded', t => {
  const guard = guarded(t, {
    ...firstMessage(),
    lifetime: { backpressure: { bytes: 10 }, session: { dangerouslyOff: true } },
  })
  const { connection, wire, read } = guard.seat({ ticket: 'deferred' })
  assert.equal(connection.send('12345'), true)
  assert.equal(connection.send('67890'), true)
  assert.equal(connection.send('1'), false)
  assert.equal(connection.bufferedAmount, 10)
  assert.deepEqual(wire.sent, [])
  read(RIGHT)
  assert.deepEqual(wire.sent, ['{"type":"authenticated"}', '12345', '67890'])
  assert.equal(connection.bufferedAmount, 0)
})

test('what waited for an authentication that never came is dropped with the close, not when the peer answers', t => {
  const guard = guarded(t, firstMessage())
  const { connection, read } = guard.seat({ ticket: 'deferred' })
  connection.send('12345')
  read(WRONG)
  assert.equal(connection.bufferedAmount, 0)
  assert.equal(connection.send('x'), false)
})

test('report mode: a first message that proves nothing is reported, and handled like any other', t => {
  const guard = guarded(t, firstMessage({ report: true }))
  const handled: unknown[] = []
  const { wire, read } = guard.seat({ ticket: 'deferred', delivery: { message: ({ value }) => handled.push(value) } })
  read({ type: 'chat' }, { type: 'chat' })
  assert.deepEqual(handled, [{ type: 'chat' }, { type: 'chat' }])
  assert.deepEqual(wire.sent, [])
  assert.deepEqual(guard.denials(), ['SALLY_AUTHENTICATION_FIRST?'])
})

test('report mode: a binary first message too', t => {
  const guard = guarded(t, firstMessage({ report: true }))
  const handled: unknown[] = []
  const { connection, wire } = guard.seat({
    ticket: 'deferred',
    delivery: { message: ({ data }) => handled.push(data) },
  })
  connection.binary(new Uint8Array([7]))
  assert.deepEqual(handled, [new Uint8Array([7])])
  assert.deepEqual(wire.closes, [])
  assert.equal(guard.denials()[0], 'SALLY_AUTHENTICATION_FIRST?')
})

test('report mode: the deadline is reported once and closes nothing', async t => {
  const guard = guarded(t, firstMessage({ report: ['lifetime/authentication'] }))
  const { wire } = guard.seat({ ticket: 'deferred' })
  await guard.run(5000)
  assert.deepEqual(wire.closes, [])
  assert.deepEqual(guard.denials(), ['SALLY_AUTHENTICATION_DEADLINE?'])
})

test('with another carrier there is no deadline', async t => {
  const guard = guarded(t, { lifetime: { session: { dangerouslyOff: true } } })
  const { wire } = guard.seat()
  await guard.run(6000)
  assert.deepEqual(wire.closes, [])
})
