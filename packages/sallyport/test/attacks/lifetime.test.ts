import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { test } from 'node:test'
import express from 'express'
import session from 'express-session'
import type { Connection } from 'sallyport'
import { expressSession } from 'sallyport/session'
import type { WebSocket } from 'ws'
import { frame, OPCODE, rawPeer } from '../guard/raw-peer.ts'
import { closeOf, refusalOf } from '../support/world.ts'
import { start } from './scene.ts'

const REVOKED = { code: 4401, reason: 'SALLY_LIFETIME_REVOKED' }

/** A real Express app with express-session, as the seed's own; and the guard before its sockets. */
async function shop() {
  const store = new session.MemoryStore()
  const sessions = session({ store, secret: 'keyboard cat keyboard cat', resave: false, saveUninitialized: false })
  const app = express()
  app.use(sessions)
  const user = (request: unknown): string | undefined => (request as { session?: { userId?: string } }).session?.userId
  app.post('/login/:name', (request, response) => {
    Object.assign(request.session, { userId: request.params.name })
    response.json({ sid: request.sessionID })
  })
  app.post('/logout', (request, response) => {
    const { sessionID } = request
    request.session.destroy(() => {
      void world.guard.revoke({ session: sessionID }).then(() => response.end())
    })
  })
  app.post('/forget', (request, response) => {
    request.session.destroy(() => response.end())
  })
  app.post('/become/:name', (request, response) => {
    Object.assign(request.session, { userId: request.params.name })
    response.end()
  })
  const world = await start(
    {
      handshake: { session: expressSession(sessions as never, user as never) },
      lifetime: { session: { recheck: 200, grace: 400 } },
    },
    { request: app as unknown as RequestListener },
  )
  const post = (path: string, cookie = ''): Promise<Response> =>
    fetch(`${world.origin}${path}`, { method: 'POST', headers: { cookie, origin: world.origin } })
  const login = async (name: string): Promise<string> =>
    (await post(`/login/${name}`)).headers.get('set-cookie')!.split(';')[0]!
  const ticket = async (cookie: string): Promise<Response> => post('/.sallyport/ticket?path=/ws', cookie)
  const connect = async (cookie: string): Promise<WebSocket> => {
    const { ticket: token } = (await (await ticket(cookie)).json()) as { ticket: string }
    const socket = world.client({ headers: { cookie }, protocols: ['sallyport.v1', `sallyport.ticket.${token}`] })
    await once(socket, 'open')
    return socket
  }
  return { world, store, post, login, ticket, connect }
}

/** What is promised for a second from now. */
function withinASecond<T>(promise: Promise<T>): Promise<T> {
  const late = once(AbortSignal.timeout(1000), 'abort').then(() => assert.fail('not within a second'))
  return Promise.race([promise, late])
}

test('logout over HTTP closes every socket of that session within a second, refuses its tickets, and spares others', async () => {
  const { world, post, login, ticket, connect } = await shop()
  const [ann, bob] = [await login('ann'), await login('bob')]
  const sockets = [await connect(ann), await connect(ann)]
  const other = await connect(bob)
  const { ticket: early } = (await (await ticket(ann)).json()) as { ticket: string }
  const closing = Promise.all(sockets.map(closeOf))
  assert.equal((await post('/logout', ann)).status, 200)
  assert.deepEqual(await withinASecond(closing), [REVOKED, REVOKED])
  assert.equal((await ticket(ann)).status, 401)
  const replay = world.client({ headers: { cookie: ann }, protocols: ['sallyport.v1', `sallyport.ticket.${early}`] })
  assert.equal((await refusalOf(replay)).status, 401)
  assert.equal(other.readyState, 1)
  other.terminate()
})

test('a session that the app destroyed without a word to the guard ends at the next re-check', async () => {
  const { post, login, connect } = await shop()
  const ann = await login('ann')
  const socket = await connect(ann)
  await post('/forget', ann)
  assert.deepEqual(await closeOf(socket), { code: 4401, reason: 'SALLY_LIFETIME_INVALID' })
})

test('another user signed in on the same cookie: the old connection does not act for the new one', async () => {
  const { post, login, connect } = await shop()
  const ann = await login('ann')
  const socket = await connect(ann)
  await post('/become/eve', ann)
  assert.deepEqual(await closeOf(socket), { code: 4401, reason: 'SALLY_LIFETIME_INVALID' })
})

test('the session store is down: connections live for the grace, then close with 1013; none opens meanwhile', async () => {
  const { world, store, login, connect } = await shop()
  const ann = await login('ann')
  const socket = await connect(ann)
  store.get = (_sid, done) => done(new Error('ECONNREFUSED'))
  const closed = closeOf(socket)
  await world.event(({ kind, code }) => kind === 'denial' && code === 'SALLY_SESSION_UNAVAILABLE')
  assert.equal(socket.readyState, 1)
  assert.equal((await refusalOf(world.client({ headers: { cookie: ann } }))).status, 503)
  assert.deepEqual(await closed, { code: 1013, reason: 'SALLY_LIFETIME_UNAVAILABLE' })
})

