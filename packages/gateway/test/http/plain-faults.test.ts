import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import { createRawBackend } from '../support/backends.ts'
import { configOf, createWorld, type GatewayWorld, route, type RoutePart } from '../support/gateway-world.ts'
import { createApp, http } from '../support/plain-app.ts'

/** Sends these bytes, and reads until the end or as much as `isEnough` wants. */
async function tell(port: number, request: string): Promise<string> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined)
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
  socket.write(Buffer.from(request, 'latin1'))
  await once(socket, 'close')
  return text
}

const get = (path: string, lines = ''): string =>
  `GET ${path} HTTP/1.1\r\nHost: app.localhost\r\nConnection: close\r\n${lines}\r\n`
const post = (lines: string, body: string, version = '1.1'): string =>
  `POST / HTTP/${version}\r\nHost: app.localhost\r\nConnection: close\r\n${lines}\r\n\r\n${body}`
const CHUNKED = '2\r\nhi\r\n0\r\n\r\n'

async function withApp(
  part: RoutePart,
  body: (world: GatewayWorld, reached: () => readonly string[]) => Promise<void>,
): Promise<void> {
  const app = await createApp((incoming, response) => {
    incoming.resume().on('end', () => response.end('the app'))
  })
  const world = await createWorld(configOf([app.target], [route({ http, ...part })]))
  await body(world, () => app.requests.map(({ url }) => url!))
  await world.close()
  await app.close()
}

describe('plain HTTP that two readers read differently', () => {
  for (const [name, path] of [
    ['a line feed', '/a%0ab'],
    ['a carriage return and a header', '/a%0d%0aX-Admin:%201'],
    ['a null', '/file.png%00.html'],
    ['a tab', '/%09'],
    ['an escape sequence for a terminal', '/%1b%5b31m'],
    ['delete', '/a%7F'],
    ['twice escaped', '/a%250ab'],
    ['twice escaped, the digits only', '/a%%30ab'],
    ['C1 in UTF-8', '/a%c2%85b'],
    ['an overlong line feed', '/a%c0%8ab'],
    ['an overlong null of three bytes', '/%e0%80%80'],
    ['behind a parameter of a segment', '/a;b=%0a/c'],
  ] as const) {
    test(`an escaped control character in the path: ${name} is refused`, () =>
      withApp({}, async (world, reached) => {
        assert.match(await tell(world.port, get(path)), /^HTTP\/1\.1 400 [^]*SALLY_REQUEST_MALFORMED/)
        assert.deepEqual(reached(), [])
        assert.deepEqual(world.gateway.refusals(), [{ listener: 'main', reason: 'malformed', count: 1 }])
      }))
  }
  for (const path of [
    '/a%20b',
    '/caf%c3%a9/%e2%82%ac',
    '/100%25',
    '/a%2fb',
    '/a?text=line%0Aline',
    '/%c3%80',
    '/%E0%A4%85',
  ]) {
    test(`an honest path: ${path} passes as it is`, () =>
      withApp({}, async (world, reached) => {
        assert.match(await tell(world.port, get(path)), /^HTTP\/1\.1 200 /)
        assert.deepEqual(reached(), [path])
      }))
  }

  for (const [name, lines, version] of [
    ['gzip, then chunked', 'Transfer-Encoding: gzip, chunked', '1.1'],
    ['deflate, then chunked, on two lines', 'Transfer-Encoding: deflate\r\nTransfer-Encoding: chunked', '1.1'],
    ['twice chunked', 'Transfer-Encoding: chunked, chunked', '1.1'],
    ['an unknown coding', 'Transfer-Encoding: x-mine, chunked', '1.1'],
    ['identity', 'Transfer-Encoding: identity, chunked', '1.1'],
    ['chunked of HTTP/1.0', 'Transfer-Encoding: chunked', '1.0'],
  ] as const) {
    test(`a transfer coding that is not understood: ${name} is refused`, () =>
      withApp({}, async (world, reached) => {
        assert.match(await tell(world.port, post(lines, CHUNKED, version)), /^HTTP\/1\.1 (?:501|400) /)
        assert.deepEqual(reached(), [])
      }))
  }
  for (const coding of ['chunked', 'Chunked', 'CHUNKED']) {
    test(`an honest body: ${coding} passes`, () =>
      withApp({}, async (world, reached) => {
        assert.match(await tell(world.port, post(`Transfer-Encoding: ${coding}`, CHUNKED)), /^HTTP\/1\.1 200 /)
        assert.deepEqual(reached(), ['/'])
      }))
  }

  test('two Host lines are refused', () =>
    withApp({}, async (world, reached) => {
      assert.match(await tell(world.port, get('/', 'Host: app.localhost\r\n')), /^HTTP\/1\.1 400 /)
      assert.deepEqual(reached(), [])
    }))
})

const isReported = ({ report }: RoutePart, host: string): boolean => report !== undefined && host !== 'app.localhost'

