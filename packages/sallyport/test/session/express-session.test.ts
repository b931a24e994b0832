import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, get, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, describe, it } from 'node:test'
import { sign } from 'cookie-signature'
import express from 'express'
import expressSessionMiddleware from 'express-session'
import type { HandshakeRequest } from '../../src/model/handshake-request.ts'
import { expressSession } from '../../src/session/index.ts'
import type { Session, SessionResolver } from '../../src/model/session.ts'
import { SessionUnavailable } from '../../src/session/no-session.ts'
import { fromNode } from './handshakes.ts'

const SECRET = 'a secret of the http side 7f3a9c'

declare module 'express-session' {
  interface SessionData {
    userId: string
  }
}

class FlakyStore extends expressSessionMiddleware.MemoryStore {
  broken: 'no' | 'errors' | 'throws' | 'destroyed by hand' = 'no'
  override get(
    sid: string,
    done: (error: unknown, session?: expressSessionMiddleware.SessionData | null) => void,
  ): void {
    if (this.broken === 'errors') return done(new Error(`ECONNREFUSED while reading ${sid}`))
    if (this.broken === 'throws') throw new Error('redis client is closed')
    super.get(sid, done)
  }
}

describe('express-session', () => {
  const store = new FlakyStore()
  const middleware = expressSessionMiddleware({
    secret: SECRET,
    store,
    resave: false,
    saveUninitialized: false,
    cookie: { maxAge: 60_000 },
  })
  const app = express()
  let server: Server
  let origin: string
  let resolver: SessionResolver
  /** What the upgrade's resolution came to, and what was written to the socket meanwhile. */
  let seen: { session: Session | null | undefined; error: unknown; request: HandshakeRequest; bytesWritten: number }
  let asked: HandshakeRequest | undefined
  let http: Session | null | undefined | Error

  before(async () => {
    app.use((request, response, next) => (request.path === '/bare' ? next() : middleware(request, response, next)))
    app.post('/login', (request, response) => {
      request.session.userId = request.query['as'] as string
      response.json({ sid: request.sessionID })
    })
    app.post('/logout', (request, response) => request.session.destroy(() => response.end()))
    app.post('/regenerate', (request, response) =>
      request.session.regenerate(() => {
        request.session.userId = 'eve'
        ask(request, response)
      }),
    )
    app.get('/ask', (request, response) => ask(request, response))
    app.get('/bare', (request, response) => ask(request, response))
    server = createServer(app)
    server.on('upgrade', (raw: IncomingMessage, socket) => {
      const request = fromNode(raw)
      Promise.resolve(resolver(request))
        .then(
          session => ({ session, error: undefined }),
          (error: unknown) => ({ session: undefined, error }),
        )
        .then(result => {
          seen = { ...result, request, bytesWritten: (raw.socket as { bytesWritten: number }).bytesWritten }
          socket.end('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n')
        })
        .catch(assert.fail)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  after(() => server.close())
  beforeEach(() => {
    store.broken = 'no'
    resolver = expressSession(middleware, request => request.session?.['userId'])
  })

  function ask(request: IncomingMessage, response: ServerResponse): void {
    asked = fromNode(request)
    Promise.resolve(resolver(asked))
      .catch((error: unknown) => error as Error)
      .then(answer => {
        http = answer
        response.end()
      })
      .catch(assert.fail)
  }
  async function login(as: string): Promise<{ cookie: string; sid: string }> {
    const response = await fetch(`${origin}/login?as=${as}`, { method: 'POST' })
    const { sid }: { sid: string } = await response.json()
    const set = response.headers.get('set-cookie') ?? ''
    return { sid, cookie: set.slice(0, set.indexOf(';')) }
  }
  async function upgrade(cookie: string | null, path = '/ws'): Promise<typeof seen> {
    const request = get(`${origin}${path}`, {
      headers: { connection: 'Upgrade', upgrade: 'websocket', ...(cookie !== null && { cookie }) },
      agent: false,
    })
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    response.resume()
    await once(response, 'close')
    return seen
  }
  const signed = (sid: string, secret = SECRET): string => `connect.sid=${encodeURIComponent(`s:${sign(sid, secret)}`)}`

  it('finds the signed-in session on an upgrade, with its expiry, and writes nothing to the socket', async () => {
    const { cookie, sid } = await login('alice')
    const earliest = Date.now()
    const { session, bytesWritten, request } = await upgrade(cookie)
    assert.equal(session?.id, sid)
    assert.equal(session.user, 'alice')
    assert.ok(session.expiresAt! > earliest && session.expiresAt! <= Date.now() + 60_000)
    assert.equal(bytesWritten, 0)
    assert.equal(Object.hasOwn(request.raw, 'session'), false)
  })

  const nobody: readonly [string, () => string | null | Promise<string | null>][] = [
    ['no cookie', () => null],
    ['forged cookie: signed with another secret', async () => signed((await login('alice')).sid, 'x'.repeat(32))],
    ['forged cookie: the id alone', async () => `connect.sid=${(await login('alice')).sid}`],
    ['forged cookie: cut signature', async () => (await login('alice')).cookie.slice(0, -1)],
    ['fixation: rightly signed, never stored', () => signed('chosen-by-the-attacker')],
    ['a session nobody signed in to', async () => (await login('')).cookie],
  ]
  for (const [name, cookie] of nobody) {
    it(`${name} is nobody`, async () => {
      const { session, error } = await upgrade(await cookie())
      assert.equal(error, undefined)
      assert.equal(session, null)
    })
  }

  it('a forged cookie is nobody even where pick answers without looking at the session', async () => {
    resolver = expressSession(middleware, () => 'everybody')
    assert.equal((await upgrade(signed('x', 'y'.repeat(32)))).session, null)
    assert.equal((await upgrade(null)).session, null)
  })

  it('a destroyed session is nobody, at the next handshake and at a recheck of the old one', async () => {
    const { cookie } = await login('alice')
    const { session, request } = await upgrade(cookie)
    assert.deepEqual(await resolver.recheck!(session!, request), session)
    await fetch(`${origin}/logout`, { method: 'POST', headers: { cookie } })
    assert.equal(await resolver.recheck!(session!, request), null)
    assert.equal((await upgrade(cookie)).session, null)
  })

  for (const broken of ['errors', 'throws'] as const) {
    it(`a store that ${broken} throws, at the handshake and at a recheck`, async () => {
      const { cookie } = await login('alice')
      const { session, request } = await upgrade(cookie)
      store.broken = broken
      const { error } = await upgrade(cookie)
      assert.ok(error instanceof SessionUnavailable)
      assert.doesNotMatch(error.message, /ECONN|redis/)
      await assert.rejects(async () => resolver.recheck!(session!, request), SessionUnavailable)
    })
  }

  it('a disconnected store throws, though the middleware passes without an error', async () => {
    const { cookie } = await login('alice')
    const { session, request } = await upgrade(cookie)
    store.emit('disconnect')
    try {
      assert.ok((await upgrade(cookie)).error instanceof SessionUnavailable)
      await assert.rejects(async () => resolver.recheck!(session!, request), SessionUnavailable)
      await fetch(`${origin}/ask`, { headers: { cookie } })
      assert.ok(http instanceof SessionUnavailable)
    } finally {
      store.emit('connect')
    }
    assert.equal((await upgrade(cookie)).session?.user, 'alice')
  })

  it("a cookie path that does not cover the handshake's throws: it looks like a store that is down", async () => {
    const narrow = expressSessionMiddleware({
      secret: SECRET,
      // Its own face of the shared store: the middleware writes its cookie's options into the store it is given.
      store: Object.create(store) as FlakyStore,
      resave: false,
      saveUninitialized: false,
      cookie: { path: '/app' },
    })
    resolver = expressSession(narrow, request => request.session?.['userId'])
    const { cookie } = await login('alice')
    const { error } = await upgrade(cookie, '/ws')
    assert.ok(error instanceof SessionUnavailable)
    assert.match(error.message, /path/)
    assert.equal((await upgrade(cookie, '/app/ws')).session?.user, 'alice')
  })

  it('a middleware that answers instead of passing throws, and its answer goes nowhere', async () => {
    resolver = expressSession(
      (_request: IncomingMessage, response: ServerResponse) => void response.writeHead(200).end('leak'),
      () => 'alice',
    )
    const { error, bytesWritten } = await upgrade(null)
    assert.ok(error instanceof SessionUnavailable)
    assert.equal(bytesWritten, 0)
  })

  it('a middleware that rejects throws', async () => {
    resolver = expressSession(
      async () => Promise.reject(new Error('secret')),
      () => 'alice',
    )
    assert.ok((await upgrade(null)).error instanceof SessionUnavailable)
  })

  it('on an HTTP request: finds the session where the middleware ran, and where it did not', async () => {
    const { cookie, sid } = await login('alice')
    for (const path of ['/ask', '/bare']) {
      await fetch(origin + path, { headers: { cookie } })
      assert.equal((http as Session).id, sid, path)
      await fetch(origin + path, { headers: { cookie: signed('nope', 'z'.repeat(32)) } })
      assert.equal(http, null, path)
    }
  })

  it('where the app ran the middleware itself, a recheck still looks into the store, not at what was found then', async () => {
    const { cookie, sid } = await login('alice')
    await fetch(`${origin}/ask`, { headers: { cookie } })
    const session = http as Session
    const request = asked!
    assert.equal((await resolver.recheck!(session, request))?.id, sid)
    await new Promise(done => {
      store.destroy(sid, done)
    })
    assert.equal(await resolver.recheck!(session, request), null)
  })

  it('on an HTTP request: a session regenerated in this very request did not come with it', async () => {
    const { cookie } = await login('alice')
    await fetch(`${origin}/regenerate`, { method: 'POST', headers: { cookie } })
    assert.equal(http, null)
  })

  it('pick may answer an object: its fields stay, the earlier expiry counts, its id may be its own', async () => {
    const { cookie, sid } = await login('alice')
    const whole = expressSession(middleware, async request => ({
      user: String(request.session?.['userId']),
      role: 'admin',
      expiresAt: 5,
      issuedAt: 1,
    }))
    resolver = whole as unknown as SessionResolver
    assert.deepEqual((await upgrade(cookie)).session, {
      id: sid,
      user: 'alice',
      role: 'admin',
      expiresAt: 5,
      issuedAt: 1,
    })
    resolver = expressSession(middleware, () => ({ id: 'own', user: 'u' }))
    const { session } = await upgrade(cookie)
    assert.equal(session?.id, 'own')
    assert.ok(session.expiresAt! > Date.now(), String(session.expiresAt))
  })

  it('is ambient, and refuses options that are no functions', () => {
    assert.equal(resolver.ambient, true)
    assert.throws(() => expressSession(undefined as never, () => null), /middleware is nothing, not a function\. Pass/)
    assert.throws(() => expressSession(middleware, 'userId' as never), /pick is a string, not a function\. Write/)
    assert.throws(
      () => expressSession(expressSessionMiddleware as never, () => null),
      /it is session itself, not what it returned\. Write/,
    )
  })
})
