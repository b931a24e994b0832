import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, request as httpRequest, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { after, before, beforeEach, describe, it } from 'node:test'
import express from 'express'
import expressSessionMiddleware from 'express-session'
import fastify from 'fastify'
import { expressSession } from '../../src/session/index.ts'
import type { SessionResolver } from '../../src/model/session.ts'
import { ALICE, codeOf, HEADERS, type Made, make, redeem } from './endpoint-fixtures.ts'

const sidOf = (cookie: string): string => /s%3A([^.]+)\./.exec(cookie)?.[1] ?? ''

describe('the ticket endpoint on real servers', () => {
  const store = new expressSessionMiddleware.MemoryStore()
  const middleware = expressSessionMiddleware({
    secret: 'x'.repeat(32),
    store,
    resave: false,
    saveUninitialized: false,
  })
  const resolver = expressSession(middleware, request => request.session?.['userId'])
  const app = express()
  const flask = fastify()
  let made: Made
  const hosts: { name: string; origin: string }[] = []
  const servers: Server[] = []

  before(async () => {
    app.use(middleware)
    app.post('/login', (request, response) => {
      ;(request.session as unknown as { userId: string }).userId = 'alice'
      response.end()
    })
    app.use('/sub', express.json(), (request, response, next) => made.endpoint(request, response, next))
    app.use('/ticket', (request, response, next) => made.endpoint(request, response, next))
    flask.all('/ticket', (request, reply) => made.endpoint(request, reply))
    const direct = make().endpoint
    // Each host takes the endpoint as it is, also by its types.
    app.post('/direct', direct)
    flask.post('/direct', direct)
    // oxlint-disable-next-line typescript/no-misused-promises -- it never rejects
    const bare = createServer(direct)
    const node = createServer((request, response) => void made.endpoint(request, response))
    for (const [name, server] of [
      ['express', createServer(app)],
      ['node', node],
      ['bare', bare],
    ] as const) {
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      servers.push(server)
      hosts.push({ name, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
    }
    hosts.push({ name: 'fastify', origin: await flask.listen({ host: '127.0.0.1', port: 0 }) })
  })
  after(async () => {
    for (const server of servers) {
      server.closeAllConnections()
      server.close()
    }
    await flask.close()
  })
  beforeEach(() => {
    made = make({ session: resolver as unknown as SessionResolver })
  })

  async function login(): Promise<string> {
    const response = await fetch(`${hosts[0]!.origin}/login`, { method: 'POST' })
    const set = response.headers.get('set-cookie') ?? ''
    return set.slice(0, set.indexOf(';'))
  }

  for (const name of ['express', 'node', 'fastify']) {
    const host = () => hosts.find(candidate => candidate.name === name)!.origin

    it(`${name}: issues to the signed-in session, refuses the forged and the missing one`, async () => {
      const cookie = await login()
      const headers = { origin: host(), 'sec-fetch-site': 'same-origin' }
      const response = await fetch(`${host()}/ticket?path=/ws`, { method: 'POST', headers: { ...headers, cookie } })
      assert.equal(response.status, 200)
      for (const [key, value] of Object.entries(HEADERS)) assert.equal(response.headers.get(key), value)
      assert.equal(response.headers.get('access-control-allow-origin'), null)
      assert.equal(response.headers.get('set-cookie'), null)
      const { ticket } = (await response.json()) as { ticket: string }
      assert.equal(await redeem(made, ticket, host(), '/ws', { id: sidOf(cookie), user: 'alice' }), true)
      for (const [bad, status] of [
        [{}, 401],
        [{ cookie: `${cookie.slice(0, -2)}zz` }, 401],
        [{ cookie, origin: 'http://evil.localhost' }, 403],
      ] as const) {
        const refused = await fetch(`${host()}/ticket`, { method: 'POST', headers: { ...headers, ...bad } })
        assert.equal(refused.status, status)
        assert.match(await codeOf(refused), /^SALLY_/)
      }
    })
    it(`${name}: GET is 405`, async () => {
      const response = await fetch(`${host()}/ticket`)
      assert.equal(response.status, 405)
      assert.equal(response.headers.get('allow'), 'POST')
    })
  }

  it('each host takes the endpoint itself as its handler', async () => {
    for (const { origin } of hosts) {
      const response = await fetch(`${origin}/direct`, { method: 'POST', headers: { origin } })
      assert.equal(response.status, origin === hosts[1]!.origin ? 401 : 200)
    }
  })

  for (const name of ['express', 'node']) {
    const host = () => hosts.find(candidate => candidate.name === name)!.origin
    it(`${name}: a body is ignored, and the next request is served`, async () => {
      const cookie = await login()
      for (const body of ['{}', 'x'.repeat(10_000), '{"path":"/admin"}']) {
        const response = await fetch(`${host()}/ticket`, { method: 'POST', body, headers: { origin: host(), cookie } })
        assert.equal(await codeOf(response), 'issued')
      }
    })
  }

  it('express: a body that a parser has read already is no matter', async () => {
    const cookie = await login()
    const host = hosts[0]!.origin
    const headers = { origin: host, cookie, 'content-type': 'application/json' }
    const response = await fetch(`${host}/sub?path=/ws`, { method: 'POST', body: '{}', headers })
    assert.equal(await codeOf(response), 'issued')
  })

  it('two Hosts, of which the first is that of the page: none of them is believed', async () => {
    made = make()
    const { origin } = hosts[1]!
    const { host, port } = new URL(origin)
    const socket = connect(Number(port), '127.0.0.1')
    let answer = ''
    socket.on('data', chunk => {
      answer += chunk.toString('latin1')
    })
    const lines = [`Host: ${host}`, 'Host: evil.example', `Origin: ${origin}`, 'Content-Length: 0', 'Connection: close']
    socket.write(`POST /ticket HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
    await once(socket, 'close')
    assert.match(answer, /^HTTP\/1\.1 403 [^]*SALLY_ORIGIN_NOT_ALLOWED/)
  })

  it('a body without end is answered, and the connection ends', async () => {
    const { origin } = hosts[1]!
    const { port } = new URL(origin)
    const socket = connect(Number(port), '127.0.0.1')
    socket.on('error', () => {})
    let answer = ''
    socket.on('data', chunk => {
      answer += chunk.toString('latin1')
    })
    socket.write(`POST /ticket HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n`)
    await once(socket, 'close')
    assert.match(answer, /^HTTP\/1\.1 401 /)
    assert.match(answer, /\r\nConnection: close\r\n/)
  })

  it('a body over the bound is cut', async () => {
    const { origin } = hosts[1]!
    const { port } = new URL(origin)
    const socket = connect(Number(port), '127.0.0.1')
    const closed = new Promise(resolve => socket.on('error', () => {}).on('close', resolve))
    socket.resume()
    socket.write(`POST /ticket HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Length: 100000000\r\n\r\n`)
    const chunk = Buffer.alloc(65_536, 'x')
    const pump = (): void => {
      while (socket.writable && socket.write(chunk));
    }
    socket.on('drain', pump)
    pump()
    await closed
    assert.ok(socket.bytesWritten < 50_000_000)
  })

  it('a client that leaves midway is harmless', async () => {
    const lookup = Promise.withResolvers<void>()
    const found = Promise.withResolvers<typeof ALICE>()
    made = make({
      session: () => {
        lookup.resolve()
        return found.promise
      },
    })
    const { origin } = hosts[1]!
    const request = httpRequest(`${origin}/ticket`, { method: 'POST', headers: { origin } })
    request.on('error', () => {})
    const gone = once(servers[1]!, 'request').then(([incoming]: IncomingMessage[]) => once(incoming!.socket, 'close'))
    request.end()
    await lookup.promise
    request.destroy()
    await gone
    found.resolve(ALICE)
    made = make({ session: () => ALICE })
    assert.equal((await fetch(`${origin}/ticket`, { method: 'POST', headers: { origin } })).status, 200)
  })
})
