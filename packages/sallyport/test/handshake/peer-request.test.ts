import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer, Socket } from 'node:net'
import { describe, test } from 'node:test'
import { createAddressReader } from '../../src/request/client-address.ts'
import type { HandshakeRequest } from '../../src/model/handshake-request.ts'
import { fromNode, fromRead, fromWeb, type PeerRequest } from '../../src/request/peer-request.ts'
import { EngineRequest } from '../../src/node/upgrade-request.ts'
import { readUpgrade } from '../../src/wire/index.ts'
import { dial } from '../support/raw-client.ts'
import { requestOf } from './door-fixtures.ts'

const readAddress = createAddressReader({ trust: [], header: 'x-forwarded-for' })

test('the target is kept as sent; path and query part at the first question mark', () => {
  const request = requestOf({ target: '/w%73?a=1&a=2?b' })
  assert.equal(request.path, '/w%73')
  assert.equal(request.target, '/w%73?a=1&a=2?b')
  assert.deepEqual(request.query.getAll('a'), ['1', '2?b'])
  assert.equal(requestOf({ target: '/ws' }).query.size, 0)
})

test('headers: names in any case, repeated lines are seen as such and joined', () => {
  const request = requestOf({ headers: { 'X-A': ['1', '2'], 'x-b': '3' } })
  assert.deepEqual(request.lines('x-a'), ['1', '2'])
  assert.equal(request.header('x-a'), '1, 2')
  assert.equal(request.header('x-b'), '3')
  assert.equal(request.header('x-c'), undefined)
  assert.equal(request.header('x_b'), undefined)
  assert.equal(request.header('__proto__'), undefined)
})

test('cookies: the first of a name; what every object has is no cookie', () => {
  const request = requestOf({ headers: { Cookie: 'sid=a%20b; sid=evil; x=1' } })
  assert.equal(request.cookie('sid'), 'a b')
  for (const name of ['constructor', '__proto__', 'toString', 'y']) assert.equal(request.cookie(name), undefined)
  assert.equal(requestOf().cookie('sid'), undefined)
})

test('of node:http: repeated headers and the address of the socket, read once', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const seen = once(server, 'request') as Promise<[IncomingMessage]>
  const socket = await dial((server.address() as AddressInfo).port)
  socket.write(
    'GET /ws?x=1 HTTP/1.1\r\nHost: a\r\nORIGIN: https://a.example\r\norigin: https://b.example\r\nX-Forwarded-For: 9.9.9.9\r\n\r\n',
  )
  const [raw] = await seen
  const request = fromNode(raw, readAddress)
  assert.deepEqual(request.lines('origin'), ['https://a.example', 'https://b.example'])
  assert.deepEqual([request.method, request.httpVersion, request.path], ['GET', '1.1', '/ws'])
  assert.deepEqual([request.ip, request.secure, request.loopback], ['127.0.0.1', false, false])
  raw.rawHeaders.push('X-Forwarded-For', '8.8.8.8')
  assert.equal(request.ip, '127.0.0.1')
  socket.destroy()
  server.closeAllConnections()
  server.close()
})

test('of the web: the host of the URL stands for a missing Host, TLS for its scheme', () => {
  const request = fromWeb(
    new Request('https://app.company.com/ws?x=1', { headers: { 'X-A': '1' } }),
    readAddress,
    '192.0.2.7',
  )
  assert.equal(request.header('host'), 'app.company.com')
  assert.equal(request.header('x-a'), '1')
  assert.deepEqual(
    [request.target, request.secure, request.ip, request.httpVersion],
    ['/ws?x=1', true, '192.0.2.7', '1.1'],
  )
  assert.equal(fromWeb(new Request('http://app.company.com/'), readAddress, '127.0.0.1').loopback, true)
  assert.equal(fromWeb(new Request('http://app.company.com/'), readAddress, '').ip, 'unknown')
})

