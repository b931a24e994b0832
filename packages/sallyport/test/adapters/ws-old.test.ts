import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import { refusalOf } from '../support/world.ts'
import { createHost } from './ws-host.ts'

/** As `ws` was before it had the option `WebSocket`: every socket is of its own class. */
class OldServer extends WebSocketServer {
  completeUpgrade(...given: unknown[]): void {
    const options = this.options as { WebSocket?: unknown }
    const { WebSocket: asked } = options
    options.WebSocket = WebSocket
    Reflect.apply((WebSocketServer.prototype as unknown as OldServer).completeUpgrade, this, given)
    options.WebSocket = asked
  }
}

for (const way of ['{ server }', 'guard.upgrade()']) {
  test(`an old ws that opens sockets of its own, by ${way}: they are cut, nothing is heard, and no more are let in`, async t => {
    const { server, guard, client, close } = await createHost({ handshake: { connections: { total: 1 } } })
    t.after(close)
    const got: unknown[] = []
    const options = guard.ws() as object
    const sockets = new OldServer(way === '{ server }' ? { server, ...options } : { noServer: true, ...options })
    sockets.on('connection', socket => socket.on('message', data => got.push(data)))
    if (way !== '{ server }') server.on('upgrade', guard.upgrade(sockets, '/'))
    const warned = once(process, 'warning')
    const socket = client()
    socket.on('open', () => socket.send('{"type":"chat","message":"past the door"}'))
    await once(socket, 'close')
    const [warning] = (await warned) as [Error & { code: string }]
    assert.equal(warning.code, 'SALLY_CONTROL_FAILED')
    assert.match(warning.message, /older than 8\.20.*express-ws/)
    // Its place was given back: the next is refused for the server's sake, not for want of one.
    assert.equal((await refusalOf(client())).status, 503)
    assert.deepEqual(got, [])
    assert.equal(guard.counters().opened, 0)
  })
}

test('a server that closes answers a handshake with 503 itself: it is no old one, and nothing is warned of', async t => {
  const { server, guard, client, close } = await createHost()
  t.after(close)
  const sockets = new WebSocketServer({ noServer: true, ...(guard.ws() as object) })
  const upgrade = guard.upgrade(sockets, '/')
  server.on('upgrade', (request, socket, head) => {
    sockets.close()
    upgrade(request, socket, head)
  })
  const warnings: unknown[] = []
  const warn = (warning: unknown): void => void warnings.push(warning)
  process.on('warning', warn)
  t.after(() => process.off('warning', warn))
  assert.equal((await refusalOf(client())).status, 503)
  assert.equal((await refusalOf(client())).status, 503)
  assert.deepEqual(warnings, [])
})
