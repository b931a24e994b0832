import assert from 'node:assert/strict'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createTlsServer } from 'node:https'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { WebSocket, WebSocketServer } from 'ws'
import type { ListenerConfig } from '../../src/model/config.ts'
import { createBackend } from '../support/backends.ts'
import { CERTIFICATE, KEY, OTHER_CERTIFICATE, OTHER_KEY } from '../../../../test/support/certificates.ts'
import { configOf, createWorld, type GatewayWorld, ORIGIN, route } from '../support/gateway-world.ts'
import { closing } from '../support/leftovers.ts'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-listener-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const pair = (name: string, cert: string, key: string): { cert: string; key: string } => {
  const files = { cert: join(folder, `${name}.cert`), key: join(folder, `${name}.key`) }
  writeFileSync(files.cert, cert)
  writeFileSync(files.key, key)
  return files
}
const address = { host: '127.0.0.1', port: 0 }
const listening = (target: string, listener: Partial<ListenerConfig>): Promise<GatewayWorld> =>
  createWorld(
    configOf(
      [target],
      [route()],
      {},
      { listeners: [{ name: 'main', address, tls: null, proxyProtocol: null, ...listener }] },
    ),
  )

const handshake = (port: number): string =>
  `GET /ws HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nOrigin: ${ORIGIN}\r\nCookie: sid=s1\r\n\r\n`

/** The first line that a listener answers with; empty when it cuts the connection. */
async function answerTo(port: number, ...parts: readonly (string | Buffer)[]): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  for (const part of parts) {
    socket.write(part)
    await new Promise(resolve => setImmediate(resolve))
  }
  const [chunk] = (await Promise.race([once(socket, 'data'), once(socket, 'close').then(() => [''])])) as [
    Buffer | string,
  ]
  socket.destroy()
  return String(chunk).split('\r\n', 1)[0]!
}

describe('TLS', () => {
  test('wss goes through, and the backend is told https', async () => {
    const backend = await createBackend()
    const world = await listening(backend.target, { tls: pair('one', CERTIFICATE, KEY) })
    const client = new WebSocket(`wss://127.0.0.1:${world.port}/ws`, {
      origin: ORIGIN,
      headers: { Cookie: 'sid=s1' },
      ca: CERTIFICATE,
    })
    await once(client, 'open')
    assert.equal(backend.requests[0]!.headers['x-forwarded-proto'], 'https')
    client.terminate()
    await world.close()
    await backend.close()
  })

  test('a reload reads the certificate again, and keeps the open sockets; a broken one changes nothing', async () => {
    const backend = await createBackend()
    const files = pair('renewed', CERTIFICATE, KEY)
    const config = configOf(
      [backend.target],
      [route()],
      {},
      { listeners: [{ name: 'main', address, tls: files, proxyProtocol: null }] },
    )
    const world = await createWorld(config)
    const client = new WebSocket(`wss://127.0.0.1:${world.port}/ws`, {
      origin: ORIGIN,
      headers: { Cookie: 'sid=s1' },
      ca: CERTIFICATE,
    })
    await once(client, 'open')
    const presented = async (): Promise<string> => {
      const socket: TLSSocket = connectTls({ port: world.port, host: '127.0.0.1', rejectUnauthorized: false })
      await once(socket, 'secureConnect')
      const { fingerprint256 } = socket.getPeerCertificate()
      socket.destroy()
      return fingerprint256
    }
    const before = await presented()
    writeFileSync(files.cert, 'no certificate')
    await assert.rejects(world.gateway.replace(config))
    assert.equal(await presented(), before)
    const other = pair('other', OTHER_CERTIFICATE, OTHER_KEY)
    copyFileSync(other.cert, files.cert)
    copyFileSync(other.key, files.key)
    await world.gateway.replace(config)
    assert.notEqual(await presented(), before)
    client.send('{"type":"chat","message":"still here"}')
    assert.match(String((await once(client, 'message'))[0]), /still here/)
    client.terminate()
    await world.close()
    await backend.close()
  })

  const backends: readonly [
    name: string,
    tls: { ca: string | null; serverName: string | null; dangerouslyAcceptAnyCertificate: boolean } | null,
    status: number,
  ][] = [
    ['its CA is not known: 502', null, 502],
    ['its CA is known', { ca: CERTIFICATE, serverName: null, dangerouslyAcceptAnyCertificate: false }, 101],
    [
      'its CA is known, and it is not who it should be: 502',
      { ca: CERTIFICATE, serverName: 'else.example', dangerouslyAcceptAnyCertificate: false },
      502,
    ],
    ['any certificate, dangerously', { ca: null, serverName: null, dangerouslyAcceptAnyCertificate: true }, 101],
  ]
  for (const [name, tls, status] of backends) {
    test(`a backend by wss: ${name}`, async () => {
      const server = createTlsServer({ cert: CERTIFICATE, key: KEY })
      const sockets = new WebSocketServer({ server })
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      closing(async () => {
        for (const socket of sockets.clients) socket.terminate()
        const closed = once(server, 'close')
        server.close()
        server.closeAllConnections()
        await closed
      })
      const target = `wss://127.0.0.1:${(server.address() as AddressInfo).port}`
      const world = await createWorld(configOf([target], [route()], { tls }))
      const got = await world.connect().then(
        () => 101,
        (error: unknown) => (error as { status: number }).status,
      )
      assert.equal(got, status)
      await world.close()
    })
  }
})

