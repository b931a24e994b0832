import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, request as httpRequest, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { after, before, beforeEach, describe, it } from 'node:test'
import express from 'express'
import expressSessionMiddleware from 'express-session'
import fastify from 'fastify'
import type { Parts } from '../../src/guard/parts.ts'
import { createAddressReader } from '../../src/handshake/client-address.ts'
import { fromNode, fromWeb } from '../../src/handshake/peer-request.ts'
import type { Policy, TicketPolicy } from '../../src/policy/types.ts'
import { type Awaitable, type Denial, deny } from '../../src/policy/verdict.ts'
import { expressSession } from '../../src/session/index.ts'
import type { SessionResolver } from '../../src/session/session.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { createTicketEndpoint, type TicketEndpoint, type TicketReport } from '../../src/ticket/endpoint.ts'
import { createTickets } from '../../src/ticket/token.ts'

const ALICE = { id: 's1', user: 'alice' }
const START = 1_700_000_000_000
const SECTION: TicketPolicy = {
  secrets: null,
  ttlMs: 30_000,
  carrier: 'subprotocol',
  parameter: 'ticket',
  paths: null,
  csrf: null,
}
const readAddress = createAddressReader({ trust: [], header: 'x-forwarded-for' })
const HEADERS = {
  'content-type': 'application/json; charset=utf-8',
  'cache-control': 'no-store',
  pragma: 'no-cache',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  vary: 'Origin, Cookie',
}

interface Setting {
  readonly ticket?: Partial<TicketPolicy> | null
  readonly session?: SessionResolver
  readonly door?: (origin: string | null) => Awaitable<Denial | { readonly origin: string | null }>
  readonly timeoutMs?: number
  readonly emit?: (report: TicketReport) => void
}
const now = (): number => START

function make({
  ticket = {},
  session = () => ALICE,
  door = origin => ({ origin }),
  timeoutMs = 5000,
  emit,
}: Setting = {}) {
  const store = createMemoryStore({ now })
  const parts: Parts = { store, now, tickets: createTickets(SECTION, { store, now }) }
  const reports: TicketReport[] = []
  const endpoint = createTicketEndpoint({
    policy: { handshake: { session, ticket: ticket && { ...SECTION, ...ticket } }, timeoutMs } as unknown as Policy,
    parts,
    fromNode: request => fromNode(request, readAddress),
    fromWeb: (request, { ip }) => fromWeb(request, readAddress, ip ?? ''),
    runDoor: request => door(request.header('origin') ?? null),
    emit: report => {
      reports.push(report)
      emit?.(report)
    },
  })
  return { endpoint, parts, reports }
}
type Made = ReturnType<typeof make>

const sidOf = (cookie: string): string => /s%3A([^.]+)\./.exec(cookie)?.[1] ?? ''
const PAGE = 'https://app.example'
const ask = (
  endpoint: TicketEndpoint,
  query = '',
  headers: Record<string, string> = {},
  method = 'POST',
): Promise<Response> =>
  endpoint(new Request(`${PAGE}/sallyport/ticket${query}`, { method, headers: { origin: PAGE, ...headers } }), {
    ip: '192.0.2.7',
  })
const codeOf = async (response: Response): Promise<string> =>
  ((await response.json()) as { code?: string }).code ?? 'issued'
const redeem = async ({ parts }: Made, ticket: string, origin = PAGE, path = '/', session = ALICE): Promise<boolean> =>
  (await parts.tickets.redeem(ticket, { session, origin, path })).pass

