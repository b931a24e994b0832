import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { createGuard } from 'sallyport'
import { serve } from 'sallyport/server'
import { WebSocket } from 'ws'

const ORIGIN = 'https://app.company.com'
const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='

async function started(t: TestContext, { host = '127.0.0.1', handshake = {}, proxy = {} } = {}) {
  const guard = createGuard({
    ...proxy,
    handshake: {
      origin: { allow: [ORIGIN] },
      session: request => (request.cookie('sid') === undefined ? null : { id: 'ann-1', user: 'ann' }),
      ...handshake,
    },
    message: { schema: { chat: { type: 'object', properties: { message: { type: 'string' } } } } },
  })
  const app = await serve({ guard, port: 0, host, handlers: { chat: () => undefined } })
  t.after(() => app.close({ withinMs: 0 }))
  return app
}

/** The status line of the answer to these header lines, and whatever follows while it is open. */
async function answerTo(port: number, request: string, host = '127.0.0.1'): Promise<string> {
  const socket = connect(port, host).on('error', () => undefined)
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
  socket.write(request)
  while (!text.includes('\r\n\r\n')) await Promise.race([once(socket, 'data'), once(socket, 'close')])
  socket.destroy()
  return text
}

const upgrade = (host: string, lines: readonly string[] = []): string =>
  [
    'GET /ws HTTP/1.1',
    `Host: ${host}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${KEY}`,
    'Sec-WebSocket-Version: 13',
    `Origin: ${ORIGIN}`,
    'Cookie: sid=ann-1',
    ...lines,
    '\r\n',
  ].join('\r\n')
const ticket = (host: string, lines: readonly string[] = []): string =>
  [
    'POST /.sallyport/ticket HTTP/1.1',
    `Host: ${host}`,
    `Origin: ${ORIGIN}`,
    'Cookie: sid=ann-1',
    'Content-Length: 0',
    ...lines,
    '\r\n',
  ].join('\r\n')

const NO_TICKET = { ticket: { dangerouslyWithoutTicket: true } }

describe('serve() answers its own app.url', () => {
  for (const host of ['127.0.0.1', 'localhost', '127.0.0.2', '::1']) {
    it(`host ${host}, which handshake.host does not name`, async t => {
      const app = await started(t, { host, handshake: NO_TICKET })
      const socket = new WebSocket(app.url, { origin: ORIGIN, headers: { cookie: 'sid=ann-1' } })
      await once(socket, 'open')
      socket.terminate()
    })
  }

  it('a page on a rebound name is still refused', async t => {
    const app = await started(t, { handshake: NO_TICKET })
    for (const name of [
      'rebound.evil.example',
      `127.0.0.1.evil.example`,
      'localhost',
      '127.0.0.3',
      `127.0.0.1:${app.port}:1`,
    ]) {
      assert.match(await answerTo(app.port, upgrade(name)), /^HTTP\/1\.1 421 /, name)
    }
  })
})

describe('headers are bounded alike for a ticket and its handshake', () => {
  /** Lines so that all together are of this size, as the policy counts: name, value and four signs each. */
  const padded = (request: (host: string, lines: readonly string[]) => string, bytes: number): string => {
    const host = 'app.company.com'
    const bare = request(host, ['X-Pad: '])
    const size = bare.length - bare.indexOf('\r\n') - 4
    return request(host, [`X-Pad: ${'a'.repeat(bytes - size)}`])
  }
  for (const [bytes, status] of [
    [4 * 1024, '101'],
    [9 * 1024, '101'],
    [16 * 1024, '101'],
    [16 * 1024 + 1, '431'],
    [18 * 1024, '431'],
    [64 * 1024, '431'],
  ] as const) {
    it(`${bytes} bytes: ${status}`, async t => {
      const app = await started(t, { handshake: NO_TICKET })
      const opened = await answerTo(app.port, padded(upgrade, bytes))
      assert.match(opened, new RegExp(`^HTTP/1\\.1 ${status} `))
      const other = await started(t)
      const issued = await answerTo(other.port, padded(ticket, bytes))
      assert.match(issued, new RegExp(`^HTTP/1\\.1 ${status === '101' ? 200 : status} `))
      if (status === '431') for (const text of [opened, issued]) assert.match(text, /SALLY_REQUEST_TOO_LARGE/)
    })
  }

  it('header lines and the target too', async t => {
    const lines = Array.from({ length: 70 }, (_, at) => `X-Line-${at}: a`)
    const [app, other] = [await started(t, { handshake: NO_TICKET }), await started(t)]
    assert.match(await answerTo(app.port, upgrade('app.company.com', lines)), /^HTTP\/1\.1 431 /)
    assert.match(await answerTo(other.port, ticket('app.company.com', lines)), /^HTTP\/1\.1 431 /)
    const long = `?path=/ws&pad=${'a'.repeat(2048)} HTTP`
    assert.match(await answerTo(app.port, upgrade('app.company.com').replace(' HTTP', long)), /^HTTP\/1\.1 431 /)
    assert.match(await answerTo(other.port, ticket('app.company.com').replace(' HTTP', long)), /^HTTP\/1\.1 431 /)
  })
})

