import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, createServer, get, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { after, describe, test, type TestContext } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { CERTIFICATE, KEY } from '../../../../test/support/certificates.ts'
import { mostDescriptors, roomFor } from '../../src/node/descriptors.ts'
import { installFirstBytesReader } from '../../src/node/first-bytes-reader.ts'
import { boundSockets, type SocketLoss } from '../../src/node/socket-bounds.ts'

interface Bench {
  readonly port: number
  readonly server: Server
  /** Sockets that came so far. */
  readonly came: () => number
  readonly lost: (readonly [loss: SocketLoss, address: string])[]
  /** Opens a socket from an address of loopback, and sends this. */
  dial(from: string, bytes?: string | Buffer): Socket
  /** What a page is answered with that is asked for from there. */
  page(from: string): Promise<string>
  /** Requests that were never answered. */
  readonly hanging: ServerResponse[]
}

const MOST = 60

/** A server of 60 places. `/slow` is never answered; a handshake is answered by 101 and no more. */
async function start(
  t: TestContext,
  tls = false,
  isProxy: (address: string) => boolean = () => false,
  few: { readonly most?: number; readonly descriptors?: number; readonly descriptorsEach?: number } = {},
): Promise<Bench> {
  const hanging: ServerResponse[] = []
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    if (request.url === '/slow') hanging.push(response)
    else response.end('page')
  }
  const server = tls ? createTlsServer({ cert: CERTIFICATE, key: KEY }, answer) : createServer(answer)
  const lost: Bench['lost'] = []
  const sockets: Socket[] = []
  server.on('upgrade', (_request, socket: Socket) => accept(socket))
  const accept = (socket: Socket): void => {
    bounds.upgraded(socket)
    socket.on('error', () => undefined)
    sockets.push(socket)
    socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n')
  }
  const firstBytes = installFirstBytesReader(server, 10_000, (_read, socket) => accept(socket))
  const note = (loss: SocketLoss, address: string): void => void lost.push([loss, address])
  const bounds = boundSockets(server, { most: MOST, isProxy, lost: note, ...few })
  let came = 0
  server.on('connection', () => came++)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  t.after(async () => {
    for (const socket of sockets) socket.destroy()
    const closed = once(server, 'close')
    server.close()
    firstBytes.close()
    server.closeAllConnections()
    await closed
  })
  return {
    port,
    server,
    came: () => came,
    lost,
    hanging,
    dial(from, bytes) {
      const socket = connect({ port, host: '127.0.0.1', localAddress: from }).resume()
      socket.on('error', () => undefined)
      sockets.push(socket)
      if (bytes !== undefined) socket.write(bytes)
      return socket
    },
    async page(from) {
      const plain = connect({ port, host: '127.0.0.1', localAddress: from })
      const socket = tls ? connectTls({ socket: plain, rejectUnauthorized: false }) : plain
      for (const one of [plain, socket]) one.on('error', () => undefined)
      sockets.push(plain)
      socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
      let text = ''
      socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
      await once(socket, 'close')
      return text.slice(0, 15)
    },
  }
}

const OK = 'HTTP/1.1 200 OK'
const HANDSHAKE =
  'GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'
const openOf = (sockets: readonly Socket[]): number => sockets.filter(({ closed }) => !closed).length
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(setImmediate)
}

