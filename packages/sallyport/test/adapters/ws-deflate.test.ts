import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deflateRawSync } from 'node:zlib'
import { WebSocketServer } from 'ws'
import { exchange, handshakeText } from '../support/raw-client.ts'
import { closeOf } from '../support/world.ts'
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

for (const [engine, offer] of [
  ['Chromium', 'permessage-deflate; client_max_window_bits'],
  ['Firefox', 'permessage-deflate'],
] as const) {
  test(`${engine}’s own offer of deflate is taken up where the policy allows it`, async t => {
    const { server, guard, port } = await started(t, { handshake: { extensions: { deflate: { windowBits: 12 } } } })
    attach({ server, ...guard.ws() })
    const add = [`Sec-WebSocket-Extensions: ${offer}`]
    const { status, text } = await exchange(port, handshakeText({ port, request: 'GET / HTTP/1.1', add }))
    assert.equal(status, 101)
    assert.match(text, /^sec-websocket-extensions: permessage-deflate;.*server_no_context_takeover/im)
  })
}

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