test('the session store comes back within the grace: nobody is closed', async () => {
  const { world, store, login, connect } = await shop()
  const ann = await login('ann')
  const socket = await connect(ann)
  const { get } = store
  let looks = 0
  store.get = (_sid, done) => {
    looks++
    done(new Error('ECONNREFUSED'))
  }
  await world.event(({ kind, code }) => kind === 'denial' && code === 'SALLY_SESSION_UNAVAILABLE')
  const back = Promise.withResolvers<void>()
  let seen = 0
  store.get = (sid, done) => {
    if (++seen === 4) back.resolve()
    get.call(store, sid, done)
  }
  // Four more re-checks: longer than the grace.
  await back.promise
  assert.equal(looks, 1)
  assert.equal(socket.readyState, 1)
  socket.terminate()
})

test('revoke({ user }) closes all three of her connections, whatever their session; revoke("all") the rest', async () => {
  const world = await start()
  world.accounts.sessions.set('ann-2', { id: 'ann-2', user: 'ann' })
  const hers = [await world.connect('ann-1'), await world.connect('ann-2'), await world.connect('ann-2')]
  const his = await world.connect('bob-1')
  const closing = Promise.all(hers.map(closeOf))
  await world.guard.revoke({ user: 'ann' })
  assert.deepEqual(await withinASecond(closing), [REVOKED, REVOKED, REVOKED])
  assert.equal(his.readyState, 1)
  const closed = closeOf(his)
  await world.guard.revoke('all')
  assert.deepEqual(await withinASecond(closed), REVOKED)
})

test('revoked while her handler runs: its signal aborts, and nothing it sends goes out', async () => {
  const entered = Promise.withResolvers<Connection>()
  const finished = Promise.withResolvers<boolean[]>()
  const world = await start(
    {},
    {
      handlers: {
        async chat(_said: unknown, connection: Connection) {
          entered.resolve(connection)
          await once(connection.signal, 'abort')
          const sent = [connection.send({ type: 'chat', message: 'secret' })]
          await new Promise(resolve => {
            setImmediate(resolve)
          })
          sent.push(connection.send({ type: 'chat', message: 'secret' }))
          finished.resolve(sent)
        },
      },
    },
  )
  const ticket = await world.ticket('ann-1')
  const { port, origin } = world
  const protocols = ['sallyport.v1', `sallyport.ticket.${ticket}`]
  // It does not answer the close: the abort may not depend on the peer.
  const ann = await rawPeer({ port, origin, protocols, cookie: 'sid=ann-1', answersClose: false })
  ann.socket.write(frame(OPCODE.text, '{"type":"chat","message":"x"}'))
  await entered.promise
  await world.guard.revoke({ session: 'ann-1' })
  assert.deepEqual(await finished.promise, [false, false])
  await ann.frame(({ opcode }) => opcode === OPCODE.close)
  assert.deepEqual(
    ann.received.map(({ opcode }) => opcode),
    [OPCODE.close],
  )
  ann.socket.destroy()
})

for (const [instant, past, most] of [
  ['a millisecond before it', -1, 400],
  ['at it', 0, 200],
  ['a millisecond after it', 1, 200],
] as const) {
  test(`a session in the middle of a flood, ${instant}: of 400 messages ${most} are handled`, async t => {
    // The clock stands still but for the one step: what is handled when must not hang on how busy the machine is.
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
    const expiresAt = Date.now() + 60_000
    let handled = 0
    const all = Promise.withResolvers<void>()
    const world = await start(
      { message: { rate: { dangerouslyOff: true } } },
      {
        handlers: {
          chat() {
            handled++
            if (handled === 200) t.mock.timers.setTime(expiresAt + past)
            if (handled === 400) all.resolve()
          },
        },
      },
    )
    world.accounts.sessions.set('ann-3', { id: 'ann-3', user: 'ann', expiresAt })
    const ann = await world.connect('ann-3')
    const closed = closeOf(ann)
    for (let message = 0; message < 400; message++) ann.send('{"type":"chat","message":"x"}')
    if (past < 0) {
      await all.promise
      ann.terminate()
    } else {
      assert.deepEqual(await closed, { code: 4401, reason: 'SALLY_LIFETIME_EXPIRED' })
      assert.equal((await refusalOf(world.client({ sid: 'ann-3' }))).status, 401)
    }
    assert.equal(handled, most)
  })
}

test('a drain under load: all leave with 1012, spread over the time, new handshakes are 503, and it resolves', async () => {
  const world = await start({ handshake: { connections: { perUser: 100 } } })
  const sockets = await Promise.all(Array.from({ length: 40 }, () => world.connect()))
  const load = setInterval(() => {
    for (const socket of sockets) if (socket.readyState === 1) socket.send('{"type":"chat","message":"x"}')
  }, 20)
  const times: number[] = []
  const closing = sockets.map(async socket => {
    const closed = await closeOf(socket)
    times.push(Date.now())
    return closed
  })
  const from = Date.now()
  const drained = world.guard.drain({ withinMs: 600 })
  const refused = await refusalOf(world.client({ sid: 'ann-1' }))
  assert.equal(refused.status, 503)
  assert.equal(refused.headers['retry-after'], '1')
  await drained
  const all = await Promise.all(closing)
  clearInterval(load)
  for (const closed of all) assert.deepEqual(closed, { code: 1012, reason: 'SALLY_SHUTDOWN' })
  assert.ok(new Set(times.map(time => Math.floor((time - from) / 100))).size >= 3, 'they left in the same instant')
  assert.equal(world.guard.counters().open, 0)
})