/** What an attacker's socket does; `tls`: against a server that speaks TLS. */
const ATTACKS: readonly (readonly [name: string, bytes: string | Buffer | undefined, tls: boolean])[] = [
  ['say nothing', undefined, false],
  ['send one byte', 'G', false],
  ['send half a head', 'GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ', false],
  ['send half a handshake', HANDSHAKE.slice(0, -2), false],
  ['keep the connection behind an answer', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', false],
  ['keep it behind two answers', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(2), false],
  ['begin no TLS handshake', undefined, true],
  ['stop in the middle of a ClientHello', Buffer.from('1603010200010001fc0303', 'hex'), true],
]

describe('a process that may open fewer files than it has places', () => {
  for (const [name, each] of [
    ['one descriptor each', 1],
    ['two each, as behind a gateway', 2],
  ] as const) {
    test(`${name}: one address leaves descriptors to others`, async t => {
      const descriptors = 64 + each * MOST
      const bench = await start(t, false, undefined, { most: 10_000, descriptors, descriptorsEach: each })
      const sockets: Socket[] = []
      for (let index = 0; index < 2 * MOST; index++) {
        sockets.push(bench.dial('127.0.0.9'))
        await until(() => bench.came() > index)
      }
      await until(() => openOf(sockets) <= MOST / 2)
      for (const from of ['127.0.0.2', '127.0.0.9', '127.0.0.3']) assert.equal(await bench.page(from), OK)
    })
  }

  test('two servers of one process share them', async t => {
    const few = { most: 10_000, descriptors: 64 + MOST }
    const [one, other] = [await start(t, false, undefined, few), await start(t, false, undefined, few)]
    const sockets: Socket[] = []
    for (let index = 0; index < MOST; index++) {
      sockets.push(one.dial('127.0.0.9'))
      await until(() => one.came() > index)
      sockets.push(other.dial('127.0.0.10'))
      await until(() => other.came() > index)
    }
    await until(() => openOf(sockets) < MOST)
    for (const bench of [one, other]) assert.equal(await bench.page('127.0.0.2'), OK)
  })

  test('the bound is what Linux tells; where nobody tells, there is none', () => {
    const line = 'Max open files            1024                 524288               files     \n'
    const rows: readonly (readonly [text: string, most: number])[] = [
      [`Limit  Soft Limit\nMax processes 1 2 processes\n${line}`, 1024],
      ['Max open files            unlimited            unlimited            files', Infinity],
      ['', Infinity],
    ]
    for (const [text, most] of rows) assert.equal(mostDescriptors(text), most)
    assert.deepEqual(
      [roomFor(1, 1024), roomFor(2, 1024), roomFor(2, 10), roomFor(2, Infinity)],
      [960, 480, 0, Infinity],
    )
  })
})

describe('sockets of one address that send no request cannot take every place', () => {
  for (const [name, bytes, tls] of ATTACKS) {
    for (const addresses of [1, 3]) {
      test(`they ${name}, from ${addresses} address${addresses === 1 ? '' : 'es'}`, async t => {
        const bench = await start(t, tls)
        const sockets: Socket[] = []
        for (let index = 0; index < 2 * MOST; index++) {
          sockets.push(bench.dial(`127.0.0.${9 + (index % addresses)}`, bytes))
          // Each is answered before the next comes: what is kept open is.
          await until(() => bench.came() > index)
        }
        await until(() => openOf(sockets) <= Math.max(MOST / 2, 16 * addresses))
        // Another address, one of those, and many others.
        for (const from of ['127.0.0.2', '127.0.0.9', '127.0.0.3', '127.0.0.4'])
          assert.equal(await bench.page(from), OK)
        assert.equal(
          bench.lost.every(([loss, address]) => loss === 'silent' && /^127\.0\.0\.(?:9|1\d)$/.test(address)),
          true,
        )
        assert.equal(sockets.at(-1)!.closed, false, 'the oldest are closed, not the newest')
      })
    }
  }

  test('TLS handshakes that are done, and nothing behind them', async t => {
    const bench = await start(t, true)
    const sockets: Socket[] = []
    for (let index = 0; index < MOST; index++) {
      const plain = bench.dial('127.0.0.9')
      const secure = connectTls({ socket: plain, rejectUnauthorized: false })
      secure.on('error', () => undefined)
      await once(secure, 'secureConnect').catch(() => undefined)
      sockets.push(plain)
    }
    await until(() => openOf(sockets) <= MOST / 2)
    assert.equal(await bench.page('127.0.0.2'), OK)
    assert.equal(
      bench.lost.every(([, address]) => address === '127.0.0.9'),
      true,
    )
  })

  test('requests that are never answered: the server is full, and their address loses the oldest', async t => {
    const bench = await start(t)
    const sockets: Socket[] = []
    for (let index = 0; index < 2 * MOST; index++) {
      sockets.push(bench.dial('127.0.0.9', 'GET /slow HTTP/1.1\r\nHost: x\r\n\r\n'))
      await until(() => bench.hanging.length > index)
    }
    await until(() => openOf(sockets) <= MOST)
    for (let index = 0; index < 5; index++) assert.equal(await bench.page(`127.0.0.${20 + index}`), OK)
    assert.equal(
      bench.lost.every(([loss, address]) => loss === 'full' && address === '127.0.0.9'),
      true,
    )
    assert.equal(sockets[0]!.closed, true)
    assert.equal(sockets.at(-1)!.closed, false)
  })

  test('many addresses with one silent socket each: who has a slow page keeps it', async t => {
    const bench = await start(t)
    const patient = Array.from({ length: 20 }, () => bench.dial('127.0.0.2', 'GET /slow HTTP/1.1\r\nHost: x\r\n\r\n'))
    await until(() => bench.hanging.length === 20)
    for (let index = 0; index < 2 * MOST; index++) {
      bench.dial(`127.0.1.${1 + index}`)
      await until(() => bench.came() > 20 + index)
    }
    assert.equal(await bench.page('127.0.0.3'), OK)
    assert.equal(openOf(patient), 20)
    for (const response of bench.hanging) response.end('page')
    for (const socket of patient) assert.match(String((await once(socket, 'data'))[0]), /^HTTP\/1\.1 200/)
  })
})

describe('honest clients keep their places', () => {
  test('WebSockets of one address are not silent, however long they say nothing', async t => {
    const bench = await start(t)
    const sockets: Socket[] = []
    for (let index = 0; index < MOST - 5; index++) {
      const socket = bench.dial('127.0.0.9', HANDSHAKE)
      await once(socket, 'data')
      sockets.push(socket)
    }
    for (let index = 0; index < 2 * MOST; index++) bench.dial('127.0.0.8')
    await until(() => bench.came() === MOST - 5 + 2 * MOST)
    assert.equal(await bench.page('127.0.0.2'), OK)
    assert.equal(openOf(sockets), MOST - 5)
  })

  test('a handshake on a connection that was kept alive is no silent socket either', async t => {
    const bench = await start(t)
    const socket = bench.dial('127.0.0.9', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await once(socket, 'data')
    socket.write(HANDSHAKE)
    assert.match(String((await once(socket, 'data'))[0]), /^HTTP\/1\.1 101/)
    for (let index = 0; index < 2 * MOST; index++) bench.dial('127.0.0.9')
    await until(() => bench.came() > 2 * MOST)
    assert.equal(await bench.page('127.0.0.2'), OK)
    assert.equal(socket.closed, false)
  })

  test('an office that connects at once is let in whole where there is room', async t => {
    const bench = await start(t)
    const sockets = Array.from({ length: MOST / 2 }, () => bench.dial('127.0.0.9'))
    await until(() => bench.came() === MOST / 2)
    for (const socket of sockets) socket.write(HANDSHAKE)
    for (const socket of sockets) assert.match(String((await once(socket, 'data'))[0]), /101/)
    assert.deepEqual(bench.lost, [])
  })

  test('a page asked for again and again on one connection, while others are closed', async t => {
    const bench = await start(t)
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    after(() => agent.destroy())
    for (let round = 0; round < 50; round++) {
      bench.dial('127.0.0.9')
      const asked = get({ host: '127.0.0.1', port: bench.port, agent })
      const [response] = (await once(asked, 'response')) as [IncomingMessage]
      response.resume()
      await once(response, 'end')
      assert.equal(asked.reusedSocket, round > 0)
    }
  })

  test('a trusted proxy has no share of its own: its idle connections may be as many as there are places', async t => {
    const bench = await start(t, false, address => address === '127.0.0.9')
    const sockets: Socket[] = []
    for (let index = 0; index < MOST; index++) {
      sockets.push(bench.dial('127.0.0.9'))
      await until(() => bench.came() > index)
    }
    assert.deepEqual([openOf(sockets), bench.lost], [MOST, []])
    // The server is full now: another client costs it one that is idle.
    assert.equal(await bench.page('127.0.0.2'), OK)
    assert.deepEqual(bench.lost, [['silent', '127.0.0.9']])
    const [again] = (await once(bench.dial('127.0.0.9', HANDSHAKE), 'data')) as [Buffer]
    assert.match(String(again), /101/)
  })
})