describe('Host of plain HTTP on a route without hosts', () => {
  const rows: readonly [name: string, host: string, status: number, part?: RoutePart][] = [
    ['a name that the policy serves', 'app.localhost', 200],
    ['with a port', 'app.localhost:8443', 200],
    ['in other letters', 'APP.LocalHost', 200],
    ['a rebound name', 'rebound.evil.example', 421],
    ['a name that only begins alike', 'app.localhost.evil.example', 421],
    ['an address that is not served', '10.0.0.7', 421],
    ['a trailing dot', 'app.localhost.', 421],
    ['none', '', 421],
    ['off, as for handshakes', 'rebound.evil.example', 200, { handshake: { host: { dangerouslyOff: true } } }],
    ['only reporting, as for handshakes', 'rebound.evil.example', 200, { report: ['handshake/host'] }],
    ['only reporting all, as for handshakes', 'rebound.evil.example', 200, { report: true }],
    ['only reporting: a name that is served is no report', 'app.localhost', 200, { report: ['handshake/host'] }],
    ['a route with hosts serves these', 'app.localhost', 200, { hosts: ['app.localhost'] }],
  ]
  for (const [name, host, status, part = {}] of rows) {
    test(`${name}: ${status}`, () =>
      withApp(part, async (world, reached) => {
        const text = await tell(world.port, `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
        assert.match(text, new RegExp(`^HTTP/1\\.1 ${status} `))
        assert.equal(reached().length, status === 200 ? 1 : 0)
        if (status === 421) assert.match(text, /SALLY_HOST_NOT_SERVED/)
        const told = world.gateway.refusals().map(({ reason }) => reason)
        assert.deepEqual(told, status === 421 ? ['host'] : isReported(part, host) ? ['host-reported'] : [])
      }))
  }
})

describe('an answer of a backend that plain HTTP cannot have', () => {
  for (const [name, answer] of [
    ['101 with Upgrade', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'],
    ['101 without Upgrade', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
    ['101, and an answer behind it', 'HTTP/1.1 101 Fine\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'],
    ['h2c', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\nPRI'],
    ['a status of 0, which Node throws for', 'HTTP/1.1 000 Nothing\r\nContent-Length: 4\r\n\r\nevil'],
    ['a status of 99', 'HTTP/1.1 099 Less\r\nContent-Length: 4\r\n\r\nevil'],
    ['a status of 600', 'HTTP/1.1 600 More\r\nContent-Length: 4\r\n\r\nevil'],
    ['a status of four digits', 'HTTP/1.1 2000 Wide\r\nContent-Length: 4\r\n\r\nevil'],
    ['gzip, chunked', `HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n${CHUNKED}`],
    ['an unknown coding', `HTTP/1.1 200 OK\r\nTransfer-Encoding: x-mine\r\n\r\nevil`],
  ] as const) {
    test(`${name}: 502`, async () => {
      const backend = await createRawBackend((socket: Socket) => socket.once('data', () => socket.write(answer)))
      const world = await createWorld(configOf([backend.target], [route({ http })]))
      const text = await tell(world.port, get('/'))
      assert.match(text, /^HTTP\/1\.1 502 /)
      assert.equal(text.includes('evil'), false)
      await world.close()
      await backend.close()
    })
  }
  for (const [name, reason] of [
    ['a control character', 'a\x01b'],
    ['an escape sequence', '\x1b[31mred'],
    ['delete', 'a\x7f'],
    ['a reason of a language', 'r\xe9ponse'],
    ['none', ''],
  ] as const) {
    test(`a reason phrase with ${name} ends no process, and its answer passes`, async () => {
      const backend = await createRawBackend((socket: Socket) =>
        socket.once('data', () =>
          socket.write(Buffer.from(`HTTP/1.1 404 ${reason}\r\nContent-Length: 2\r\n\r\nno`, 'latin1')),
        ),
      )
      const world = await createWorld(configOf([backend.target], [route({ http })]))
      assert.match(await tell(world.port, get('/')), /^HTTP\/1\.1 404 [\t -~\x80-\xff]*\r\n[^]*no$/)
      await world.close()
      await backend.close()
    })
  }
  test('what the Connection header of an answer names ends at the gateway, except its framing', async () => {
    const backend = await createRawBackend((socket: Socket) =>
      socket.once('data', () => {
        const lines = 'Connection: X-Hop, Content-Length\r\nX-Hop: 1\r\nX-End: 2\r\nContent-Length: 2'
        socket.write(`HTTP/1.1 200 OK\r\n${lines}\r\n\r\nhi`)
      }),
    )
    const world = await createWorld(configOf([backend.target], [route({ http })]))
    const text = await tell(world.port, get('/'))
    assert.match(text, /x-end: 2/i)
    assert.match(text, /content-length: 2/i)
    assert.doesNotMatch(text, /x-hop/i)
    await world.close()
    await backend.close()
  })
  test('an honest 103 before the answer is none of these', async () => {
    const backend = await createRawBackend((socket: Socket) =>
      socket.once('data', () => {
        socket.write('HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi')
      }),
    )
    const world = await createWorld(configOf([backend.target], [route({ http })]))
    assert.match(await tell(world.port, get('/')), /200 OK[^]*hi$/)
    await world.close()
    await backend.close()
  })
})
