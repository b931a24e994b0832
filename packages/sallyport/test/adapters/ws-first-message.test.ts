import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { WebSocketServer } from 'ws'
import { close, type RawClient, open as openRaw, ping, text } from '../server/engine-server.ts'
import { handshakeText } from '../support/raw-client.ts'
import { closeOf, createWorld, nextTexts, refusalOf } from '../support/world.ts'
import { attach, type Host, started } from './ws-host.ts'

const FIRST = {
  handshake: {
    session: (request: { cookie(name: string): string | undefined }) => ({
      id: request.cookie('sid') ?? 'x',
      user: 'ann',
    }),
    ticket: { carrier: 'first-message', csrf: (token: string) => token === 'right' },
  },
}
const PROOF = '{"type":"auth","csrfToken":"right"}'

/** A host in first-message mode whose app greets, pings, and hears everything. */
async function guarded(
  t: TestContext,
  report: readonly string[] = [],
): Promise<{ readonly host: Host; readonly sockets: WebSocketServer; readonly told: string[] }> {
  const host = await started(t, { ...FIRST, report })
  const sockets = new WebSocketServer({ noServer: true, ...host.guard.ws() })
  const told: string[] = []
  sockets.on('connection', socket => {
    told.push(`connection ${host.guard.connection(socket).session.user}`)
    for (const event of ['ping', 'pong', 'message'] as const) {
      socket.on(event, data => void told.push(`${event} ${String(data)}`))
    }
    socket.ping('from the app')
    socket.send('welcome')
  })
  host.server.on('upgrade', host.guard.upgrade(sockets, '/'))
  return { host, sockets, told }
}

async function raw(host: Host): Promise<RawClient> {
  return openRaw(
    { dial: () => connect(host.port, 'localhost') },
    handshakeText({ port: host.port, request: 'GET / HTTP/1.1' }),
  )
}

test('before the proof no code of the app runs and not a byte is sent, whatever the peer sends', async t => {
  const { host, sockets, told } = await guarded(t)
  const peer = await raw(host)
  peer.send(ping('{"evil":1}'), ping(''))
  // A broadcast to all clients is not for a peer that has proven nothing.
  await host.event(({ kind }) => kind === 'open')
  for (const client of sockets.clients) client.send('to everybody')
  assert.deepEqual([...sockets.clients], [])
  peer.send(text('{"type":"auth","csrfToken":"wrong"}'))
  const heard = await peer.closes()
  assert.deepEqual(heard, ['close 4401 SALLY_CSRF_INVALID'])
  assert.deepEqual(told, [])
})

test('behind the proof the listener is called once, and all works as ever', async t => {
  const { host, sockets, told } = await guarded(t)
  const client = await host.open()
  const both = nextTexts(client, 2)
  const pinged = once(client, 'ping')
  client.send(PROOF)
  assert.deepEqual(await both, ['{"type":"authenticated"}', 'welcome'])
  assert.equal(String((await pinged)[0]), 'from the app')
  assert.equal(sockets.clients.size, 1)
  const pong = once(client, 'pong')
  client.ping('mine')
  assert.equal(String((await pong)[0]), 'mine')
  client.send('{"a":1}')
  const [server] = sockets.clients
  const ended = once(server!, 'close')
  client.close()
  await ended
  assert.deepEqual(
    told.filter(line => !line.startsWith('pong')),
    ['connection ann', 'ping mine', 'message {"a":1}'],
  )
  assert.equal(sockets.clients.size, 0)
})

test('proof, ping and message in one write: the app hears what came behind the proof, in order', async t => {
  const { host, told } = await guarded(t)
  const peer = await raw(host)
  peer.send(ping('before'), text(PROOF), ping('behind'), text('{"a":1}'), close(1000))
  const heard = await peer.closes()
  assert.deepEqual(heard.slice(0, 1), ['text {"type":"authenticated"}'])
  assert.equal(
    heard.some(line => line === 'pong before'),
    false,
  )
  assert.deepEqual(told, ['connection ann', 'ping behind', 'message {"a":1}'])
})

