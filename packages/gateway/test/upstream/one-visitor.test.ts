import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, request } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { WebSocketServer } from 'ws'
import { handshake } from '../support/handshake.ts'
import { configOf, createWorld, type GatewayWorld, route } from '../support/gateway-world.ts'
import { closing } from '../support/leftovers.ts'
import { createRawBackend } from '../support/backends.ts'

const KEY_OF_ANOTHER = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'

/** What a backend does with a handshake for `/ws/NAME`: honest software has paths that do each of these. */
const ANSWERS: { [name: string]: (socket: Socket) => void } = {
  hang: () => undefined,
  half: socket => socket.write('HTTP/1.1 101 Swit'),
  reset: socket => socket.resetAndDestroy(),
  end: socket => socket.end(),
  accept: socket => socket.write(`${SWITCH}Sec-WebSocket-Accept: ${KEY_OF_ANOTHER}\r\n\r\n`),
  long: socket => socket.write(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(20_000)}`),
  endless: socket => socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'),
  noise: socket => socket.write('SSH-2.0-OpenSSH_9.2\r\n\r\n'),
  interim: socket => socket.write('HTTP/1.1 100 Continue\r\n\r\n'),
}
for (const status of [302, 400, 401, 404, 426, 500, 502, 503, 504]) {
  ANSWERS[status] = socket => socket.write(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`)
}

