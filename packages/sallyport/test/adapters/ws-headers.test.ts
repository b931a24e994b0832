import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { WebSocketServer } from 'ws'
import { headersOnce } from '../../src/adapters/ws/handshake.ts'
import { exchange, handshakeText } from '../support/raw-client.ts'
import { attach, started } from './ws-host.ts'

const SERVED = { handshake: { subprotocol: { serve: ['chat.v1', 'chat.v2'] } } }

for (const way of ['server', 'upgrade'] as const) {
  for (const [what, line] of [
    ['the same subprotocol', 'Sec-WebSocket-Protocol: chat.v1'],
    ['another subprotocol', 'sec-websocket-protocol: chat.v2'],
    ['a ticket', 'Sec-WebSocket-Protocol: sallyport.ticket.S3cret'],
    ['a list with a ticket', 'Sec-WebSocket-Protocol: chat.v1, sallyport.ticket.S3cret'],
    ['extensions', 'Sec-WebSocket-Extensions: permessage-deflate'],
  ] as const) {
    test(`an app that adds ${what} in its headers listener: each stands once, and a browser opens (${way})`, async t => {
      const host = await started(t, {
        handshake: { ...SERVED.handshake, extensions: { deflate: true } },
      })
      const sockets =
        way === 'server'
          ? attach({ server: host.server, ...host.guard.ws() })
          : new WebSocketServer({ noServer: true, ...host.guard.ws() })
      if (way === 'upgrade') host.server.on('upgrade', host.guard.upgrade(sockets, '/'))
      sockets.on('headers', headers => headers.push(line, 'Set-Cookie: a=1', 'Set-Cookie: b=2'))
      const add = [
        'Sec-WebSocket-Protocol: chat.v1, sallyport.ticket.S3cret',
        'Sec-WebSocket-Extensions: permessage-deflate',
      ]
      const { status, text } = await exchange(
        host.port,
        handshakeText({ port: host.port, request: 'GET / HTTP/1.1', add }),
      )
      assert.equal(status, 101)
      assert.deepEqual(text.match(/^sec-websocket-protocol: .*$/gim), ['Sec-WebSocket-Protocol: chat.v1'])
      assert.equal(text.match(/^sec-websocket-extensions: .*$/gim)?.length, 1)
      assert.equal(text.match(/^set-cookie: /gim)?.length, 2)
      assert.doesNotMatch(text, /S3cret/)
    })
  }
}

test('what the app writes in its connection listener is not touched', async t => {
  const host = await started(t)
  const sockets = attach({ server: host.server, ...host.guard.ws() })
  sockets.on('connection', socket => socket.send('Upgrade: websocket\r\nUpgrade: websocket'))
  const client = host.client()
  const [data] = await once(client, 'message')
  assert.equal(String(data), 'Upgrade: websocket\r\nUpgrade: websocket')
})

for (const [what, head, expected] of [
  ['none repeated', 'HTTP/1.1 101 X\r\nUpgrade: websocket\r\n\r\n', 'HTTP/1.1 101 X\r\nUpgrade: websocket\r\n\r\n'],
  ['case does not matter', 'X\r\nUpgrade: a\r\nUPGRADE: b\r\n\r\n', 'X\r\nUpgrade: a\r\n\r\n'],
  ['a line without a colon stays', 'X\r\nodd\r\n\r\n', 'X\r\nodd\r\n\r\n'],
  ['a ticket in any case', 'X\r\nSec-WebSocket-Protocol: SALLYPORT.ticket.a\r\n\r\n', 'X\r\n\r\n'],
] as const) {
  test(`headersOnce: ${what}`, () => assert.equal(headersOnce(head), expected))
}