describe('the ticket endpoint, as Request → Response', () => {
  it('issues a ticket that redeems for this session, origin and path, and tells of it without the ticket', async () => {
    const made = make()
    const response = await ask(made.endpoint, '?path=/ws', { 'sec-fetch-site': 'same-origin' })
    assert.equal(response.status, 200)
    assert.deepEqual(Object.fromEntries(response.headers), HEADERS)
    const { ticket, ...rest } = (await response.json()) as { ticket: string }
    assert.deepEqual(rest, { expiresIn: 30 })
    assert.equal(await redeem(made, ticket, PAGE, '/'), false)
    assert.equal(await redeem(made, ticket, PAGE, '/ws'), true)
    const [report] = made.reports
    assert.equal(made.reports.length, 1)
    assert.deepEqual([report!.denial, report!.session, report!.origin, report!.path], [null, ALICE, PAGE, '/ws'])
    assert.ok(!JSON.stringify(report).includes(ticket))
  })

  const paths: readonly [string, string, string | null, readonly string[] | null][] = [
    ['none named', '', '/', null],
    ['none named, of several', '', '/ws', ['/ws', '/chat']],
    ['one of several', '?path=/chat', '/chat', ['/ws', '/chat']],
    ['encoded in the query', '?path=%2Fws', '/ws', null],
    ['not one of them', '?path=/admin', null, ['/ws']],
    ['a prefix of one', '?path=/w', null, ['/ws']],
    ['empty', '?path=', null, null],
    ['twice', '?path=/ws&path=/admin', null, null],
    ['without a slash', '?path=ws', null, null],
    ['two slashes', '?path=//evil.example/ws', null, null],
    ['a URL', '?path=https://evil.example/', null, null],
    ['parent folder', '?path=/ws/../admin', null, null],
    ['dots in a name', '?path=/a..b', null, null],
    ['encoded parent folder', '?path=/ws/%252e%252e/admin', null, null],
    ['backslash', '?path=/%5Cevil', null, null],
    ['line break', '?path=/ws%0d%0aX:1', null, null],
    ['NUL', '?path=/ws%00', null, null],
    ['a query inside', '?path=/ws%3Fa', null, null],
    ['a fragment inside', '?path=/ws%23a', null, null],
    ['a space', '?path=/w%20s', null, null],
    ['2047 characters', `?path=/${'a'.repeat(2046)}`, `/${'a'.repeat(2046)}`, null],
    ['2048 characters', `?path=/${'a'.repeat(2047)}`, `/${'a'.repeat(2047)}`, null],
    ['2049 characters', `?path=/${'a'.repeat(2048)}`, null, null],
  ]
  for (const [name, query, path, allowed] of paths) {
    it(`path ${name}: ${path === null ? 'refused' : 'issued'}`, async () => {
      const made = make({ ticket: { paths: allowed } })
      const response = await ask(made.endpoint, query)
      if (path === null) {
        assert.ok(response.status === 400 || response.status === 403)
        assert.match(await codeOf(response), /^SALLY_(?:REQUEST_MALFORMED|HANDSHAKE_FORBIDDEN)$/)
      } else {
        const { ticket } = (await response.json()) as { ticket: string }
        assert.equal(await redeem(made, ticket, PAGE, path), true)
      }
    })
  }

  const refusals: readonly [string, Setting, Record<string, string>, number, string][] = [
    ['sibling subdomain, by its Origin', {}, { origin: 'https://evil.app.example' }, 403, 'SALLY_ORIGIN_NOT_ALLOWED'],
    ['allowed Origin of another host', {}, { origin: 'https://www.app.example' }, 403, 'SALLY_ORIGIN_NOT_ALLOWED'],
    ['allowed Origin of another port', {}, { origin: 'https://app.example:8443' }, 403, 'SALLY_ORIGIN_NOT_ALLOWED'],
    ['Origin null', {}, { origin: 'null' }, 403, 'SALLY_ORIGIN_NOT_ALLOWED'],
    ['Host that hides another', {}, { host: 'evil@app.example' }, 403, 'SALLY_ORIGIN_NOT_ALLOWED'],
    ['Host with a path', {}, { host: 'app.example/x' }, 403, 'SALLY_ORIGIN_NOT_ALLOWED'],
    ['same-site', {}, { 'sec-fetch-site': 'same-site' }, 403, 'SALLY_FETCH_METADATA'],
    ['cross-site', {}, { 'sec-fetch-site': 'cross-site' }, 403, 'SALLY_FETCH_METADATA'],
    ['typed by the user', {}, { 'sec-fetch-site': 'none' }, 403, 'SALLY_FETCH_METADATA'],
    ['empty Sec-Fetch-Site', {}, { 'sec-fetch-site': '' }, 403, 'SALLY_FETCH_METADATA'],
    ['Sec-Fetch-Site of two', {}, { 'sec-fetch-site': 'same-origin, cross-site' }, 403, 'SALLY_FETCH_METADATA'],
    ['nobody', { session: () => null }, {}, 401, 'SALLY_SESSION_MISSING'],
    ['expired', { session: () => ({ ...ALICE, expiresAt: START }) }, {}, 401, 'SALLY_SESSION_EXPIRED'],
    ['store down', { session: () => Promise.reject(new Error('secret')) }, {}, 503, 'SALLY_SESSION_UNAVAILABLE'],
    [
      'session that never comes',
      { session: () => new Promise(() => {}), timeoutMs: 5 },
      {},
      503,
      'SALLY_CONTROL_TIMEOUT',
    ],
    [
      'door that throws',
      {
        door: () => {
          throw new Error('secret')
        },
      },
      {},
      503,
      'SALLY_CONTROL_FAILED',
    ],
    ['door that rejects', { door: () => Promise.reject(new Error('secret')) }, {}, 503, 'SALLY_CONTROL_FAILED'],
  ]
  for (const [name, setting, headers, status, code] of refusals) {
    it(`${name}: ${status} ${code}, told once, and nothing else`, async () => {
      const made = make(setting)
      const response = await ask(made.endpoint, '?path=/ws', headers)
      assert.equal(response.status, status)
      assert.deepEqual(Object.fromEntries(response.headers), HEADERS)
      assert.deepEqual(await response.json(), { code })
      assert.deepEqual(
        made.reports.map(report => report.denial?.code),
        [code],
      )
      assert.doesNotMatch(JSON.stringify(made.reports[0]!.denial), /secret/)
    })
  }

  it('a revoked session gets none', async () => {
    const made = make()
    await made.parts.store.revoke({ session: 's1' }, 60_000)
    assert.equal(await codeOf(await ask(made.endpoint)), 'SALLY_SESSION_REVOKED')
  })
  it('the door refuses before the session is looked up, tells of it itself, and its Retry-After is passed on', async () => {
    const made = make({
      door: () => deny('SALLY_HANDSHAKE_RATE', 'x', 1.2),
      session: () => assert.fail('looked up'),
    })
    const response = await ask(made.endpoint)
    assert.equal(response.status, 429)
    assert.equal(response.headers.get('retry-after'), '2')
    assert.deepEqual(await response.json(), { code: 'SALLY_HANDSHAKE_RATE' })
    assert.equal(made.reports.length, 0)
  })
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'PATCH']) {
    it(`${method}: 405 with Allow, and no CORS header`, async () => {
      const made = make({ door: () => assert.fail('asked'), session: () => assert.fail('asked') })
      const headers = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'x' }
      const response = await ask(made.endpoint, '', headers, method)
      assert.equal(response.status, 405)
      assert.deepEqual(Object.fromEntries(response.headers), { ...HEADERS, allow: 'POST' })
    })
  }
  it('404 where the policy has no tickets of ours', async () => {
    for (const ticket of [null, { csrf: () => true }]) {
      assert.equal((await ask(make({ ticket }).endpoint)).status, 404)
    }
  })
  it('a client without an Origin, where the door allows it, is bound to none', async () => {
    const made = make()
    const response = await made.endpoint(new Request(`${PAGE}/t`, { method: 'POST' }))
    const { ticket } = (await response.json()) as { ticket: string }
    assert.equal(await redeem(made, ticket, PAGE), false)
    assert.equal(await redeem(made, ticket, ''), true)
  })
  it('a default port in Host is the same origin', async () => {
    assert.equal((await ask(make().endpoint, '', { host: 'app.example:443' })).status, 200)
    assert.equal((await ask(make().endpoint, '', { host: 'APP.example' })).status, 200)
  })
  it('a listener that throws lets no ticket out', async () => {
    const made = make({
      emit: () => {
        throw new Error('log down')
      },
    })
    assert.equal((await ask(made.endpoint)).status, 503)
  })
})

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