describe('PROXY protocol', () => {
  const from = 'PROXY TCP4 203.0.113.7 198.51.100.1 56324 443\r\n'
  const proxyProtocol = { trust: ['127.0.0.1'] }
  const insecure = { handshake: { transport: { dangerouslyAllowPlaintext: true } } }
  const proxied = (
    target: string,
    trust: readonly string[] = proxyProtocol.trust,
    tls: ListenerConfig['tls'] = null,
  ): Promise<GatewayWorld> =>
    createWorld(
      configOf(
        [target],
        [route(insecure)],
        {},
        { listeners: [{ name: 'main', address, tls, proxyProtocol: { trust } }] },
      ),
    )

  test('the address that a trusted proxy names is the client’s, also in one packet with the handshake or byte by byte', async () => {
    const backend = await createBackend()
    const world = await proxied(backend.target)
    const request = handshake(world.port)
    assert.match(await answerTo(world.port, from, request), /101/)
    assert.match(await answerTo(world.port, from + request), /101/)
    assert.match(await answerTo(world.port, ...[...from].map(letter => Buffer.from(letter)), request), /101/)
    assert.deepEqual(
      backend.requests.map(({ headers }) => headers['x-forwarded-for']),
      ['203.0.113.7', '203.0.113.7', '203.0.113.7'],
    )
    await world.close()
    await backend.close()
  })

  test('before TLS too', async () => {
    const backend = await createBackend()
    const world = await proxied(backend.target, ['127.0.0.1'], pair('proxied', CERTIFICATE, KEY))
    const plain = connect(world.port, '127.0.0.1')
    await once(plain, 'connect')
    plain.write(from)
    const secure = connectTls({ socket: plain, rejectUnauthorized: false })
    secure.write(handshake(world.port))
    assert.match(String((await once(secure, 'data'))[0]), /^HTTP\/1.1 101/)
    assert.equal(backend.requests[0]!.headers['x-forwarded-for'], '203.0.113.7')
    assert.equal(backend.requests[0]!.headers['x-forwarded-proto'], 'https')
    secure.destroy()
    await world.close()
    await backend.close()
  })

  test('two proxies that connect from one port: each TLS client has the address that its own proxy named', async () => {
    const backend = await createBackend()
    const world = await proxied(backend.target, ['127.0.0.0/8'], pair('ports', CERTIFICATE, KEY))
    const dial = async (proxy: string, localPort: number, header: string): Promise<Socket> => {
      const plain = connect({ port: world.port, host: '127.0.0.1', localAddress: proxy, localPort })
      await once(plain, 'connect')
      plain.write(header)
      return plain
    }
    const first = await dial('127.0.0.2', 0, from)
    const { localPort } = first
    const second = await dial('127.0.0.3', localPort!, from.replace('203.0.113.7', '203.0.113.8'))
    const itself = await dial('127.0.0.4', localPort!, 'PROXY UNKNOWN\r\n')
    for (const plain of [first, second, itself]) {
      const secure = connectTls({ socket: plain, rejectUnauthorized: false })
      secure.write(handshake(world.port))
      assert.match(String((await once(secure, 'data'))[0]), /^HTTP\/1.1 101/)
      secure.destroy()
    }
    assert.deepEqual(
      backend.requests.map(({ headers }) => headers['x-forwarded-for']),
      ['203.0.113.7', '203.0.113.8', '127.0.0.4'],
    )
    await world.close()
    await backend.close()
  })

  test('plain HTTP after it is answered', async () => {
    const world = await proxied('ws://127.0.0.1:9')
    assert.match(await answerTo(world.port, `${from}GET / HTTP/1.1\r\nHost: x\r\n\r\n`), /404/)
    await world.close()
  })

  for (const [name, trust, bytes] of [
    ['a peer that is not trusted', ['192.0.2.0/24'], from],
    ['a peer that names no client', ['127.0.0.1'], 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['an invalid header', ['127.0.0.0/8'], 'PROXY TCP4 nonsense\r\n'],
  ] as const) {
    test(`${name} is cut without an answer`, async () => {
      const world = await proxied('ws://127.0.0.1:9', trust)
      assert.equal(await answerTo(world.port, bytes), '')
      await world.close()
    })
  }

  test('a trust that is no address is refused at start', async () => {
    await assert.rejects(proxied('ws://127.0.0.1:9', ['localhost']), {
      name: 'TypeError',
      message: /neither an IP address nor a CIDR/,
    })
  })
})

/** Opens so many sockets, fewer at once than a listener's backlog holds. */
async function crowd(count: number, dial: (index: number) => Socket): Promise<readonly Socket[]> {
  const sockets: Socket[] = []
  while (sockets.length < count) {
    const some = Array.from({ length: Math.min(100, count - sockets.length) }, (_, index) =>
      dial(sockets.length + index),
    )
    for (const socket of some) socket.resume().on('error', () => undefined)
    await Promise.all(some.map(socket => once(socket, 'connect')))
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
    sockets.push(...some)
  }
  return sockets
}

const PLAIN = 'GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n'

describe('sockets that send nothing, behind PROXY protocol', () => {
  const v6 = (last: number): string => `PROXY TCP6 2001:db8:7:${last.toString(16)}::1 2001:db8::1 56324 443\r\n`
  const v4 = (last: number): string => `PROXY TCP4 203.0.113.${last % 2} 198.51.100.1 56324 443\r\n`
  for (const [name, header] of [
    ['one IPv6 /48, each from a /64 of its own', v6],
    ['two IPv4 addresses', v4],
  ] as const) {
    test(`${name}: the proxy is not blamed for them, others come in by it`, async () => {
      const backend = await createBackend()
      const insecure = { connections: { total: 1 }, transport: { dangerouslyAllowPlaintext: true } }
      const listener = { name: 'main', address, tls: null, proxyProtocol: { trust: ['127.0.0.1'] } }
      const world = await createWorld(
        configOf([backend.target], [route({ handshake: insecure })], {}, { listeners: [listener] }),
      )
      const sockets = await crowd(1100, index => {
        const socket = connect(world.port, '127.0.0.1')
        socket.write(header(index))
        return socket
      })
      const most = header === v6 ? 500 : 668
      while (sockets.filter(({ closed }) => !closed).length > most) await new Promise(setImmediate)
      for (const honest of ['198.51.100.7', '198.51.100.8']) {
        const answer = await answerTo(world.port, `PROXY TCP4 ${honest} 198.51.100.1 1 443\r\n${PLAIN}`)
        assert.match(answer, /^HTTP\/1\.1 404/)
      }
      assert.equal(
        world.gateway.refusals().some(({ reason }) => reason === 'silent'),
        true,
      )
      assert.equal(
        world.gateway.refusals().some(({ reason }) => reason === 'full'),
        false,
      )
      for (const socket of sockets) socket.destroy()
      await world.close()
      await backend.close()
    })
  }
})

test('an open WebSocket is no silent socket: over TLS, plain, and behind a PROXY header', async () => {
  const backend = await createBackend()
  const header = 'PROXY TCP4 203.0.113.9 198.51.100.1 56324 443\r\n'
  for (const [files, proxyProtocol] of [
    [null, null],
    [pair('bounded', CERTIFICATE, KEY), null],
    [null, { trust: ['127.0.0.1'] }],
    [pair('bounded', CERTIFICATE, KEY), { trust: ['127.0.0.1'] }],
  ] as const) {
    const listener = { name: 'main', address, tls: files, proxyProtocol }
    const insecure = { connections: { total: 1 }, transport: { dangerouslyAllowPlaintext: true } }
    const world = await createWorld(
      configOf([backend.target], [route({ handshake: insecure })], {}, { listeners: [listener] }),
    )
    const dial = (): Socket => {
      const plain = connect(world.port, '127.0.0.1')
      if (proxyProtocol !== null) plain.write(header)
      return plain
    }
    const plain = dial()
    await once(plain, 'connect')
    const socket = files === null ? plain : connectTls({ socket: plain, rejectUnauthorized: false })
    socket.write(handshake(world.port))
    assert.match(String((await once(socket, 'data'))[0]), /^HTTP\/1\.1 101/)
    const sockets = await crowd(1100, dial)
    while (sockets.filter(({ closed }) => closed).length < 600) await new Promise(setImmediate)
    const { id } = [...world.gateway.connections()][0]!
    assert.equal(socket.destroyed, false)
    socket.write(Buffer.from('818200000000', 'hex'))
    socket.write(Buffer.from('{}'))
    assert.equal([...world.gateway.connections()][0]!.id, id)
    for (const one of [...sockets, socket]) one.destroy()
    await world.close()
  }
  await backend.close()
})

describe('listeners', () => {
  test('sockets that send nothing: one address has half of the places, the oldest are closed, others come in', async () => {
    const backend = await createBackend()
    const handshakes = { handshake: { connections: { total: 1 } } }
    const world = await createWorld(configOf([backend.target], [route(handshakes)]))
    const sockets = await crowd(1100, () => connect({ port: world.port, host: '127.0.0.1', localAddress: '127.0.0.9' }))
    while (sockets.filter(({ closed }) => closed).length < 1100 - 500) await new Promise(setImmediate)
    await world.connect()
    const closedOf = (some: readonly Socket[]): number => some.filter(({ closed }) => closed).length
    assert.equal(closedOf(sockets.slice(0, 500)) > closedOf(sockets.slice(600)), true)
    const [{ reason, count } = { reason: '', count: 0 }] = world.gateway.refusals()
    assert.deepEqual([reason, count >= 600 && count <= 602], ['silent', true])
    const { facts } = world.logged.find(({ message }) => message.includes('without a request'))!
    assert.equal(facts['ip'], '127.0.0.9')
    for (const socket of sockets) socket.destroy()
    await world.close()
    await backend.close()
  })

  test('none is bound when one cannot be', async () => {
    const backend = await createBackend()
    const config = configOf(
      [backend.target],
      [route()],
      {},
      {
        listeners: [
          { name: 'main', address, tls: null, proxyProtocol: null },
          { name: 'taken', address: { host: '127.0.0.1', port: backend.port }, tls: null, proxyProtocol: null },
        ],
      },
    )
    await assert.rejects(createWorld(config), { code: 'EADDRINUSE' })
    await backend.close()
  })

  const FORWARDED = 'X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: https\r\n'
  for (const [name, proxy, headers, status] of [
    ['of this machine', null, '', '101'],
    ['of a proxy that is not named', null, FORWARDED, '426'],
    ['of a proxy that is', { trust: ['unix:'] }, FORWARDED, '101'],
  ] as const) {
    test(`a unix socket: plain ws:// ${name}: ${status}`, async () => {
      const backend = await createBackend()
      const socket = join(folder, 'gateway.sock')
      const listeners = [{ name: 'main', address: { socket }, tls: null, proxyProtocol: null }]
      const world = await createWorld(configOf([backend.target], [route()], {}, { listeners, proxy }))
      const client = connect(socket)
      client.write(handshake(0).replace('\r\n\r\n', `\r\n${headers}\r\n`))
      assert.equal(String((await once(client, 'data'))[0]).split(' ')[1], status)
      if (status === '101') {
        assert.equal(backend.requests[0]!.headers['x-forwarded-for'], proxy === null ? 'unix:' : '203.0.113.7')
      }
      client.destroy()
      await world.close()
      await backend.close()
    })
  }
})

describe('a peer that comes to nothing does not delay the close', () => {
  const tls = pair('closing', CERTIFICATE, KEY)
  const proxyProtocol = { trust: ['127.0.0.1'] }
  const HEADER = 'PROXY TCP4 203.0.113.7 198.51.100.1 56324 443\r\n'
  // The record of a ClientHello of 512 bytes begins so.
  const HELLO = Buffer.from('1603010200010001fc0303', 'hex')
  const peers: readonly (readonly [name: string, listener: Partial<ListenerConfig>, sent: string | Buffer])[] = [
    ['silent', {}, ''],
    ['silent where TLS is spoken', { tls }, ''],
    ['stopped in the middle of its ClientHello', { tls }, HELLO],
    ['silent where a PROXY header is due', { proxyProtocol }, ''],
    ['stopped in the middle of its PROXY header', { proxyProtocol }, HEADER.slice(0, 9)],
    ['silent behind its PROXY header', { proxyProtocol }, HEADER],
    ['silent behind its PROXY header, where TLS is spoken', { tls, proxyProtocol }, HEADER],
  ]
  for (const [name, listener, sent] of peers) {
    // Each of them would be waited for, for 5 s or 10 s.
    test(name, { timeout: 4000 }, async () => {
      const world = await listening('ws://127.0.0.1:9', listener)
      const silent = connect(world.port, '127.0.0.1').resume()
      silent.on('error', () => undefined)
      const gone = new Promise(resolve => silent.on('close', resolve))
      if (sent !== '') await new Promise(resolve => silent.write(sent, resolve))
      // Who comes after it is answered, so that it was let in.
      const later = connect(world.port, '127.0.0.1')
      later.end(listener.proxyProtocol == null ? 'GARBAGE\r\n\r\n' : 'GARBAGE')
      later.resume().on('error', () => undefined)
      await new Promise(resolve => later.on('close', resolve))
      assert.equal(silent.closed, false)
      await world.close()
      await gone
    })
  }
})
