import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { deflateRawSync } from 'node:zlib'
import { type WebSocket, WebSocketServer } from 'ws'
import { readExtensions } from '../../src/wire/index.ts'
import { open as openRaw } from '../server/engine-server.ts'
import { exchange, handshakeText } from '../support/raw-client.ts'
import { closeOf, createWorld } from '../support/world.ts'
import { attach, started } from './ws-host.ts'

test('deflate is negotiated only where the policy says so, without context; a bomb ends at the bound', async t => {
  const off = await started(t)
  attach({ server: off.server, ...off.guard.ws() })
  assert.equal((await off.open()).extensions, '')

  const on = await started(t, { handshake: { extensions: { deflate: true } } })
  const got: unknown[] = []
  attach({ server: on.server, ...on.guard.ws() }).on('connection', socket =>
    socket.on('message', data => got.push(data)),
  )
  const socket = await on.open()
  assert.match(socket.extensions, /permessage-deflate/)
  const bomb = deflateRawSync(Buffer.alloc(64 << 20, 32)).subarray(0, 60_000)
  const head = Buffer.from([0xc1, 0xfe, bomb.length >> 8, bomb.length & 0xff, 0, 0, 0, 0])
  Reflect.get(socket, '_socket').write(Buffer.concat([head, bomb]))
  assert.deepEqual(await closeOf(socket), { code: 1009, reason: 'SALLY_MESSAGE_TOO_BIG' })
  assert.deepEqual(got, [])
  assert.equal((await on.event(({ code }) => code === 'SALLY_MESSAGE_TOO_BIG')).enforced, true)
})

/** What a client of each stack offers, and what it refuses in the answer. */
const TAKEOVER = 'server_no_context_takeover; client_no_context_takeover'
const CLIENTS = [
  ['ws', 'permessage-deflate; client_max_window_bits'],
  ['Chromium', 'permessage-deflate; client_max_window_bits'],
  ['Firefox', 'permessage-deflate'],
  ['Go coder/websocket', `permessage-deflate; client_no_context_takeover; server_no_context_takeover`],
  ['Go gorilla/websocket', `permessage-deflate; ${TAKEOVER}`],
  ['Python websockets', 'permessage-deflate; client_max_window_bits'],
  ['Python, both windows asked', 'permessage-deflate; server_max_window_bits=10; client_max_window_bits=11'],
  ['the full window asked', 'permessage-deflate; server_max_window_bits=15'],
  ['two offers, the second is plain', 'permessage-deflate; server_max_window_bits=11, permessage-deflate'],
] as const

for (const way of ['server', 'upgrade', 'serve'] as const) {
  for (const [client, offer] of CLIENTS) {
    test(`the offer of ${client} is answered with what it permits and asks (${way})`, async t => {
      const policy = { handshake: { extensions: { deflate: { windowBits: 12 } } } }
      let port: number
      if (way === 'serve') {
        const world = await createWorld({
          handshake: { ...policy.handshake, session: { dangerouslyAnonymous: true } },
        })
        t.after(() => world.close())
        port = world.port
      } else {
        const host = await started(t, policy)
        port = host.port
        if (way === 'server') attach({ server: host.server, ...host.guard.ws() })
        else
          host.server.on(
            'upgrade',
            host.guard.upgrade(new WebSocketServer({ noServer: true, ...host.guard.ws() }), '/'),
          )
      }
      const add = [`Sec-WebSocket-Extensions: ${offer}`]
      const { status, text } = await exchange(port, handshakeText({ port, request: 'GET / HTTP/1.1', add }))
      assert.equal(status, 101)
      const lines = text.match(/^sec-websocket-extensions: .*$/gim)
      assert.equal(lines?.length, 1)
      judgeAnswer(offer, lines[0].slice(lines[0].indexOf(':') + 1).trim())
    })
  }
}

