import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { answering, createBackend, createRawBackend } from '../support/backends.ts'
import { closing, configOf, createWorld, messages, route } from '../support/gateway-world.ts'

const chat = (message: string): string => JSON.stringify({ type: 'chat', message })

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

describe('a backend that takes no connection: the client hears a status instead of 101, the operator why', () => {
  test('nobody listens: 502, again and again: the last target is never passed over', async () => {
    const world = await createWorld(configOf([`ws://127.0.0.1:${await closedPort()}`]))
    assert.deepEqual(await world.refusal(), [502, '{"code":"GATEWAY_UPSTREAM_UNREACHABLE"}'])
    assert.deepEqual(await world.refusal(), [502, '{"code":"GATEWAY_UPSTREAM_UNREACHABLE"}'])
    assert.match(String(world.logged[0]?.facts['detail']), /ECONNREFUSED/)
    assert.equal(world.gateway.targets()[0]?.healthy, false)
    assert.equal(world.gateway.targets()[0]?.open, 0)
    await world.close()
  })

  test('the first target is down: the next takes the connection, and the client notices nothing', async () => {
    const backend = await createBackend()
    const world = await createWorld(configOf([`ws://127.0.0.1:${await closedPort()}`, backend.target]))
    const client = await world.connect()
    client.send(chat('1'))
    assert.deepEqual(await messages(client, 1), [chat('1')])
    await world.close()
    await backend.close()
  })

  test('the first target says no: that is the answer, and nobody else is asked', async () => {
    const no = await createRawBackend(socket =>
      socket.once('data', () => socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n')),
    )
    const other = await createBackend()
    const world = await createWorld(configOf([no.target, other.target]))
    assert.deepEqual(await world.refusal(), [403, '{"code":"GATEWAY_UPSTREAM_REFUSED"}'])
    assert.equal(other.requests.length, 0)
    await world.close()
    await no.close()
    await other.close()
  })

  test('its answer comes byte by byte, as slow machines send it', async () => {
    const backend = await createRawBackend(
      answering(socket => {
        socket.write(Buffer.from('810568656c6c6f', 'hex'))
      }),
    )
    const slow = createServer(client => {
      const socket = connect(Number(new URL(backend.target).port), '127.0.0.1')
      client.setNoDelay(true).on('error', () => undefined)
      client.pipe(socket)
      void (async () => {
        for await (const chunk of socket as AsyncIterable<Buffer>) {
          for (const byte of chunk) {
            client.write(Buffer.from([byte]))
            // Two turns: the next byte is written when this one has been read.
            for (let turn = 0; turn < 2; turn++) await new Promise(resolve => setImmediate(resolve))
          }
        }
        client.end()
      })()
    }).listen(0, '127.0.0.1')
    await once(slow, 'listening')
    const world = await createWorld(configOf([`ws://127.0.0.1:${(slow.address() as AddressInfo).port}`]))
    const received = Promise.withResolvers<string>()
    await world.connect({ onMessage: received.resolve })
    assert.equal(await received.promise, 'hello')
    await world.close()
    await backend.close()
    await new Promise(resolve => slow.close(resolve))
  })

  const answers: readonly [name: string, answer: string, expected: readonly [number, string]][] = [
    [
      '403 is the backend’s own no',
      'HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n',
      [403, 'GATEWAY_UPSTREAM_REFUSED'],
    ],
    ['503', 'HTTP/1.1 503 Busy\r\n\r\n', [503, 'GATEWAY_UPSTREAM_REFUSED']],
    ['500', 'HTTP/1.1 500 Oops\r\n\r\n', [500, 'GATEWAY_UPSTREAM_REFUSED']],
    ['200 is no WebSocket', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi', [200, 'GATEWAY_UPSTREAM_REFUSED']],
    [
      '302 is not followed',
      'HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\n\r\n',
      [302, 'GATEWAY_UPSTREAM_REFUSED'],
    ],
    ['600 is no status', 'HTTP/1.1 600 What\r\n\r\n', [502, 'GATEWAY_UPSTREAM_REFUSED']],
    ['another protocol speaks', 'SSH-2.0-OpenSSH_9.2\r\n\r\n', [502, 'GATEWAY_UPSTREAM_BROKEN']],
    [
      '101 with the accept of another key',
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n',
      [502, 'GATEWAY_UPSTREAM_BROKEN'],
    ],
    [
      '101 without an accept',
      'HTTP/1.1 101 Sure\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
      [502, 'GATEWAY_UPSTREAM_BROKEN'],
    ],
    ['a head without end', `HTTP/1.1 101 Sure\r\nX: ${'x'.repeat(17_000)}`, [502, 'GATEWAY_UPSTREAM_BROKEN']],
    [
      'a folded header line',
      'HTTP/1.1 101 Sure\r\nUpgrade: websocket\r\n folded\r\n\r\n',
      [502, 'GATEWAY_UPSTREAM_BROKEN'],
    ],
  ]
  for (const [name, answer, [status, code]] of answers) {
    test(name, async () => {
      const backend = await createRawBackend(socket => socket.once('data', () => socket.write(answer, 'latin1')))
      const world = await createWorld(configOf([backend.target]))
      assert.deepEqual(await world.refusal(), [status, `{"code":"${code}"}`])
      assert.equal(
        world.logged.some(({ facts }) => facts['code'] === code),
        true,
      )
      await world.close()
      await backend.close()
    })
  }

  for (const [name, headers] of [
    ['an extension that was not offered', { 'Sec-WebSocket-Extensions': 'permessage-deflate' }],
    ['a subprotocol that was not offered', { 'Sec-WebSocket-Protocol': 'mqtt' }],
  ] as const) {
    test(`101 with ${name}: 502`, async () => {
      const backend = await createRawBackend(answering(() => undefined, headers))
      const world = await createWorld(configOf([backend.target]))
      assert.deepEqual(await world.refusal(), [502, '{"code":"GATEWAY_UPSTREAM_BROKEN"}'])
      await world.close()
      await backend.close()
    })
  }

  test('it accepts TCP and says nothing: 504 after the connect time-out', async () => {
    const backend = await createRawBackend(() => undefined)
    const world = await createWorld(configOf([backend.target], [route()], { connectTimeoutMs: 50 }))
    assert.deepEqual(await world.refusal(), [504, '{"code":"GATEWAY_UPSTREAM_TIMEOUT"}'])
    await world.close()
    await backend.close()
  })

  test('it resets before it answers: 502', async () => {
    const backend = await createRawBackend(socket => socket.once('data', () => socket.resetAndDestroy()))
    const world = await createWorld(configOf([backend.target]))
    assert.deepEqual(await world.refusal(), [502, '{"code":"GATEWAY_UPSTREAM_BROKEN"}'])
    await world.close()
    await backend.close()
  })

  test('a client that leaves meanwhile leaves no connection behind', async () => {
    const backend = await createRawBackend(() => undefined)
    const world = await createWorld(configOf([backend.target]))
    const attempt = world.connect().catch(() => undefined)
    while (backend.sockets.length === 0) await new Promise(resolve => setImmediate(resolve))
    const left = once(backend.sockets[0]!, 'close')
    for (const client of world.clients) client.terminate()
    backend.sockets[0]!.resume()
    await left
    await attempt
    assert.equal(world.gateway.targets()[0]?.open, 0)
    assert.equal(world.gateway.targets()[0]?.healthy, true)
    await world.close()
    await backend.close()
  })
})

describe('a backend that is lost: the client is told 1013 or 1011, the operator why', () => {
  const half = Buffer.concat([
    Buffer.from([0x81, 0x03]),
    Buffer.from('one'),
    Buffer.from([0x81, 0x7e, 0x10, 0x00]),
    Buffer.alloc(100, 'x'),
  ])
  const faults: readonly [name: string, bytes: Buffer, end: 'reset' | 'end' | 'stay', code: number, detail: RegExp][] =
    [
      ['resets in the middle of a message', half, 'reset', 1013, /lost, in the middle of a message/],
      ['ends in the middle of a message', half, 'end', 1013, /lost, in the middle of a message/],
      ['ends without a close frame', half.subarray(0, 5), 'end', 1013, /lost/],
      [
        'masks its frames',
        Buffer.concat([half.subarray(0, 5), Buffer.from('81830000000061626364', 'hex')]),
        'stay',
        1011,
        /WIRE_MASK_FORBIDDEN/,
      ],
      [
        'sends text that is not UTF-8',
        Buffer.concat([half.subarray(0, 5), Buffer.from('8102c328', 'hex')]),
        'stay',
        1011,
        /WIRE_TEXT_UTF8/,
      ],
      [
        'sends a reserved opcode',
        Buffer.concat([half.subarray(0, 5), Buffer.from('8300', 'hex')]),
        'stay',
        1011,
        /WIRE_OPCODE/,
      ],
      [
        'sets a reserved bit',
        Buffer.concat([half.subarray(0, 5), Buffer.from('c100', 'hex')]),
        'stay',
        1011,
        /WIRE_RESERVED_BITS/,
      ],
      [
        'announces a message over the bound',
        Buffer.concat([half.subarray(0, 5), Buffer.from('817f0000000001000001', 'hex')]),
        'stay',
        1011,
        /WIRE_FRAME_TOO_BIG/,
      ],
      [
        'sends a close code that must not be sent',
        Buffer.concat([half.subarray(0, 5), Buffer.from('880203ed', 'hex')]),
        'stay',
        1011,
        /WIRE_CLOSE_CODE/,
      ],
    ]
  for (const [name, bytes, end, code, detail] of faults) {
    test(`it ${name}: what was whole before is delivered, and nothing half`, async () => {
      const backend = await createRawBackend(
        answering(socket => {
          socket.write(bytes, () => {
            if (end === 'reset') setImmediate(() => socket.resetAndDestroy())
            else if (end === 'end') socket.end()
          })
        }),
      )
      const world = await createWorld(configOf([backend.target]))
      const received: string[] = []
      const client = await world.connect({ onMessage: text => received.push(text) })
      assert.deepEqual(await closing(client), [code, ''])
      assert.deepEqual(received, ['one'])
      assert.match(String(world.logged.at(-1)?.facts['detail']), detail)
      assert.equal([...world.gateway.connections()].length, 0)
      await world.close()
      await backend.close()
    })
  }

  test('frames that came in one packet with its 101 are delivered', async () => {
    const backend = await createRawBackend(answering(() => undefined, {}, Buffer.from('810568656c6c6f', 'hex')))
    const world = await createWorld(configOf([backend.target]))
    const received = Promise.withResolvers<string>()
    await world.connect({ onMessage: received.resolve })
    assert.equal(await received.promise, 'hello')
    await world.close()
    await backend.close()
  })

  test('it answers no ping (stopped, or gone without a word): 1013 within two intervals', async () => {
    const backend = await createRawBackend(answering(socket => socket.resume()))
    const world = await createWorld(configOf([backend.target], [route({ relay: { heartbeatMs: 64 } })]))
    assert.deepEqual(await closing(await world.connect()), [1013, ''])
    assert.match(String(world.logged.at(-1)?.facts['detail']), /no ping/)
    await world.close()
    await backend.close()
  })

  test('a backend that answers its pings is kept', async () => {
    const backend = await createBackend()
    const world = await createWorld(configOf([backend.target], [route({ relay: { heartbeatMs: 32 } })]))
    const client = await world.connect()
    for (let pings = 0; pings < 4; pings++) await once(backend.sockets[0]!, 'ping')
    client.send(chat('still here'))
    assert.deepEqual(await messages(client, 1), [chat('still here')])
    await world.close()
    await backend.close()
  })

  test('SIGSTOP of a real process: its client is closed with 1013, another backend’s is not; SIGCONT brings it back', async () => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', ECHO], {
      stdio: ['ignore', 'pipe', 'inherit'],
      cwd: import.meta.dirname,
    })
    const port = Number(String((await once(child.stdout, 'data'))[0]))
    const other = await createBackend()
    const config = configOf([`ws://127.0.0.1:${port}`, other.target], [route({ relay: { heartbeatMs: 64 } })])
    const world = await createWorld(config)
    const one = await world.connect()
    const two = await world.connect()
    const closed = closing(one)
    child.kill('SIGSTOP')
    assert.deepEqual(await closed, [1013, ''])
    two.send(chat('2'))
    assert.deepEqual(await messages(two, 1), [chat('2')])
    child.kill('SIGCONT')
    const again = await world.connect()
    again.send(chat('3'))
    assert.deepEqual(await messages(again, 1), [chat('3')])
    child.kill('SIGKILL')
    await world.close()
    await other.close()
  })
})

