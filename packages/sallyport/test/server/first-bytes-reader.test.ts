import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { Agent, createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import { installFirstBytesReader } from '../../src/node/first-bytes-reader.ts'
import { EngineRequest } from '../../src/node/upgrade-request.ts'
import { exchange, GET, HANDSHAKE, open, startEngine, text } from './engine-server.ts'

const KEEP = 'GET /page HTTP/1.1\r\nHost: app.test\r\n\r\n'

for (const tls of [false, true]) {
  describe(`what is no handshake reaches the HTTP server as it came${tls ? ', over TLS' : ''}`, () => {
    const options = {
      tls,
      request: async (asked: IncomingMessage, response: ServerResponse) => {
        const body = await buffer(asked)
        response.end(`${asked.method} ${asked.url} ${body.length} `)
      },
    }
    const rows: readonly (readonly [string, readonly (string | Buffer)[], RegExp])[] = [
      ['a GET', [GET], /GET \/page 0 /],
      ['a GET in pieces', [GET.slice(0, 9), GET.slice(9, 30), GET.slice(30)], /GET \/page 0 /],
      ['a GET byte by byte', GET.split(''), /GET \/page 0 /],
      ['two requests, one after another', [KEEP, GET], /GET \/page 0 [^]*GET \/page 0 /],
      ['two requests in one read', [KEEP + GET], /GET \/page 0 [^]*GET \/page 0 /],
      [
        'a POST whose body comes later',
        ['POST /x HTTP/1.1\r\nHost: app.test\r\nContent-Length: 10\r\nConnection: close\r\n\r\n01234', '56789'],
        /POST \/x 10 /,
      ],
      [
        'a chunked body with a handshake in it',
        [
          `POST /x HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n${HANDSHAKE.length.toString(16)}\r\n${HANDSHAKE}\r\n0\r\n\r\n`,
        ],
        new RegExp(`POST /x ${HANDSHAKE.length} `),
      ],
      ['garbage', ['\x16\x03\x01\x02'], /^HTTP\/1\.1 400 /],
      ['a bare LF', ['GET / HTTP/1.1\nHost: app.test\n\n'], /^HTTP\/1\.1 400 /],
      [
        'two framings',
        ['GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n'],
        /^HTTP\/1\.1 400 /,
      ],
    ]
    for (const [name, parts, expected] of rows) {
      test(name, async t => {
        const engine = await startEngine(t, options)
        assert.match(await exchange(engine, ...parts), expected)
        assert.deepEqual(engine.connections, [])
      })
    }

    test('a body of a megabyte, and the connection is kept alive', async t => {
      const engine = await startEngine(t, { ...options, tls: false })
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      for (let round = 0; round < 3; round++) {
        const sent = request({ port: engine.port, host: '127.0.0.1', method: 'POST', path: '/big', agent })
        sent.end(Buffer.alloc(1 << 20, round))
        const [response] = (await once(sent, 'response')) as [IncomingMessage]
        assert.match((await buffer(response)).toString(), /POST \/big 1048576 /)
      }
      assert.equal(engine.sockets.length, 1)
      agent.destroy()
    })
  })
}

describe('a handshake', () => {
  test('in one piece does not reach the HTTP parser', async t => {
    const engine = await startEngine(t)
    const seen: unknown[] = []
    engine.server.on('upgrade', (asked: IncomingMessage) => seen.push(asked))
    const client = await open(engine)
    client.send('a')
    assert.deepEqual(await client.hears(1), ['text a'])
    assert.ok(seen[0] instanceof EngineRequest)
    client.socket.destroy()
  })

  test('in two pieces is read by the HTTP server, and is the same connection', async t => {
    const engine = await startEngine(t)
    const seen: unknown[] = []
    engine.server.on('upgrade', (asked: IncomingMessage) => seen.push(asked))
    const socket = engine.dial()
    socket.setNoDelay(true)
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.write(HANDSHAKE.slice(0, 50))
    while (engine.sockets.length === 0 || engine.sockets[0]!.bytesRead === 0) await new Promise(setImmediate)
    socket.write(HANDSHAKE.slice(50))
    while (!Buffer.concat(chunks).toString().includes('\r\n\r\n')) await new Promise(setImmediate)
    assert.ok(!(seen[0] instanceof EngineRequest))
    chunks.length = 0
    socket.write(text('a'))
    while (chunks.length === 0) await new Promise(setImmediate)
    assert.equal(Buffer.concat(chunks).toString('hex'), '810161')
    socket.destroy()
  })

  test('smuggling: bytes behind it are refused before they are read as anything', async t => {
    const engine = await startEngine(t, { request: (_asked, response) => response.end('admin') })
    for (const behind of ['GET /admin HTTP/1.1\r\nHost: app.test\r\n\r\n', text('early')]) {
      const answer = await exchange(engine, Buffer.concat([Buffer.from(HANDSHAKE), Buffer.from(behind)]))
      assert.match(answer, /^HTTP\/1\.1 400 [^]*SALLY_REQUEST_MALFORMED"\}$/)
    }
    assert.deepEqual(engine.connections, [])
  })

  test('smuggling: a body announced on it is no upgrade', async t => {
    const engine = await startEngine(t)
    const hidden = HANDSHAKE.replace('Origin', 'Content-Length: 5\r\nOrigin')
    assert.match(await exchange(engine, `${hidden}GET /`), /^HTTP\/1\.1 400 /)
    assert.deepEqual(engine.connections, [])
  })

  test('a refusal is one answer, and the socket is let go', async t => {
    const engine = await startEngine(t, { policy: { handshake: { host: { allow: ['other.test'] } } } })
    assert.match(await exchange(engine, HANDSHAKE), /^HTTP\/1\.1 421 [^]*\r\n\r\n\{"code":"SALLY_HOST_NOT_SERVED"\}$/)
    assert.deepEqual(engine.connections, [])
  })

  test('a verdict that comes later opens the connection then', async t => {
    let decide: (allowed: boolean) => void = () => undefined
    const engine = await startEngine(t, {
      policy: { handshake: { authorize: () => new Promise<boolean>(resolve => (decide = resolve)) } },
    })
    const opening = open(engine)
    while (engine.sockets.length === 0) await new Promise(setImmediate)
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
    assert.deepEqual(engine.connections, [])
    decide(true)
    const client = await opening
    client.send('a')
    assert.deepEqual(await client.hears(1), ['text a'])
    client.socket.destroy()
  })

  test('a peer that resets while the verdict is awaited costs nothing', async t => {
    let decide: (allowed: boolean) => void = () => undefined
    const engine = await startEngine(t, {
      policy: { handshake: { authorize: () => new Promise<boolean>(resolve => (decide = resolve)) } },
    })
    const socket = engine.dial()
    socket.write(HANDSHAKE)
    while (engine.sockets.length === 0 || engine.sockets[0]!.bytesRead === 0) await new Promise(setImmediate)
    socket.resetAndDestroy()
    engine.sockets[0]!.resume()
    await new Promise(resolve => engine.sockets[0]!.on('close', resolve))
    decide(true)
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
    assert.deepEqual(engine.connections, [])
  })

  test('goes to the HTTP server where nobody listens for upgrades', async () => {
    const server = createServer((_asked, response) => response.end('no upgrade here'))
    const firstBytes = installFirstBytesReader(server, 1000)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    socket.write(HANDSHAKE)
    assert.match(String((await once(socket, 'data'))[0]), /no upgrade here/)
    socket.destroy()
    firstBytes.close()
    server.close()
  })
})

test('a server that reads its sockets beneath JavaScript, as those of Bun do, keeps them', () => {
  const server = new EventEmitter()
  const own = (): void => undefined
  server.on('connection', own)
  const firstBytes = installFirstBytesReader(server as Server, 1000)
  assert.deepEqual(server.listeners('connection'), [own])
  // What such a server hands over was read by itself: a listener would take a connection's first frames for a request.
  const socket = new EventEmitter()
  server.emit('connection', socket)
  assert.deepEqual(socket.eventNames(), [])
  firstBytes.close()
})

test('a receiver stands for the one listener of upgrades; whoever listens beside it is told by the event', async t => {
  const server = createServer()
  const heard: string[] = []
  const firstBytes = installFirstBytesReader(server, 1000, ({ target }, socket) => {
    heard.push(`read ${target}`)
    assert.ok(socket.listenerCount('error') > 0)
    socket.pause()
    socket.end('read')
  })
  server.on('upgrade', (asked: IncomingMessage, socket: Socket) => {
    heard.push(`event ${asked.url}`)
    socket.end('event')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    firstBytes.close()
    server.close()
  })
  const ask = async (): Promise<void> => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    socket.write(HANDSHAKE)
    await buffer(socket)
  }
  await ask()
  const beside = (): void => void heard.push('beside')
  server.on('upgrade', beside)
  await ask()
  server.off('upgrade', beside)
  await ask()
  assert.deepEqual(heard, ['read /chat', 'event /chat', 'beside', 'read /chat'])
})

describe('a connection that says nothing', () => {
  test('is cut after the time it has, to the second, and nobody else is', async t => {
    t.mock.timers.enable({ apis: ['setInterval', 'Date'] })
    const engine = await startEngine(t, { silenceMs: 5000 })
    const silent = engine.dial()
    while (engine.sockets.length < 1) await new Promise(setImmediate)
    const client = await open(engine)
    t.mock.timers.tick(2000)
    const later = engine.dial()
    while (engine.sockets.length < 3) await new Promise(setImmediate)
    const gone = [0, 2].map(index => new Promise(resolve => engine.sockets[index]!.on('close', resolve)))
    t.mock.timers.tick(2999)
    assert.deepEqual(
      engine.sockets.map(socket => socket.destroyed),
      [false, false, false],
    )
    t.mock.timers.tick(1)
    assert.deepEqual(
      engine.sockets.map(socket => socket.destroyed),
      [true, false, false],
    )
    t.mock.timers.tick(2000)
    assert.deepEqual(
      engine.sockets.map(socket => socket.destroyed),
      [true, false, true],
    )
    await Promise.all(gone)
    // Nobody is silent: the sweep ends, and begins again with the next.
    t.mock.timers.tick(1000)
    const last = engine.dial()
    while (engine.sockets.length < 4) await new Promise(setImmediate)
    t.mock.timers.tick(5000)
    assert.equal(engine.sockets[3]!.destroyed, true)
    for (const socket of [silent, later, last, client.socket]) socket.destroy()
  })

  test('and ends is closed at once: half open it would hold its place until the sweep', async t => {
    const engine = await startEngine(t, { silenceMs: 1_000_000 })
    const socket = engine.dial()
    socket.end()
    while (engine.sockets.length < 1 || !engine.sockets[0]!.destroyed) await new Promise(setImmediate)
    socket.destroy()
  })

  test('is cut when the first-bytes reader is closed', async t => {
    const engine = await startEngine(t)
    const socket = engine.dial()
    while (engine.sockets.length === 0) await new Promise(setImmediate)
    engine.firstBytes.close()
    await once(socket, 'close')
  })

  test('or resets, is forgotten', async t => {
    const engine = await startEngine(t)
    const socket = engine.dial()
    while (engine.sockets.length === 0) await new Promise(setImmediate)
    socket.resetAndDestroy()
    await new Promise(resolve => engine.sockets[0]!.on('close', resolve))
    engine.firstBytes.close()
  })
})

test('what is kept sends at once: Nagle waits on no connection and no page, and a refusal asks the kernel for nothing', async t => {
  const engine = await startEngine(t, { policy: { handshake: { host: { allow: ['app.test'] } } }, noDelay: false })
  const told: Socket[] = []
  engine.server.prependListener('connection', (socket: Socket) => {
    const { setNoDelay } = socket
    socket.setNoDelay = on => {
      told.push(socket)
      return setNoDelay.call(socket, on)
    }
  })
  assert.match(await exchange(engine, HANDSHAKE.replace('Host: app.test', 'Host: other.test')), /^HTTP\/1\.1 421 /)
  assert.deepEqual(told, [])
  assert.match(await exchange(engine, GET), /http/)
  assert.deepEqual(told, [engine.sockets[1]])
  const client = await open(engine)
  assert.deepEqual(told, [engine.sockets[1], engine.sockets[2]])
  client.socket.destroy()
})

test("a request of the first-bytes reader is Node's own to whoever reads it", async t => {
  const engine = await startEngine(t)
  let asked: IncomingMessage | null = null
  engine.server.prependListener('upgrade', (seen: IncomingMessage) => (asked = seen))
  const client = await open(engine, HANDSHAKE.replace('Origin', 'Cookie: a=1; b=2\r\nOrigin'))
  const seen = asked as IncomingMessage | null
  assert.equal(seen?.method, 'GET')
  assert.equal(seen?.url, '/chat')
  assert.equal(seen?.httpVersion, '1.1')
  assert.equal(seen?.headers.cookie, 'a=1; b=2')
  assert.deepEqual(seen?.headersDistinct.cookie, ['a=1; b=2'])
  assert.equal(seen?.rawHeaders.length, 14)
  assert.equal(seen?.socket, engine.sockets[0] as Socket)
  const derived = Object.create(seen) as IncomingMessage
  assert.equal(derived.headers.cookie, 'a=1; b=2')
  assert.equal(derived.headersDistinct.host?.[0], 'app.test')
  // Middleware writes to both.
  seen.headers = { host: 'x' }
  seen.headersDistinct = { host: ['x'] }
  assert.deepEqual([seen.headers, seen.headersDistinct], [{ host: 'x' }, { host: ['x'] }])
  client.socket.destroy()
})
