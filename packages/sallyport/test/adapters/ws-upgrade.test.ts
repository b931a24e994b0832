import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { WebSocketServer } from 'ws'
import { dial, handshakeText } from '../support/raw-client.ts'
import { chatSchema, nextMessage, refusalOf } from '../support/world.ts'
import { attach, guardFor, started } from './ws-host.ts'

test('noServer: two guards on two paths of one server, an unowned path, a path in disguise', async t => {
  const host = await started(t, { message: { schema: { chat: chatSchema } } })
  const { server, guard, open, client, port } = host
  const other = await guardFor(port)
  const sockets = [guard, other].map((one, index) =>
    new WebSocketServer({ noServer: true, ...one.ws() }).on('connection', socket => socket.send(`"${index}"`)),
  )
  const [a, b] = [guard.upgrade(sockets[0]!, '/a'), other.upgrade(sockets[1]!, '/b')]
  server.on('upgrade', (request, socket, head) => {
    if (!a(request, socket, head) && !b(request, socket, head))
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n')
  })
  for (const [path, greeting] of [
    ['/a', '0'],
    ['/b?x=1', '1'],
  ] as const) {
    const socket = client(path)
    assert.equal(await nextMessage(socket), greeting)
  }
  for (const path of ['/c', '/', '/a/', '/%61', '/A']) assert.equal((await refusalOf(client(path))).status, 404, path)
  assert.equal((await refusalOf(client('/a', [], { origin: 'https://evil.example' }))).status, 403)
  assert.deepEqual([guard.counters().opened, other.counters().opened], [1, 1])
  await other.drain({ withinMs: 0 })
  assert.equal(typeof open, 'function')
})

test('upgrade refuses at start a server that the guard would not see', async t => {
  const { guard, port } = await started(t)
  const other = await guardFor(port)
  assert.throws(() => guard.upgrade(new WebSocketServer({ noServer: true }), '/'), {
    name: 'TypeError',
    message: /\.\.\.guard\.ws\(\)/,
  })
  for (const none of [createServer(), undefined]) {
    assert.throws(() => guard.upgrade(none as unknown as WebSocketServer, '/'), /not guarded by this guard/)
  }
  for (const path of [undefined, null, '', 'ws', '/ws?a=1']) {
    const sockets = new WebSocketServer({ noServer: true, ...guard.ws() })
    assert.throws(() => guard.upgrade(sockets, path as string), /begins with a slash: '\/ws'/)
  }
  assert.throws(() => guard.upgrade(new WebSocketServer({ noServer: true, ...other.ws() }), '/'), TypeError)
})

test('two servers of one guard, each on its path: both guarded', async t => {
  const { server, guard, client } = await started(t)
  const handlers = ['/a', '/b'].map(path =>
    guard.upgrade(
      new WebSocketServer({ noServer: true, ...guard.ws() }).on('connection', socket =>
        socket.send(JSON.stringify(path)),
      ),
      path,
    ),
  )
  server.on('upgrade', (request, socket, head) => void handlers.some(handle => handle(request, socket, head)))
  for (const path of ['/a', '/b']) assert.equal(await nextMessage(client(path)), path)
  for (const path of ['/a', '/b']) assert.equal((await refusalOf(client(path, [], { origin: 'null' }))).status, 403)
})

for (const way of ['server', 'upgrade'] as const) {
  test(`reset while the session is looked up (${way}): nothing opens, nothing stays counted`, async t => {
    const looks: (() => void)[] = []
    const { server, guard, port, origin } = await started(t, {
      handshake: {
        connections: { total: 5 },
        session: () => new Promise(resolve => looks.push(() => resolve({ id: 'a', user: 'a' }))),
      },
    })
    if (way === 'server') attach({ server, ...guard.ws() })
    else server.on('upgrade', guard.upgrade(attach({ noServer: true, ...guard.ws() }), '/'))
    const text = handshakeText({ port, request: 'GET / HTTP/1.1', replace: { origin: `Origin: ${origin}` } })
    for (let round = 0; round < 3; round++) {
      const closed: Promise<unknown>[] = []
      const dialled = await Promise.all(Array.from({ length: 5 }, () => dial(port)))
      for (const socket of dialled) socket.write(text)
      while (looks.length < 5) await new Promise(setImmediate)
      for (const socket of dialled) {
        closed.push(once(socket, 'close'))
        socket.resetAndDestroy()
      }
      await Promise.all(closed)
      const held = (): Promise<number> =>
        new Promise(resolve => server.getConnections((_error, count) => resolve(count)))
      while ((await held()) > 0) await new Promise(setImmediate)
      // The sockets are gone before their answers come. A sixth of five would be refused if one were still counted.
      for (const answer of looks.splice(0)) answer()
      await new Promise(setImmediate)
    }
    assert.equal(guard.counters().opened, 0)
    assert.deepEqual(guard.counters().denials, [])
  })
}

for (const by of ['guard.upgrade', 'verifyClient']) {
  test(`attack: who fills the network before a refusal by ${by}, and reads nothing, is cut`, async t => {
    const { server, guard, port } = await started(t)
    const sockets = new WebSocketServer({ ...(by === 'verifyClient' ? { server } : { noServer: true }), ...guard.ws() })
    if (by === 'guard.upgrade') server.on('upgrade', guard.upgrade(sockets, '/ws'))
    const connected = once(server, 'connection') as Promise<[Socket]>
    const mallory = (await dial(port)).pause()
    const [socket] = await connected
    while (socket.writableLength === 0) socket.write(Buffer.alloc(1 << 20))
    const told = once(server, 'upgrade')
    mallory.write(handshakeText({ port, replace: { origin: 'Origin: https://evil.example' } }))
    await told
    assert.deepEqual([socket.destroyed, socket.writableEnded, socket.timeout], [false, true, 5000])
    // The same, sooner.
    socket.setTimeout(10)
    await once(socket, 'close')
    mallory.destroy()
  })
}
