import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { WebSocketServer } from 'ws'
import { createGuard } from '../../src/index.ts'
import { exchange, handshakeText } from '../support/raw-client.ts'
import { freePort } from '../support/world.ts'

for (const [line, status] of [
  ['Sec-WebSocket-Protocol:', 101],
  ['Sec-WebSocket-Protocol: \t', 101],
  ['Sec-WebSocket-Protocol: sallyport.v1', 101],
  ['Sec-WebSocket-Protocol: ,', 400],
  ['Sec-WebSocket-Protocol: a b', 400],
] as const) {
  test(`guard.upgrade: ${JSON.stringify(line)} is answered ${status}`, async t => {
    const port = await freePort()
    const guard = createGuard({
      handshake: { origin: { allow: [`http://localhost:${port}`] }, session: { dangerouslyAnonymous: true } },
      message: { schema: { chat: { type: 'object' } } },
    })
    const server = createServer()
    const sockets = new WebSocketServer({ noServer: true, ...guard.ws() })
    server.on('upgrade', guard.upgrade(sockets, '/ws'))
    server.listen(port, 'localhost')
    await once(server, 'listening')
    t.after(async () => {
      await guard.drain({ withinMs: 0 })
      server.close()
    })
    assert.equal((await exchange(port, handshakeText({ port, add: [line] }))).status, status)
  })
}