const ECHO = `
import { WebSocketServer } from 'ws'
const wss = new WebSocketServer({ port: 0, host: '127.0.0.1' }, () => process.stdout.write(String(wss.address().port)))
wss.on('connection', socket => socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })))
setTimeout(() => process.exit(), 30000)
`

describe('where backends are', () => {
  test('behind a unix socket', async () => {
    const path = join(tmpdir(), `sallyport-gateway-${process.pid}.sock`)
    rmSync(path, { force: true })
    const backend = await createBackend({ listen: path })
    const world = await createWorld(configOf([backend.target]))
    const client = await world.connect()
    client.send(chat('1'))
    assert.deepEqual(await messages(client, 1), [chat('1')])
    await world.close()
    await backend.close()
  })

  test('round robin: each gets its turn', async () => {
    const backends = [await createBackend(), await createBackend(), await createBackend()]
    const world = await createWorld(configOf(backends.map(({ target }) => target)))
    for (let index = 0; index < 6; index++) await world.connect()
    assert.deepEqual(
      backends.map(({ sockets }) => sockets.length),
      [2, 2, 2],
    )
    await world.close()
    for (const backend of backends) await backend.close()
  })

  test('least connections: whoever lost some gets the next', async () => {
    const backends = [await createBackend(), await createBackend()]
    const world = await createWorld(
      configOf(
        backends.map(({ target }) => target),
        [route()],
        { balance: 'least-connections' },
      ),
    )
    for (let index = 0; index < 4; index++) await world.connect()
    assert.deepEqual(
      backends.map(({ sockets }) => sockets.length),
      [2, 2],
    )
    for (const socket of backends[1]!.sockets) {
      const gone = once(socket, 'close')
      socket.close()
      await gone
    }
    while (world.gateway.targets()[1]!.open > 0) await new Promise(resolve => setImmediate(resolve))
    await world.connect()
    await world.connect()
    assert.deepEqual(
      backends.map(({ sockets }) => sockets.length),
      [2, 4],
    )
    await world.close()
    for (const backend of backends) await backend.close()
  })

  for (const status of [200, 204, 301, 399])
    test(`an active check takes a target out while it answers 500, and back in once it answers ${status}`, async () => {
      const well = { now: false }
      const looks: (string | undefined)[] = []
      const backend = await createBackend()
      backend.server.on('request', (request, response) => {
        looks.push(request.url)
        response.writeHead(well.now ? status : 500).end()
      })
      const health = { path: '/health', intervalMs: 20, timeoutMs: 1000 }
      const world = await createWorld(configOf([backend.target], [route()], { health }))
      const healthy = async (wanted: boolean): Promise<void> => {
        while (world.gateway.targets()[0]!.healthy !== wanted) await new Promise(resolve => setTimeout(resolve, 5))
      }
      await healthy(false)
      while (looks.length < 3) await new Promise(resolve => setTimeout(resolve, 5))
      assert.equal(world.gateway.targets()[0]!.reason, 'it answers 500')
      assert.deepEqual(await world.refusal(), [503, '{"code":"GATEWAY_UPSTREAM_NONE"}'])
      well.now = true
      await healthy(true)
      await world.connect()
      const changes = ['the backend fails its check', 'the backend answers its check again']
      assert.deepEqual(
        world.logged.flatMap(({ message }) => (changes.includes(message) ? [message] : [])),
        changes,
        'each change is reported once, however often it is looked',
      )
      await world.close()
      await backend.close()
    })
})
