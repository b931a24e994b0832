import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { kindOf } from '../../src/shape/shown.ts'
import { type WebSocket, WebSocketServer } from 'ws'
import { createHost, guardFor } from './ws-host.ts'

const chat = { message: { schema: { chat: { type: 'object' } } } }

test('a socket is known to the guard that opened it, closed too, and to no other one', async () => {
  const host = await createHost(chat)
  const other = await guardFor(host.port, chat)
  const wss = new WebSocketServer({ server: host.server, ...host.guard.ws() })
  try {
    const connected = once(wss, 'connection')
    const client = await host.open()
    const [socket] = (await connected) as [WebSocket]
    assert.equal(host.guard.connection(socket).readyState, 1)
    for (const ask of [() => other.connection(socket), () => other.handle(socket, { chat() {} })])
      assert.throws(ask, { name: 'TypeError', message: /was opened by another guard, which judges it: ask that one/ })
    client.close()
    await once(socket, 'close')
    assert.equal(host.guard.connection(socket).readyState, 3)
  } finally {
    await host.close()
  }
})

test('what no guard opened is known to none', async () => {
  const guard = await guardFor(8080)
  for (const socket of [undefined, null, 5, {}, Promise.resolve()])
    assert.throws(
      () => guard.connection(socket as never),
      { name: 'TypeError', message: /not opened by a guard/ },
      kindOf(socket),
    )
})
