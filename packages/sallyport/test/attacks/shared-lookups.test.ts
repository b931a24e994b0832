import assert from 'node:assert/strict'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { createGuard, type HandshakeRequest, type Session } from 'sallyport'
import { serve } from 'sallyport/server'
import { generate } from 'selfsigned'
import { WebSocket, WebSocketServer } from 'ws'
import { exchange, handshakeText } from '../support/raw-client.ts'
import { freePort } from '../support/world.ts'

const SCHEMA = { chat: { type: 'object', properties: {} } }

/** A key and a certificate of its own for a name. */
async function certificate(name: string): Promise<{ readonly key: string; readonly cert: string }> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: name }], { keySize: 2048 })
  return { key, cert }
}

/** Who shows the certificate, after a look-up that takes its time. */
async function byCertificate(request: HandshakeRequest): Promise<Session> {
  const { socket } = request.raw as unknown as { readonly socket: TLSSocket }
  const user = socket.getPeerCertificate().subject.CN
  await new Promise(resolve => setTimeout(resolve, 300))
  return { id: `s-${user}`, user }
}

for (const [what, more] of [
  ['that says nothing of what it reads', {}],
  ['that says that it reads a cookie', { reads: [{ cookie: 'device' }] }],
] as const) {
  test(`attack: two clients whose requests differ in the certificate alone are two people, with a resolver ${what}`, async t => {
    const server = createServer({ ...(await certificate('localhost')), requestCert: true, rejectUnauthorized: false })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => server.close())
    const { port } = server.address() as AddressInfo
    const origin = `https://localhost:${port}`
    const guard = createGuard({
      handshake: {
        origin: { allow: [origin] },
        session: Object.assign((request: HandshakeRequest) => byCertificate(request), more),
        ticket: { dangerouslyWithoutTicket: true },
      },
      message: { schema: SCHEMA },
    })
    const sockets = new WebSocketServer({ server, path: '/ws', ...guard.ws() })
    t.after(() => sockets.close())
    const users: string[] = []
    sockets.on('connection', socket => {
      const { session } = guard.connection(socket)!
      users.push(session.user)
    })
    const shown = await Promise.all([certificate('ann'), certificate('bob')])
    const dial = (own: object): WebSocket =>
      new WebSocket(`wss://localhost:${port}/ws`, {
        ...own,
        rejectUnauthorized: false,
        headers: { origin, cookie: 'device=1' },
      })
    const clients = shown.map(dial)
    await Promise.all(clients.map(client => once(client, 'open')))
    assert.deepEqual(users.toSorted(), ['ann', 'bob'])
    for (const client of clients) client.terminate()
  })
}

/** Look-ups that are answered by hand. */
function lookups() {
  const waiting: { readonly user: string; readonly answer: (found: Session | null) => void }[] = []
  const begun: (() => void)[] = []
  return {
    waiting,
    session: (request: HandshakeRequest): Promise<Session | null> =>
      new Promise(resolve => {
        waiting.push({ user: request.cookie('sid') ?? '', answer: resolve })
        begun.shift()?.()
      }),
    next: (): Promise<void> => new Promise(resolve => begun.push(resolve)),
  }
}

for (const target of [{ user: 'ann' }, { session: 's-ann' }, 'all'] as const) {
  test(`attack: who joins a look-up that began before ${JSON.stringify(target)} was revoked is not let in by it`, async t => {
    const port = await freePort()
    const { waiting, session, next } = lookups()
    const guard = createGuard({
      handshake: {
        origin: { allow: [`http://localhost:${port}`] },
        session,
        ticket: { dangerouslyWithoutTicket: true },
      },
      message: { schema: SCHEMA },
    })
    const app = await serve({ port, guard, handlers: { chat() {} } })
    t.after(() => app.close({ withinMs: 0 }))
    const dial = async (): Promise<number> =>
      (await exchange(port, handshakeText({ port, add: ['Cookie: sid=ann'] }))).status

    const first = next()
    const early = dial()
    await first
    // The session is gone from here on; the look-up that runs has read the state before.
    await guard.revoke(target)
    const second = next()
    const late = dial()
    await second
    assert.equal(waiting.length, 2, 'a look-up of its own')
    waiting[0]!.answer({ id: 's-ann', user: 'ann' })
    waiting[1]!.answer(null)
    assert.deepEqual(await Promise.all([early, late]), [401, 401])
  })
}