test('a peer that leaves before its proof is never reported', async t => {
  const { host, told } = await guarded(t)
  const peer = await raw(host)
  peer.socket.resetAndDestroy()
  await peer.closes()
  const gone = await raw(host)
  gone.send(close(1000))
  await gone.closes()
  const last = await host.open()
  const heard = nextTexts(last, 1)
  last.send(PROOF)
  await heard
  assert.deepEqual(told, ['connection ann'])
})

test('a listener that throws closes the connection it could not set up', async t => {
  const host = await started(t, FIRST)
  const sockets = new WebSocketServer({ noServer: true, ...host.guard.ws() })
  sockets.on('connection', () => {
    throw new Error('not set up')
  })
  host.server.on('upgrade', host.guard.upgrade(sockets, '/'))
  const client = await host.open()
  client.send(PROOF)
  assert.equal((await closeOf(client)).code, 1011)
})

for (const [name, options] of [
  ['a server', (host: Host) => ({ server: host.server })],
  ['a port', () => ({ port: 0 })],
] as const) {
  test(`guard.ws() alone on ${name} does not start`, async t => {
    const host = await started(t, FIRST)
    assert.throws(() => attach({ ...options(host), ...host.guard.ws() }), { name: 'TypeError', message: /noServer/ })
  })
}

test('the error that ends the process says what to write', async () => {
  const program = `
    import { createServer } from 'node:http'
    import { createGuard } from 'sallyport'
    import { WebSocketServer } from 'ws'
    const guard = createGuard({
      handshake: { origin: { allow: ['https://app.company.com'] }, session: () => null, ticket: { carrier: 'first-message' } },
      message: { schema: { chat: { type: 'object', properties: {} } } },
    })
    new WebSocketServer({ server: createServer(), ...guard.ws() })`
  const run = promisify(execFile)(process.execPath, [
    '--conditions=sallyport-source',
    '--input-type=module',
    '-e',
    program,
  ])
  await assert.rejects(run, (error: { readonly stderr: string }) => {
    assert.match(error.stderr, /first-message.*server\.on\('upgrade', guard\.upgrade\(new WebSocketServer\(\{ noServer/)
    return true
  })
})

test('a framework that opens sockets by itself (handleUpgrade) is refused, and a warning says why', async t => {
  const host = await started(t, FIRST)
  const sockets = new WebSocketServer({ noServer: true, ...host.guard.ws() })
  let connections = 0
  sockets.on('connection', () => connections++)
  host.server.on('upgrade', (request, socket, head) =>
    sockets.handleUpgrade(request, socket, head, opened => sockets.emit('connection', opened, request)),
  )
  const warned = once(process, 'warning')
  assert.equal((await refusalOf(host.client())).status, 503)
  assert.match(((await warned) as [Error])[0].message, /guard\.upgrade/)
  assert.equal(connections, 0)
})

test('in report mode the listener is called as if nothing had to be proven', async t => {
  const { host, told } = await guarded(t, ['handshake/ticket'])
  const heard = once(host.client(), 'message')
  assert.equal(String((await heard)[0]), 'welcome')
  assert.equal(told[0], 'connection ann')
})

test('serve() sends no pong either before the proof', async t => {
  const world = await createWorld(FIRST)
  t.after(() => world.close())
  const dial = (): Socket => connect(world.port, 'localhost')
  const peer = await openRaw({ dial }, handshakeText({ port: world.port }))
  peer.send(ping('before'), text(PROOF))
  assert.deepEqual(await peer.hears(1), ['text {"type":"authenticated"}'])
  peer.send(ping('behind'))
  assert.deepEqual(await peer.hears(2), ['text {"type":"authenticated"}', 'pong behind'])
  peer.socket.destroy()
})