/** RFC 7692 §7.1, the client's half: what strict clients check. */
function judgeAnswer(offered: string, answered: string): void {
  const [offer, ...more] = readExtensions(offered)!.map(({ parameters }) => new Map(parameters))
  const [answer] = readExtensions(answered)!.map(({ parameters }) => new Map(parameters))
  assert.ok(offer && answer)
  // We never take a context over, so the client must be told to reset its own.
  assert.equal(answer.get('client_no_context_takeover'), true)
  if (offer.has('server_no_context_takeover')) assert.equal(answer.get('server_no_context_takeover'), true)
  const asked = offer.get('server_max_window_bits')
  if (asked === undefined) assert.equal(answer.has('server_max_window_bits'), false)
  else assert.ok(Number(answer.get('server_max_window_bits')) <= Number(asked))
  if (!offer.has('client_max_window_bits')) assert.equal(answer.has('client_max_window_bits'), false)
  else if (answer.has('client_max_window_bits')) {
    const most = offer.get('client_max_window_bits')
    assert.ok(Number(answer.get('client_max_window_bits')) <= (most === true ? 15 : Number(most)))
  }
  const known = /^(?:server|client)_(?:no_context_takeover|max_window_bits)$/
  for (const name of answer.keys()) assert.match(name, known)
  assert.ok(more.length <= 1)
}

for (const [what, offer, extensions] of [
  ['an unknown parameter', 'permessage-deflate; foo', null],
  ['a window that zlib cannot write', 'permessage-deflate; server_max_window_bits=8', null],
  [
    'a window out of range, then a plain offer',
    'permessage-deflate; server_max_window_bits=99, permessage-deflate',
    true,
  ],
] as const) {
  test(`${what}: the offer is declined and the connection opens (guard.upgrade)`, async t => {
    const { server, guard, port } = await started(t, { handshake: { extensions: { deflate: true } } })
    const sockets = new WebSocketServer({ noServer: true, ...guard.ws() })
    const seen: unknown[] = []
    server.on('upgrade', guard.upgrade(sockets, '/'))
    sockets.on('connection', (socket, request) => {
      queueMicrotask(() => seen.push(request.headers['sec-websocket-extensions']))
      socket.send('x'.repeat(5_000))
    })
    const add = [`Sec-WebSocket-Extensions: ${offer}`]
    const { status, text } = await exchange(port, handshakeText({ port, request: 'GET / HTTP/1.1', add }))
    assert.equal(status, 101)
    assert.equal(/^sec-websocket-extensions: /im.test(text), extensions === true)
    assert.deepEqual(seen, [offer])
  })
}

test('a window of 8 by ws’s own server: what is sent goes uncompressed, since zlib has no such window', async t => {
  const { server, guard, port } = await started(t, { handshake: { extensions: { deflate: true } } })
  attach({ server, ...guard.ws() }).on('connection', socket => socket.send('x'.repeat(5_000)))
  const handshake = handshakeText({
    port,
    request: 'GET / HTTP/1.1',
    add: ['Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=8'],
  })
  const peer = await openRaw({ dial: () => connect(port, 'localhost') }, handshake)
  assert.deepEqual(await peer.hears(1), [`text ${'x'.repeat(5_000)}`])
  peer.socket.destroy()
})

test('the window of the policy holds though no answer names it', async t => {
  const { server, guard, open } = await started(t, { handshake: { extensions: { deflate: { windowBits: 9 } } } })
  const sockets = attach({ server, ...guard.ws() })
  const opened = once(sockets, 'connection')
  const client = await open('/', [], { perMessageDeflate: { clientMaxWindowBits: undefined } })
  const [socket] = (await opened) as [WebSocket]
  const block = randomBytes(1_000)
  const heard = once(client, 'message')
  // Its second half repeats the first from further back than 512 bytes: a greater window would find that.
  socket.send(Buffer.concat([block, block]))
  assert.deepEqual((await heard)[0], Buffer.concat([block, block]))
  assert.ok(Reflect.get(client, '_socket').bytesRead > 2_000)
})

for (const deflate of [false, true]) {
  for (const way of ['server', 'upgrade'] as const) {
    test(`offers that are not of the grammar are refused (${way}, deflate ${deflate})`, async t => {
      const { server, guard, port } = await started(t, { handshake: { extensions: { deflate } } })
      if (way === 'server') attach({ server, ...guard.ws() })
      else server.on('upgrade', guard.upgrade(new WebSocketServer({ noServer: true, ...guard.ws() }), '/'))
      for (const offer of ['', 'permessage-deflate;', 'permessage-deflate, ', 'permessage-deflate; a="1', '=']) {
        const add = [`Sec-WebSocket-Extensions: ${offer}`]
        const { status, text } = await exchange(port, handshakeText({ port, request: 'GET / HTTP/1.1', add }))
        assert.equal(status, 400, offer)
        // `ws` reads the header itself before it asks anybody, where it is to compress.
        if (way === 'upgrade' || !deflate) assert.match(text, /\{"code":"SALLY_REQUEST_MALFORMED"\}$/, offer)
      }
    })
  }
}