test('attack: a resolver that keeps its answers is told to forget them at each revocation', async t => {
  const port = await freePort()
  const kept = new Map<string, Session>([['ann', { id: 's-ann', user: 'ann' }]])
  const session = Object.assign((request: HandshakeRequest) => kept.get(request.cookie('sid') ?? '') ?? null, {
    forget: () => kept.clear(),
  })
  const guard = createGuard({
    handshake: { origin: { allow: [`http://localhost:${port}`] }, session, ticket: { dangerouslyWithoutTicket: true } },
    message: { schema: SCHEMA },
  })
  const app = await serve({ port, guard, handlers: { chat() {} } })
  t.after(() => app.close({ withinMs: 0 }))
  const dial = async (): Promise<number> =>
    (await exchange(port, handshakeText({ port, add: ['Cookie: sid=ann'] }))).status
  assert.equal(await dial(), 101)
  await guard.revoke({ user: 'ann' })
  assert.equal(await dial(), 401)
})

const HOSTS = ['one.localhost', 'two.localhost']
const DIFFERENCES: readonly (readonly [
  name: string,
  headers: (who: string) => object,
  target: (who: string) => string,
])[] = [
  ['the host', who => ({ host: `${who}.localhost` }), () => '/ws'],
  ['the query', () => ({}), who => `/ws?room=${who}`],
  ['the Origin', who => ({ origin: `http://${who}.localhost` }), () => '/ws'],
  ['the user that a proxy names', who => ({ 'x-forwarded-user': who }), () => '/ws'],
  ['a header that is no credential by its name', who => ({ 'x-acting-for': who }), () => '/ws'],
  ['the language', who => ({ 'accept-language': who }), () => '/ws'],
  ['the baggage of a trace', who => ({ baggage: `userId=${who}` }), () => '/ws'],
  ['one more cookie', who => ({ cookie: `sid=shared; tenant=${who}` }), () => '/ws'],
  ['the address', who => ({ 'x-forwarded-for': who === 'one' ? '192.0.2.1' : '192.0.2.2' }), () => '/ws'],
]
for (const [what, headersOf, targetOf] of DIFFERENCES) {
  test(`attack: two requests of one cookie that differ by ${what} alone get no answer of each other`, async t => {
    const port = await freePort()
    const seen: string[] = []
    const guard = createGuard({
      proxy: { trust: ['127.0.0.1'] },
      handshake: {
        origin: { allow: HOSTS.map(name => `http://${name}`) },
        host: { allow: HOSTS },
        ticket: { dangerouslyWithoutTicket: true },
        async session(request: HandshakeRequest): Promise<Session> {
          const who = JSON.stringify([request.ip, request.target, request.rawHeaders]).includes('two') ? 'two' : 'one'
          const user = request.ip === '192.0.2.2' ? 'two' : who
          await new Promise(resolve => setTimeout(resolve, 200))
          return { id: `s-${user}`, user }
        },
        authorize: ({ user }: Session) => {
          seen.push(user)
          return true
        },
      },
      message: { schema: SCHEMA },
    })
    const app = await serve({ port, guard, handlers: { chat() {} } })
    t.after(() => app.close({ withinMs: 0 }))
    const dial = (who: string): WebSocket =>
      new WebSocket(`ws://127.0.0.1:${port}${targetOf(who)}`, {
        headers: {
          host: 'one.localhost',
          origin: 'http://one.localhost',
          cookie: 'sid=shared',
          authorization: 'Bearer service',
          'x-forwarded-for': '192.0.2.1',
          'x-forwarded-proto': 'https',
          ...headersOf(who),
        },
      })
    const clients = ['one', 'two'].map(dial)
    await Promise.all(clients.map(client => once(client, 'open')))
    assert.deepEqual(seen.toSorted(), ['one', 'two'])
    for (const client of clients) client.terminate()
  })
}
