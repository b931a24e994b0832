import assert from 'node:assert/strict'
import { once } from 'node:events'
import {
  type ClientHttp2Session,
  connect,
  createSecureServer,
  createServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type OutgoingHttpHeaders,
} from 'node:http2'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, it, type TestContext } from 'node:test'
import fastify from 'fastify'
import { createGuard, type Guard, type Session } from 'sallyport'
import { http1Lines } from '../../src/request/peer-request.ts'
import { CERTIFICATE, KEY } from '../../../../test/support/certificates.ts'
import { freePort } from '../support/world.ts'

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

interface Host {
  readonly guard: Guard<Session, any>
  readonly origin: string
  readonly client: ClientHttp2Session
  ask(headers?: OutgoingHttpHeaders, body?: string): Promise<Answer>
}

const HOSTS = ['node:http2 over TLS', 'node:http2 without TLS', 'Fastify over HTTP/2'] as const

async function start(t: TestContext, kind: (typeof HOSTS)[number], report?: readonly string[]): Promise<Host> {
  const port = await freePort()
  const isTls = kind !== 'node:http2 without TLS'
  const origin = `${isTls ? 'https' : 'http'}://localhost:${port}`
  const guard = createGuard({
    handshake: {
      origin: { allow: [origin] },
      session: request => {
        const sid = request.cookie('sid')
        return sid === undefined ? null : { id: sid, user: `user of ${sid}` }
      },
    },
    message: { schema: { chat: { type: 'object' } } },
    ...(report === undefined ? {} : { report }),
  } as Parameters<typeof createGuard>[0]) as unknown as Guard<Session, any>
  const tls = { key: KEY, cert: CERTIFICATE }
  if (kind === 'Fastify over HTTP/2') {
    const app = fastify({ http2: true, https: tls })
    app.post('/ticket', (request, reply) => guard.ticket(request as never, reply as never))
    await app.listen({ port, host: 'localhost' })
    t.after(() => app.close())
  } else {
    const listener = (request: Http2ServerRequest, response: Http2ServerResponse): void =>
      void guard.ticket(request as unknown as IncomingMessage, response as unknown as ServerResponse)
    const server = isTls ? createSecureServer(tls, listener) : createServer(listener)
    server.listen(port, 'localhost')
    await once(server, 'listening')
    t.after(() => server.close())
  }
  const client = connect(origin, { rejectUnauthorized: false })
  client.on('error', () => undefined)
  t.after(() => client.destroy())
  return {
    guard,
    origin,
    client,
    async ask(headers = {}, body) {
      const stream = client.request({
        ':method': 'POST',
        ':path': '/ticket?path=/ws',
        origin,
        cookie: 'sid=ann-1',
        ...headers,
      })
      stream.on('error', () => undefined)
      stream.end(body)
      const [answered] = (await once(stream, 'response')) as [Record<string, unknown>]
      let text = ''
      for await (const chunk of stream) text += String(chunk)
      return { status: Number(answered[':status']), headers: answered, body: text }
    },
  }
}