describe('an empty Sec-WebSocket-Protocol', () => {
  for (const [name, line, status] of [
    ['without a value', 'Sec-WebSocket-Protocol:', 101],
    ['of blanks', 'Sec-WebSocket-Protocol:  \t ', 101],
    ['a lone comma', 'Sec-WebSocket-Protocol: ,', 400],
    ['an empty element', 'Sec-WebSocket-Protocol: sallyport.v1,', 400],
  ] as const) {
    it(`${name}: ${status}`, async t => {
      const app = await started(t, { handshake: NO_TICKET })
      const answer = await answerTo(app.port, upgrade('app.company.com', [line]))
      assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `))
      assert.equal(/sec-websocket-protocol/i.test(answer), false)
    })
  }
  it('does not stand for a subprotocol that is required', async t => {
    const app = await started(t, { handshake: { ...NO_TICKET, subprotocol: { required: true } } })
    assert.match(await answerTo(app.port, upgrade('app.company.com', ['Sec-WebSocket-Protocol:'])), /^HTTP\/1\.1 400 /)
  })
})

describe('the scheme that a trusted proxy names', () => {
  const trusting = (header: string) => ({ proxy: { trust: ['127.0.0.1'], header } })
  for (const [header, line, status] of [
    ['x-forwarded-for', 'X-Forwarded-Proto: wss', 101],
    ['x-forwarded-for', 'X-Forwarded-Proto: WSS', 101],
    ['x-forwarded-for', 'X-Forwarded-Proto: https', 101],
    ['x-forwarded-for', 'X-Forwarded-Proto: http, wss', 101],
    ['x-forwarded-for', 'X-Forwarded-Proto: wss, http', 426],
    ['x-forwarded-for', 'X-Forwarded-Proto: ws', 426],
    ['x-forwarded-for', 'X-Forwarded-Proto: wss2', 426],
    ['forwarded', 'Forwarded: for=192.0.2.1;proto=wss', 101],
    ['forwarded', 'Forwarded: for=192.0.2.1;proto="WSS"', 101],
    ['forwarded', 'Forwarded: for=192.0.2.1;proto=wss, for=192.0.2.2;proto=ws', 426],
  ] as const) {
    it(`${line}: ${status}`, async t => {
      const app = await started(t, { handshake: NO_TICKET, proxy: trusting(header) })
      const lines = header === 'forwarded' ? [line] : ['X-Forwarded-For: 192.0.2.1', line]
      const answer = await answerTo(app.port, upgrade('app.company.com', lines))
      assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `))
    })
  }
  it('of a proxy that is not trusted is not believed', async t => {
    const app = await started(t, { handshake: NO_TICKET, proxy: { proxy: { trust: ['192.0.2.9'] } } })
    const lines = ['X-Forwarded-For: 192.0.2.1', 'X-Forwarded-Proto: wss']
    assert.match(await answerTo(app.port, upgrade('app.company.com', lines)), /^HTTP\/1\.1 426 /)
  })
})
