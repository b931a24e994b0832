import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import { refusalOf } from '../support/world.ts'
import { attach, createHost } from './ws-host.ts'

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

/** Opens a socket of its own where `isOdd` says so, as a bug or a subclass of the app may. */
function oddServer(options: object, isOdd: () => boolean): WebSocketServer {
  const sound = new WebSocketServer(options)
  const { completeUpgrade } = sound as unknown as OldServer
  ;(sound as unknown as OldServer).completeUpgrade = function (this: WebSocketServer, ...given: unknown[]) {
    const complete = isOdd() ? OldServer.prototype.completeUpgrade : completeUpgrade
    Reflect.apply(complete, this, given)
  }
  return sound
}

test('one odd socket of a server that opens guarded ones: it is cut, and the next is let in', async t => {
  const { server, guard, client, open, close } = await createHost({ handshake: { connections: { total: 2 } } })
  t.after(close)
  let odd = false
  oddServer({ server, ...guard.ws() }, () => odd)
  await open()
  odd = true
  await once(client(), 'close')
  odd = false
  await open()
  assert.equal(guard.counters().opened, 2)
})

test('one odd socket of a server that was never seen to open a guarded one: it is asked again a second later', async t => {
  const { server, guard, client, open, close } = await createHost()
  t.after(close)
  let odd = true
  oddServer({ server, ...guard.ws() }, () => odd)
  await once(client(), 'close')
  odd = false
  const began = performance.now()
  let isOpen = false
  while (!isOpen) {
    const next = client()
    const refused = refusalOf(next).catch(() => null)
    const answer = await Promise.race([once(next, 'open').then(() => null), refused])
    isOpen = answer === null
    if (answer !== null) assert.deepEqual([answer.status, answer.headers['retry-after']], [503, '1'])
  }
  assert.ok(performance.now() - began > 900)
  await open()
  assert.equal(guard.counters().opened, 2)
})

test('an odd socket of one server says nothing of another one of the same guard', async t => {
  const { server, guard, client, open, close } = await createHost()
  t.after(close)
  oddServer({ server, path: '/odd', ...guard.ws() }, () => true)
  const odd = client('/odd')
  await once(odd, 'close')
  server.removeAllListeners('upgrade')
  attach({ server, path: '/sound', ...guard.ws() })
  await open('/sound')
})

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