for (const kind of HOSTS) {
  describe(`the ticket endpoint: ${kind}`, () => {
    it('issues to the page of its own origin, and a second time on the same connection', async t => {
      const { ask } = await start(t, kind)
      for (let time = 0; time < 2; time++) {
        const { status, headers, body } = await ask({ 'sec-fetch-site': 'same-origin' })
        assert.equal(status, 200, body)
        assert.match(body, /^\{"ticket":"[\w-]{70,}","expiresIn":\d+\}$/)
        assert.equal(headers['cache-control'], 'no-store')
        assert.equal(headers['connection'], undefined)
      }
    })

    it('cookies in several fields, as browsers cut them over HTTP/2, are one header', async t => {
      const { ask } = await start(t, kind)
      assert.equal((await ask({ cookie: ['theme=dark', 'sid=ann-1', '_ga=1'] })).status, 200)
      assert.equal((await ask({ cookie: ['theme=dark', '_ga=1'] })).status, 401)
    })

    it('refuses what it refuses over HTTP/1.1', async t => {
      const { ask, origin } = await start(t, kind)
      const rows: readonly [OutgoingHttpHeaders, number, string][] = [
        [{ origin: 'https://evil.example' }, 403, 'SALLY_ORIGIN_NOT_ALLOWED'],
        [{ 'sec-fetch-site': 'same-site' }, 403, 'SALLY_FETCH_METADATA'],
        [{ cookie: 'a=b' }, 401, 'SALLY_SESSION_MISSING'],
        [{ ':method': 'GET' }, 405, 'SALLY_REQUEST_MALFORMED'],
        [{ ':authority': 'rebound.evil.example' }, 421, 'SALLY_HOST_NOT_SERVED'],
        [{ ':authority': new URL(origin).host, host: 'rebound.evil.example' }, 421, 'SALLY_HOST_NOT_SERVED'],
        [{ ':authority': 'rebound.evil.example', host: new URL(origin).host }, 421, 'SALLY_HOST_NOT_SERVED'],
        [{ 'x-pad': 'x'.repeat(17 * 1024) }, 431, 'SALLY_REQUEST_TOO_LARGE'],
      ]
      for (const [headers, status, code] of rows) {
        if (kind === 'Fastify over HTTP/2' && status === 405) continue
        const answer = await ask(headers)
        assert.deepEqual([answer.status, answer.body], [status, `{"code":"${code}"}`])
      }
    })

    it('a body is ignored; a large one ends its stream alone, never the connection', async t => {
      const { ask, client } = await start(t, kind)
      for (const body of ['{}', 'x'.repeat(10_000), 'x'.repeat(1_000_000)]) {
        const { status } = await ask({}, body)
        // Fastify refuses a body of no type that it knows by itself.
        assert.ok(status === 200 || kind === 'Fastify over HTTP/2', String(status))
      }
      assert.equal((await ask()).status, 200)
      assert.equal(client.destroyed, false)
    })

    it('a client that leaves before the answer is no error', async t => {
      const { client, ask, origin } = await start(t, kind)
      for (let time = 0; time < 20; time++) {
        const stream = client.request({ ':method': 'POST', ':path': '/ticket', origin, cookie: 'sid=ann-1' })
        stream.on('error', () => undefined)
        stream.close(8)
      }
      assert.equal((await ask()).status, 200)
    })
  })
}

it('a client that leaves while its session is looked up is no error', async t => {
  const looking = Promise.withResolvers<void>()
  const gone = Promise.withResolvers<void>()
  const port = await freePort()
  const guard = createGuard({
    handshake: {
      origin: { allow: [`http://localhost:${port}`] },
      session: Object.assign(
        async () => {
          looking.resolve()
          await gone.promise
          return { id: 'ann-1', user: 'ann' }
        },
        { ambient: true },
      ),
    },
    message: { schema: { chat: { type: 'object' } } },
  })
  const issued = Promise.withResolvers<void>()
  const server = createServer((request, response) => {
    request.stream.once('close', () => gone.resolve())
    void guard
      .ticket(request as unknown as IncomingMessage, response as unknown as ServerResponse)
      .then(issued.resolve, issued.reject)
  })
  server.listen(port, 'localhost')
  await once(server, 'listening')
  const client = connect(`http://localhost:${port}`)
  t.after(() => {
    client.destroy()
    server.close()
  })
  const stream = client.request({ ':method': 'POST', ':path': '/ticket', origin: `http://localhost:${port}` })
  stream.on('error', () => undefined)
  stream.end()
  await looking.promise
  stream.close(8)
  await issued.promise
})

it('header lines of HTTP/2 as HTTP/1.1 has them', () => {
  const rows: readonly [readonly string[], readonly string[]][] = [
    [
      [':method', 'POST', ':authority', 'a.example', 'cookie', 'a=1', 'x', 'y', 'cookie', 'b=2'],
      ['x', 'y', 'host', 'a.example', 'cookie', 'a=1; b=2'],
    ],
    [
      [':authority', 'a.example', 'host', 'a.example'],
      ['host', 'a.example'],
    ],
    [
      [':authority', 'a.example', 'host', 'b.example'],
      ['host', 'a.example', 'host', 'b.example'],
    ],
    [
      ['origin', 'null', 'origin', 'https://a.example'],
      ['origin', 'null', 'origin', 'https://a.example'],
    ],
    [[':path', '/'], []],
  ]
  for (const [sent, read] of rows) assert.deepEqual(http1Lines(sent), read)
})