/** An app with a WebSocket at `/ws/room`, and paths that go wrong. */
async function createApp(): Promise<string> {
  const server = createServer((asked, response) => {
    const name = asked.url!.slice('/page/'.length)
    if (/^\d+$/.test(name)) response.writeHead(Number(name)).end()
    else if (ANSWERS[name] === undefined) response.end('ok')
    else ANSWERS[name](asked.socket)
  })
  const sockets = new WebSocketServer({ noServer: true })
  server.on('upgrade', (asked: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.on('error', () => undefined)
    const act = ANSWERS[asked.url!.slice('/ws/'.length)]
    if (act !== undefined) act(socket)
    else if (asked.url === '/ws/room') sockets.handleUpgrade(asked, socket, head, () => undefined)
    else socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const open = new Set<Socket>()
  server.on('connection', (socket: Socket) => open.add(socket.once('close', () => open.delete(socket))))
  closing(async () => {
    const closed = once(server, 'close')
    server.close()
    for (const socket of open) socket.destroy()
    await closed
  })
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function start(targets: readonly string[]): Promise<GatewayWorld> {
  const http = { path: '/', upstream: 'backend', timeoutMs: 300 }
  return createWorld(configOf(targets, [route({ path: '/ws/*', http })], { connectTimeoutMs: 300 }))
}

const dial = (world: GatewayWorld, name: string): Promise<number> =>
  world.connect({ path: `/ws/${name}` }).then(
    client => {
      client.terminate()
      return 101
    },
    (error: { status?: number }) => error.status ?? 0,
  )

async function page(world: GatewayWorld, name: string): Promise<number> {
  const asked = request({ host: '127.0.0.1', port: world.port, path: `/page/${name}`, agent: false })
  asked.end()
  const answer = await Promise.race([
    once(asked, 'response').then(([response]) => (response as IncomingMessage).statusCode!),
    once(asked, 'error').then(() => 0),
  ])
  asked.on('error', () => undefined).destroy()
  return answer
}

/** A handshake that is given up before its answer. */
async function leave(world: GatewayWorld): Promise<number> {
  const socket = connect(world.port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write(handshake('/ws/hang'))
  await new Promise(resolve => setTimeout(resolve, 20))
  socket.resetAndDestroy()
  return 0
}

describe('three healthy targets and one visitor: every honest handshake gets through', () => {
  const names = Object.keys(ANSWERS)
  const attacks: readonly (readonly [name: string, attack: (world: GatewayWorld) => Promise<number>])[] = [
    ...names.map(
      name => [`a handshake for what ends in: ${name}`, (world: GatewayWorld) => dial(world, name)] as const,
    ),
    ...names.map(name => [`a page that ends in: ${name}`, (world: GatewayWorld) => page(world, name)] as const),
    ['a handshake that it gives up', leave],
  ]
  for (const count of [3, 1]) {
    for (const [name, attack] of count === 3
      ? attacks
      : attacks.filter(([name]) => /400|hang|reset|gives/.test(name))) {
      test(`${name} (${count} target${count === 1 ? '' : 's'})`, async () => {
        const world = await start(await Promise.all(Array.from({ length: count }, createApp)))
        const got: number[] = []
        for (let round = 0; round < 2; round++) {
          const attacked = Promise.all([attack(world), attack(world), attack(world)])
          for (let honest = 0; honest < 4; honest++) got.push(await dial(world, 'room'))
          for (const status of await attacked) assert.notEqual(status, 101)
          for (let honest = 0; honest < 3; honest++) got.push(await dial(world, 'room'))
          assert.equal(await page(world, 'fine'), 200)
        }
        assert.deepEqual(got, Array(14).fill(101))
        assert.equal(
          world.logged.some(({ message }) => /passed over|last backend/.test(message)),
          false,
          JSON.stringify(world.logged),
        )
        assert.equal(
          world.gateway.targets().every(({ healthy }) => healthy),
          true,
        )
        await world.close()
      })
    }
  }
})

describe('a backend that does not live is still found', () => {
  for (const [name, act] of [
    ['it takes connections and says nothing', () => undefined],
    ['it resets every connection', (socket: Socket) => void socket.once('data', () => socket.resetAndDestroy())],
    ['it speaks something else', (socket: Socket) => void socket.once('data', () => socket.write('+OK ready\r\n\r\n'))],
  ] as const) {
    test(`${name}: the client is served by another, the probe takes it out`, async () => {
      const dead = await createRawBackend(act)
      const world = await start([dead.target, await createApp()])
      assert.equal(await dial(world, 'room'), 101)
      while (world.gateway.targets()[0]!.healthy) await new Promise(resolve => setTimeout(resolve, 5))
      assert.match(world.gateway.targets()[0]!.reason!, /^probe: /)
      const asked = dead.sockets.length
      for (let honest = 0; honest < 3; honest++) assert.equal(await dial(world, 'room'), 101)
      assert.equal(dead.sockets.length, asked)
      await world.close()
      await dead.close()
    })
  }
})

describe('502 to 504 before the 101 is tried once on another target', () => {
  for (const status of [502, 503, 504]) {
    test(`${status}: the other takes it`, async () => {
      const busy = await createRawBackend(socket => socket.once('data', () => ANSWERS[status]!(socket)))
      const world = await start([busy.target, await createApp()])
      assert.equal(await dial(world, 'room'), 101)
      assert.equal(busy.sockets.length, 1)
      await world.close()
      await busy.close()
    })

    test(`${status} by all: two are asked, and the client hears it`, async () => {
      const asked: string[] = []
      const busy = await Promise.all(
        ['a', 'b', 'c'].map(name =>
          createRawBackend(socket =>
            socket.once('data', () => {
              asked.push(name)
              ANSWERS[status]!(socket)
            }),
          ),
        ),
      )
      const world = await start(busy.map(({ target }) => target))
      assert.equal(await dial(world, 'room'), status)
      assert.deepEqual(asked, ['a', 'b'])
      await world.close()
      for (const one of busy) await one.close()
    })
  }

  for (const status of [302, 400, 401, 403, 404, 426, 500]) {
    test(`${status} is an answer: nobody else is asked`, async () => {
      const asked: Socket[] = []
      const answer = (socket: Socket): void => void socket.write(`HTTP/1.1 ${status} No\r\n\r\n`)
      const no = await createRawBackend(socket => socket.once('data', () => answer(socket)))
      const other = await createRawBackend(socket => void asked.push(socket))
      const world = await start([no.target, other.target])
      assert.equal(await dial(world, 'room'), status)
      assert.equal(asked.length, 0)
      await world.close()
      await no.close()
      await other.close()
    })
  }

  test('503, then nobody listens: the answer of the backend is what the client hears', async () => {
    const busy = await createRawBackend(socket => socket.once('data', () => ANSWERS[503]!(socket)))
    const gone = await createRawBackend(() => undefined)
    await gone.close()
    const world = await start([busy.target, gone.target])
    assert.equal(await dial(world, 'room'), 503)
    await world.close()
    await busy.close()
  })
})

describe('a page that no target was reached for', () => {
  test('is asked of another one, where it has no body', async () => {
    const gone = await createRawBackend(() => undefined)
    await gone.close()
    const world = await start([gone.target, await createApp()])
    assert.equal(await page(world, 'fine'), 200)
    await world.close()
  })
})

describe('what a backend answers reaches client and log as it was', () => {
  const rows: readonly (readonly [status: string, told: Record<string, string>, kept: readonly string[]])[] = [
    ['302', { location: 'https://login.example/?next=%2Fws' }, ['Set-Cookie: a=1', 'Content-Type: text/html']],
    ['401', { 'www-authenticate': 'Bearer realm="app", Basic realm="b"' }, ['X-Powered-By: app']],
    ['426', { upgrade: 'websocket', 'sec-websocket-version': '13, 8' }, ['Keep-Alive: timeout=99']],
    ['429', { 'retry-after': '17' }, ['Server: app', 'Transfer-Encoding: chunked', 'Content-Length: 99']],
    ['405', { allow: 'GET' }, ['Access-Control-Allow-Origin: *', 'Sec-WebSocket-Accept: x']],
    ['404', {}, ['Location: /a', 'Location: /b', 'no header', 'Retry-After : 3', `Allow: ${'x'.repeat(5000)}`]],
    ['204', {}, ['Sec-WebSocket-Protocol: chat']],
    ['599', {}, ['Connection: keep-alive']],
  ]
  for (const [status, told, kept] of rows) {
    test(`${status} with ${Object.keys(told).join(', ') || 'nothing that may pass'}`, async () => {
      const lines = [...Object.entries(told).map(([name, value]) => `${name}: ${value}`), ...kept].join('\r\n')
      const backend = await createRawBackend(socket =>
        socket.once('data', () => socket.write(`HTTP/1.1 ${status} Oh\r\n${lines}\r\n\r\n`)),
      )
      const world = await start([backend.target])
      const socket = connect(world.port, '127.0.0.1')
      socket.write(handshake('/ws/room'))
      let text = ''
      socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
      await once(socket, 'close')
      const [head, body] = text.split('\r\n\r\n')
      const fields = head!
        .split('\r\n')
        .slice(1)
        .map(line => line.split(': ') as [string, string])
      const { 'content-length': _, ...got } = Object.fromEntries(
        fields.map(([name, value]) => [name.toLowerCase(), value]),
      )
      assert.equal(text.split(' ')[1], status)
      assert.equal(body, status === '204' ? '' : '{"code":"GATEWAY_UPSTREAM_REFUSED"}')
      const own = { 'content-type': 'application/json', 'cache-control': 'no-store', connection: 'close' }
      assert.deepEqual(got, { ...own, ...told })
      const { facts } = world.logged.find(({ message }) => message === 'no backend took the connection')!
      assert.deepEqual([facts['status'], facts['detail']], [Number(status), `the backend answered ${status}`])
      await world.close()
      await backend.close()
    })
  }

  test('100 Continue and 103 Early Hints come before the answer, and are none', async () => {
    const backend = await createRawBackend(socket =>
      socket.once('data', () => {
        socket.write(
          'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 418 No\r\n\r\n',
        )
      }),
    )
    const world = await start([backend.target])
    assert.equal(await dial(world, 'room'), 418)
    await world.close()
    await backend.close()
  })

  test('103 without end is a head that is too long', async () => {
    const backend = await createRawBackend(socket =>
      socket.once('data', () => socket.write('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(1000))),
    )
    const world = await start([backend.target])
    assert.equal(await dial(world, 'room'), 502)
    await world.close()
    await backend.close()
  })
})
