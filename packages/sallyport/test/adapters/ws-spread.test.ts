import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import { closeOf, refusalOf } from '../support/world.ts'
import { attach, started } from './ws-host.ts'

test('verifyClient replaced after the spread: nothing vouches for the socket, so nothing passes through it', async t => {
  const { server, guard, client } = await started(t)
  const got: unknown[] = []
  const sockets = attach({ server, ...guard.ws(), verifyClient: () => true })
  sockets.on('connection', socket => {
    socket.on('message', data => got.push(data))
    socket.send('"S3cret"')
  })
  const socket = client('/', [], { origin: 'https://evil.example' })
  socket.on('message', data => got.push(data))
  socket.on('open', () => socket.send('1'))
  await once(socket, 'close')
  assert.deepEqual(got, [])
  assert.equal(guard.counters().opened, 0)
})

test('the class replaced after the spread: every handshake is refused, and a warning says why', async t => {
  const { server, guard, client } = await started(t)
  const warned = once(process, 'warning')
  attach({ server, ...guard.ws(), WebSocket })
  const refusal = await refusalOf(client())
  assert.equal(refusal.status, 503)
  assert.match(String((await warned)[0]), /spread/i)
  assert.equal(guard.counters().opened, 0)
})

test('bounds raised after the spread are held all the same', async t => {
  const { server, guard, open } = await started(t, { message: { size: { bytes: 100, fragments: 2 } } })
  attach({ server, ...guard.ws(), maxPayload: 1e9, maxFragments: 1e9 } as object)
  const socket = await open()
  socket.send(`"${'a'.repeat(99)}"`)
  assert.deepEqual(await closeOf(socket), { code: 1009, reason: 'SALLY_MESSAGE_TOO_BIG' })
  const other = await open()
  for (let part = 0; part < 3; part++) other.send('1', { fin: part === 2 })
  assert.deepEqual(await closeOf(other), { code: 1009, reason: 'SALLY_MESSAGE_FRAGMENTS' })
})

test('guard.ws spread without the call: an error at start, not a server without a guard', async t => {
  const { server, guard } = await started(t)
  assert.throws(() => attach({ server, ...(guard.ws as object) }), /guard\.ws must be called.*\.\.\.guard\.ws\(\)/)
})

test('the guard itself spread: an error at start, not a server without a guard', async t => {
  const { server, guard } = await started(t)
  assert.throws(() => attach({ server, ...guard }), /a guard is no options.*\.\.\.guard\.ws\(\)/)
})

test('verifyClient replaced after the spread: the socket is cut, and a warning says why', async t => {
  const { server, guard, client } = await started(t)
  const opened: unknown[] = []
  const got: unknown[] = []
  const sockets = attach({ server, ...guard.ws(), verifyClient: () => true })
  sockets.on('connection', socket => {
    opened.push(socket)
    socket.on('message', data => got.push(data))
  })
  const warned = once(process, 'warning')
  const socket = client()
  socket.on('open', () => socket.send('{"type":"chat","message":"past the door"}'))
  await once(socket, 'close')
  const [warning] = (await warned) as [Error & { code: string }]
  assert.equal(warning.code, 'SALLY_CONTROL_FAILED')
  assert.match(warning.message, /verifyClient was replaced.*handshake\.authorize/)
  assert.deepEqual(got, [])
})

const OFFER = { perMessageDeflate: { threshold: 0 } }

for (const [name, replaced, policy] of [
  ['on, where the policy allows none', true, {}],
  ['options, where the policy allows none', { threshold: 0 }, {}],
  ['on, where the policy bounds it', true, { handshake: { extensions: { deflate: true } } }],
  ['other options than the policy', { threshold: 0 }, { handshake: { extensions: { deflate: { threshold: 100 } } } }],
] as const) {
  test(`perMessageDeflate replaced after the spread (${name}): every handshake is refused, and a warning says why`, async t => {
    const { server, guard, client } = await started(t, policy)
    const warned = once(process, 'warning')
    attach({ server, ...guard.ws(), perMessageDeflate: replaced })
    const refusal = await refusalOf(client('/', [], OFFER))
    assert.equal(refusal.status, 503)
    assert.match(String((await warned)[0]), /perMessageDeflate.*handshake\.extensions\.deflate/)
    assert.equal(guard.counters().opened, 0)
  })
  test(`perMessageDeflate replaced after the spread (${name}): guard.upgrade is an error at start`, async t => {
    const { guard } = await started(t, policy)
    const sockets = new WebSocketServer({ noServer: true, ...guard.ws(), perMessageDeflate: replaced })
    assert.throws(() => guard.upgrade(sockets, '/'), /perMessageDeflate.*handshake\.extensions\.deflate/)
  })
}

for (const off of [false, undefined]) {
  test(`perMessageDeflate: ${off} after the spread is within any policy`, async t => {
    const { server, guard, open } = await started(t, { handshake: { extensions: { deflate: true } } })
    attach({ server, ...guard.ws(), perMessageDeflate: off as false })
    const socket = await open('/', [], OFFER)
    assert.equal(socket.extensions, '')
  })
}

test('a bomb, where maxPayload was raised after the spread: inflated no further than the policy allows', async t => {
  const { server, guard, open } = await started(t, {
    handshake: { extensions: { deflate: true } },
    message: { size: { bytes: 1000 } },
  })
  const sockets = attach({ server, ...guard.ws(), maxPayload: 0 })
  const inflated: number[] = []
  sockets.on('connection', socket => {
    const { _extensions: extensions } = socket as unknown as {
      _extensions: { 'permessage-deflate': { _maxPayload: number } }
    }
    inflated.push(extensions['permessage-deflate']._maxPayload)
  })
  const socket = await open('/', [], OFFER)
  assert.equal(socket.extensions.startsWith('permessage-deflate'), true)
  socket.send(`"${'a'.repeat(50_000_000)}"`)
  assert.deepEqual(await closeOf(socket), { code: 1009, reason: 'SALLY_MESSAGE_TOO_BIG' })
  assert.deepEqual(inflated, [1000])
})