describe('at rest, a request of the first-bytes reader', () => {
  const SENT =
    'GET /rooms/one?token=a%20b&x=1 HTTP/1.1\r\nHost: app.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nOrigin: https://app.test\r\n' +
    'X-Odd:  a:b \r\nCookie: sid=0123456789abcdef0123; x=1\r\n\r\n'
  const arrived = (text = SENT): { request: PeerRequest; raw: EngineRequest } => {
    const raw = new EngineRequest(new Socket(), readUpgrade(Buffer.from(text))!)
    return { request: fromNode(raw, readAddress) as PeerRequest, raw }
  }
  const seenBy = (request: HandshakeRequest): readonly unknown[] => [
    [request.method, request.target, request.path, request.query.toString(), request.httpVersion],
    [request.ip, request.secure, request.loopback, [...request.rawHeaders]],
    [request.header('host'), request.lines('x-odd'), request.lines('x-none'), request.cookie('sid')],
  ]

  test('says what it said before', () => {
    const { request } = arrived()
    const before = seenBy(request)
    request.rest(EngineRequest)
    assert.deepEqual(seenBy(request), before)
    request.rest(EngineRequest)
    assert.deepEqual(seenBy(request), before)
  })

  test('keeps neither the request nor its lines', () => {
    const { request, raw } = arrived()
    request.rest(EngineRequest)
    const kept = Object.values(request)
    assert.ok(!kept.includes(raw))
    assert.ok(!kept.some(value => Array.isArray(value)))
  })

  test('gives Node’s request to who asks for the first time, and the same to who asks again', () => {
    const { request, raw } = arrived()
    request.rest(EngineRequest)
    const made = request.raw as EngineRequest
    assert.ok(made instanceof EngineRequest)
    assert.notEqual(made, raw)
    assert.equal(request.raw, made)
    assert.equal(made.socket, raw.socket)
    assert.deepEqual([made.method, made.url, made.httpVersion], [raw.method, raw.url, raw.httpVersion])
    assert.deepEqual(made.headers, raw.headers)
    assert.deepEqual(made.rawHeaders, raw.rawHeaders)
    request.rest(EngineRequest)
    assert.equal(request.raw, made)
  })

  test('its socket still tells the address', async context => {
    const server = createTcpServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
    const [socket] = (await once(server, 'connection')) as [Socket]
    context.after(() => {
      client.destroy()
      socket.destroy()
      server.close()
    })
    const told = [socket.remoteAddress, socket.remoteFamily, socket.remotePort]
    const raw = new EngineRequest(socket, readUpgrade(Buffer.from(SENT))!)
    const request = fromNode(raw, readAddress) as PeerRequest
    request.rest(EngineRequest)
    const again = (request.raw as EngineRequest).socket
    assert.deepEqual([again.remoteAddress, again.remoteFamily, again.remotePort], told)
    assert.equal(told[0], '127.0.0.1')
  })

  test('that somebody has seen stays the same object: middleware has written on it', () => {
    const { request, raw } = arrived()
    assert.equal(request.raw, raw)
    Object.assign(raw, { session: { user: 'ann' } })
    request.rest(EngineRequest)
    assert.equal(request.raw, raw)
  })

  test('that another host made is its own to keep', () => {
    const request = requestOf({ headers: { Cookie: 'sid=a' } })
    const before = request.raw
    const other = requestOf({ headers: { Cookie: 'sid=a' } })
    other.rest(EngineRequest)
    assert.equal(other.cookie('sid'), 'a')
    assert.equal(typeof other.raw, typeof before)
  })
})

test('a cookie that is no ASCII is the same text as before', () => {
  assert.equal(requestOf({ headers: { Cookie: 'sid=%C3%A9%F0%9F%94%91' } }).cookie('sid'), 'é🔑')
})

test("what the first-bytes reader read makes Node's request for whoever asks, once, and for nobody else", () => {
  let made = 0
  class Counted extends EngineRequest {
    constructor(...given: ConstructorParameters<typeof EngineRequest>) {
      super(...given)
      made++
    }
  }
  const socket = Object.assign(new Socket(), { encrypted: true })
  const read = { target: '/ws?a=1', rawHeaders: ['Host', 'app.test', 'X-A', '1', 'x-a', '2', 'Cookie', 'sid=a'] }
  for (const rests of [false, true]) {
    made = 0
    const request = fromRead(read, socket, Counted, readAddress) as PeerRequest
    assert.deepEqual([request.method, request.httpVersion, request.path, request.secure], ['GET', '1.1', '/ws', true])
    assert.deepEqual([request.header('x-a'), request.header('x-b'), request.cookie('sid')], ['1, 2', undefined, 'a'])
    if (rests) request.rest(Counted)
    assert.equal(made, 0)
    const raw = request.raw as IncomingMessage
    request.rest(Counted)
    assert.equal(request.raw, raw)
    assert.equal(made, 1)
    assert.deepEqual([raw.url, raw.socket, raw.headers.cookie], ['/ws?a=1', socket, 'sid=a'])
  }
})
