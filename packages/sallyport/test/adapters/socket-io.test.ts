import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import { createGuard, type SallyEvent } from 'sallyport'
import { guardSocketIo } from 'sallyport/adapters/socket-io'
import { type Namespace, Server } from 'socket.io'
import { io as connect, type Socket } from 'socket.io-client'
import { WebSocket, WebSocketServer } from 'ws'
import { z } from 'zod'

/** Events a minute. */
const RATE = 20
const TRANSPORTS = ['polling', 'websocket'] as const
type Transport = (typeof TRANSPORTS)[number]
interface ClientOptions {
  readonly origin?: string
  readonly cookie?: string
  readonly query?: Record<string, string>
  readonly namespace?: string
}

const http: HttpServer = createServer((request, response) => {
  if (request.url?.startsWith('/ticket') === true) void guard.ticket(request, response)
  else response.writeHead(404).end()
})
http.listen(0, 'localhost')
await once(http, 'listening')
const { port } = http.address() as AddressInfo
const origin = `http://localhost:${port}`

const guard = createGuard({
  handshake: {
    origin: { allow: [origin] },
    session: request => {
      const user = request.cookie('user')
      return user === undefined ? null : { id: `session of ${user}`, user }
    },
    ticket: { carrier: 'query' },
    rate: { dangerouslyOff: true },
    connections: { perUser: 3 },
  },
  message: {
    schema: {
      say: z.object({ type: z.literal('say'), room: z.string().max(20), text: z.string().max(50) }),
      join: z.object({ type: z.literal('join'), room: z.string().max(20) }),
      ask: z.object({ type: z.literal('ask') }),
    },
    rate: { messages: RATE, per: '1 minute' },
    strikes: 3,
  },
})
const events: SallyEvent[] = []
guard.on(event => events.push(event))
const io = new Server(http, { maxHttpBufferSize: 65_536, pingInterval: 60_000 })
guardSocketIo(io, guard)
const heard: unknown[][] = []
const serve = (namespace: Server | Namespace): void => {
  namespace.on('connection', socket => {
    socket.on('join', async (message: { room: string }, done: () => void) => {
      await socket.join(message.room)
      done()
    })
    socket.on('say', (message: { room: string; text: string }, ...rest: unknown[]) => {
      heard.push([message, ...rest])
      namespace.to(message.room).emit('said', message.text)
    })
    socket.on('ask', (answer: (name: string) => void) => answer('answered'))
    socket.on('secret', (...given: unknown[]) => heard.push(given))
  })
}
serve(io)
serve(io.of('/other'))

const clients: Socket[] = []
after(async () => {
  for (const client of clients) client.disconnect()
  await guard.drain({ withinMs: 0 })
  await io.close()
})

async function ticketFor(user: string): Promise<string> {
  const response = await fetch(`${origin}/ticket?path=/socket.io/`, {
    method: 'POST',
    headers: { Origin: origin, Cookie: `user=${user}` },
  })
  return ((await response.json()) as { ticket: string }).ticket
}

function client(transport: Transport | 'both', options: ClientOptions = {}): Socket {
  const { origin: claimed = origin, cookie, query = {}, namespace = '' } = options
  const extraHeaders = { Origin: claimed, ...(cookie !== undefined && { Cookie: cookie }) }
  const socket = connect(origin + namespace, {
    transports: transport === 'both' ? [...TRANSPORTS] : [transport],
    forceNew: true,
    reconnection: false,
    query,
    extraHeaders,
  })
  clients.push(socket)
  return socket
}

async function open(transport: Transport | 'both', user: string, namespace = ''): Promise<Socket> {
  const socket = client(transport, { cookie: `user=${user}`, query: { ticket: await ticketFor(user) }, namespace })
  await next(socket, 'connect')
  return socket
}

/** What comes with the next event of that name. Not `events.once`, to which `error` is an error. */
function next(socket: Socket, name: string): Promise<unknown[]> {
  return new Promise(resolve => socket.once(name, (...given: unknown[]) => resolve(given)))
}

/** The control that refused, and the end of the attempt. */
async function refused(socket: Socket): Promise<string | undefined> {
  const from = events.length
  await Promise.race([next(socket, 'connect_error'), next(socket, 'connect').then(() => assert.fail('it connected'))])
  return events.slice(from).find(({ kind }) => kind === 'denial')?.code
}

for (const transport of [...TRANSPORTS, 'both'] as const) {
  test(`${transport}: events, rooms, broadcasts, acknowledgements and a namespace work for the honest client`, async () => {
    const [ann, bob] = [await open(transport, 'ann'), await open(transport, 'bob', '/other')]
    assert.equal(await ann.emitWithAck('ask'), 'answered')
    for (const socket of [ann, bob]) {
      await socket.emitWithAck('join', { room: 'r' })
      const said = next(socket, 'said')
      socket.emit('say', { room: 'r', text: 'hello' })
      assert.deepEqual(await said, ['hello'])
    }
    const everybody = Promise.all([ann, bob].map(socket => next(socket, 'news')))
    io.emit('news', 1)
    io.of('/other').emit('news', 2)
    assert.deepEqual(await everybody, [[1], [2]])
    ann.disconnect()
    bob.disconnect()
  })
}

for (const transport of TRANSPORTS) {
  test(`${transport}: a forbidden Origin, no session, and a ticket that is missing, spent or somebody else's are refused`, async () => {
    const ticket = await ticketFor('ann')
    const cookie = 'user=ann'
    const evil = { origin: 'https://evil.example', cookie, query: { ticket } }
    assert.equal(await refused(client(transport, evil)), 'SALLY_ORIGIN_NOT_ALLOWED')
    assert.equal(await refused(client(transport, { query: { ticket } })), 'SALLY_SESSION_MISSING')
    assert.equal(await refused(client(transport, { cookie })), 'SALLY_TICKET_MISSING')
    assert.equal(await refused(client(transport, { cookie: 'user=bob', query: { ticket } })), 'SALLY_TICKET_INVALID')
    const socket = client(transport, { cookie, query: { ticket } })
    await next(socket, 'connect')
    assert.equal(await refused(client(transport, { cookie, query: { ticket } })), 'SALLY_TICKET_USED')
    socket.disconnect()
  })

  test(`${transport}: an undeclared event, a wrong or second argument, a named type that is not its own: never handled`, async () => {
    const socket = await open(transport, 'ann')
    heard.length = 0
    const attacks: readonly (readonly [string, ...unknown[]])[] = [
      ['secret'],
      ['say', { room: 'r', text: 7 }],
      ['say', { room: 'r', text: 'x' }, { text: 'second' }],
    ]
    for (const attack of attacks) {
      const error = next(socket, 'error')
      socket.emit(...(attack as [string]))
      assert.match(((await error) as [{ code: string }])[0].code, /^SALLY_MESSAGE_/)
    }
    await socket.emitWithAck('ask')
    assert.deepEqual(heard, [])
    const ended = next(socket, 'disconnect')
    socket.emit('say', { type: 'ask', room: 'r', text: 'x' })
    await ended
    assert.deepEqual(heard, [], 'the fourth strike ended it')
  })

  test(`${transport}: unknown fields are stripped before the handler`, async () => {
    const socket = await open(transport, 'ann')
    heard.length = 0
    socket.emit('say', { room: 'r', text: 'x', admin: true })
    await socket.emitWithAck('ask')
    assert.deepEqual(heard, [[{ room: 'r', text: 'x' }]])
    socket.disconnect()
  })

  test(`${transport}: a flood is cut off at the bound`, async () => {
    const socket = await open(transport, `flo-by-${transport}`)
    heard.length = 0
    const from = events.length
    const ended = next(socket, 'disconnect')
    for (let at = 0; at < RATE * 5; at++) socket.emit('say', { room: 'r', text: String(at) })
    await ended
    // Socket.IO hands events on a tick later, and those of a closed socket not at all.
    assert.ok(heard.length <= RATE, `${heard.length} were handled`)
    assert.deepEqual(
      events.slice(from).flatMap(({ kind, control }) => (kind === 'denial' ? [control] : [])),
      ['message/rate'],
    )
  })

  test(`${transport}: a revoked session is cut off`, async () => {
    const socket = await open(transport, `carol-by-${transport}`)
    const ended = next(socket, 'disconnect')
    await guard.revoke({ session: `session of carol-by-${transport}` })
    await ended
    assert.equal(io.sockets.sockets.size, 0)
  })
}

/** A poll or post of somebody else with the id of a session that is open. */
async function poll(sid: string, headers: Record<string, string>, method = 'GET', extra = ''): Promise<number> {
  const response = await fetch(`${origin}/socket.io/?EIO=4&transport=polling&sid=${sid}${extra}`, {
    method,
    headers,
    ...(method === 'POST' && { body: '42["secret"]' }),
  })
  await response.text()
  return response.status
}

test('the id of a session is no key: polls, posts and upgrades need its origin and its credential each time', async () => {
  const ann = await open('polling', 'ann')
  const sid = ann.io.engine.id!
  const own = { Origin: origin, Cookie: 'user=ann' }
  const rows: readonly (readonly [string, Record<string, string>, string, number])[] = [
    ['post of a forbidden Origin with the cookie', { ...own, Origin: 'https://evil.example' }, 'POST', 403],
    ['poll of a forbidden Origin with the cookie', { ...own, Origin: 'https://evil.example' }, 'GET', 403],
    ['Origin null', { ...own, Origin: 'null' }, 'GET', 403],
    ['no cookie', { Origin: origin }, 'POST', 401],
    ['cookie of another user', { ...own, Cookie: 'user=mallory' }, 'POST', 401],
    ['no Origin and no word of the browser', { Cookie: 'user=ann' }, 'GET', 403],
    ['no Origin, same-site', { Cookie: 'user=ann', 'Sec-Fetch-Site': 'same-site' }, 'GET', 403],
    ['no Origin, same-origin, but a post', { Cookie: 'user=ann', 'Sec-Fetch-Site': 'same-origin' }, 'POST', 403],
  ]
  for (const [name, headers, method, status] of rows) assert.equal(await poll(sid, headers, method), status, name)
  assert.equal(await poll('', own, 'GET', `&sid=${sid}`), 400, 'several sid')

  for (const [cookie, from] of [
    ['user=ann', 'https://evil.example'],
    ['user=mallory', origin],
  ] as const) {
    const thief = new WebSocket(`ws://localhost:${port}/socket.io/?EIO=4&transport=websocket&sid=${sid}`, {
      headers: { Origin: from, Cookie: cookie },
    })
    const [, response] = (await once(thief, 'unexpected-response')) as [unknown, { statusCode: number }]
    assert.equal(response.statusCode, from === origin ? 401 : 403)
  }
  assert.equal(await ann.emitWithAck('ask'), 'answered', 'and the session lives on')
  ann.disconnect()
})

test('a same-origin GET without an Origin is the page itself, as browsers send it', async () => {
  const response = await fetch(`${origin}/socket.io/?EIO=4&transport=polling&ticket=${await ticketFor('ann')}`, {
    headers: { Cookie: 'user=ann', 'Sec-Fetch-Site': 'same-origin' },
  })
  assert.equal(response.status, 200)
  assert.match(await response.text(), /^0\{"sid"/)
})

test('what Engine.IO refuses after the door let it in gives its place back', async () => {
  for (let at = 0; at < 5; at++) {
    const response = await fetch(`${origin}/socket.io/?EIO=4&transport=polling&ticket=${await ticketFor('dan')}`, {
      method: 'POST',
      headers: { Origin: origin, Cookie: 'user=dan' },
    })
    assert.equal(response.status, 400)
    await response.text()
  }
  const socket = await open('polling', 'dan')
  socket.disconnect()
})

test('no more sessions than a user may have', async () => {
  const sockets = [await open('polling', 'eve'), await open('websocket', 'eve'), await open('polling', 'eve')]
  const fourth = client('polling', { cookie: 'user=eve', query: { ticket: await ticketFor('eve') } })
  assert.equal(await refused(fourth), 'SALLY_CONNECTIONS_USER')
  for (const socket of sockets) socket.disconnect()
})

test('nesting that cannot be written down is refused, and ends no process', async () => {
  const socket = await open('websocket', 'ann')
  const error = next(socket, 'error')
  socket.io.engine.write(`2["say",{"room":${'['.repeat(30_000)}${']'.repeat(30_000)}}]`)
  assert.match(((await error) as [{ code: string }])[0].code, /^SALLY_MESSAGE_/)
  socket.disconnect()
})

test('what would pass unchecked is refused at the start', () => {
  const rows: readonly (readonly [RegExp, object, (server: Server) => void])[] = [
    [/maxHttpBufferSize is 1000000, .*maxHttpBufferSize: 65536/, {}, () => {}],
    [/connectionStateRecovery/, { maxHttpBufferSize: 65_536, connectionStateRecovery: {} }, () => {}],
    [/before the first io\.of/, { maxHttpBufferSize: 65_536 }, server => void server.of('/early')],
    [/before the first io\.of/, { maxHttpBufferSize: 65_536 }, server => void server.of(/^\/early/)],
    [/leave allowEIO3 out/, { maxHttpBufferSize: 65_536, allowEIO3: true }, () => {}],
    [/leave perMessageDeflate out/, { maxHttpBufferSize: 65_536, perMessageDeflate: true }, () => {}],
    [/leave perMessageDeflate out/, { maxHttpBufferSize: 65_536, perMessageDeflate: { threshold: 1 } }, () => {}],
    [/leave wsEngine out/, { maxHttpBufferSize: 65_536, wsEngine: WebSocketServer }, () => {}],
    [
      /its ws has no bound on fragments: update socket\.io/,
      { maxHttpBufferSize: 65_536 },
      server => {
        // As the ws of Socket.IO 4.7 is.
        const { ws } = server.engine as unknown as { readonly ws: { readonly options: { maxFragments?: number } } }
        delete ws.options.maxFragments
      },
    ],
    [/leave parser out/, { maxHttpBufferSize: 65_536, parser: { Encoder: class {}, Decoder: class {} } }, () => {}],
    [/WebTransport is not guarded/, { maxHttpBufferSize: 65_536, transports: ['polling', 'webtransport'] }, () => {}],
  ]
  for (const [message, options, prepare] of rows) {
    const server = new Server(createServer(), options)
    prepare(server)
    assert.throws(() => guardSocketIo(server, guard), message)
  }
  for (const [io, what] of [
    [undefined, 'nothing'],
    [null, 'null'],
    [createServer(), 'an object'],
    [Promise.resolve({}), 'a Promise'],
    [8080, 'a number'],
  ] as const) {
    assert.throws(() => guardSocketIo(io as never, guard), {
      name: 'TypeError',
      message: `guardSocketIo: io is ${what}, no server of Socket.IO; write guardSocketIo(new Server(httpServer, { … }), guard)`,
    })
  }
  assert.throws(() => guardSocketIo(guard as never, createServer() as never), /createGuard\(\) did not make/)
  const other = createGuard({
    handshake: { origin: { allow: [origin] }, session: () => null },
    message: { schema: { dangerouslyAcceptAnyMessage: true } },
  })
  assert.throws(() => guardSocketIo(new Server(createServer(), { maxHttpBufferSize: 1 }), other), /carrier: 'query'/)
  const options: readonly (readonly [object | null, RegExp])[] = [
    [null, /the options are null, not an object/],
    [{ acks: {} }, /unknown option 'acks'; .*auth, acknowledgements/],
    [{ auths: z.object({}) }, /did you mean auth\?/],
    [{ auth: 7 }, /schema of "auth": a number is no schema/],
    [{ acknowledgements: { which: {} } }, /schema of "acknowledgement of which": it describes nothing/],
  ]
  for (const [given, message] of options) {
    const server = new Server(createServer(), { maxHttpBufferSize: 65_536 })
    assert.throws(() => guardSocketIo(server, guard, given as never), message)
  }
})

test('two guarded servers on one HTTP server: paths apart are served, paths that overlap are an error', async () => {
  const shared = createServer().listen(0, 'localhost')
  await once(shared, 'listening')
  const from = `http://localhost:${(shared.address() as AddressInfo).port}`
  const both = createGuard({
    handshake: {
      origin: { allow: [from] },
      session: { dangerouslyAnonymous: true },
      ticket: { dangerouslyWithoutTicket: true },
    },
    message: { schema: { ask: z.object({}) } },
  })
  const [one, two] = ['/one', '/two'].map(path => new Server(shared, { path, maxHttpBufferSize: 65_536 }))
  for (const server of [one!, two!]) guardSocketIo(server, both)
  for (const path of ['/one', '/one/more', '/']) {
    const third = new Server(shared, { path, maxHttpBufferSize: 65_536 })
    assert.throws(() => guardSocketIo(third, both), /overlap, and both would answer/, path)
    shared.removeAllListeners('upgrade')
  }
  shared.removeAllListeners()
  await both.drain({ withinMs: 0 })
  shared.close()
})

test('attack: through an engine that was attached later, nothing reaches the app', async t => {
  const first = createServer().listen(0, 'localhost')
  const second = createServer().listen(0, 'localhost')
  await Promise.all([once(first, 'listening'), once(second, 'listening')])
  const server = new Server(first, { maxHttpBufferSize: 65_536 })
  guardSocketIo(server, guard)
  server.attach(second)
  t.after(() => [first, second].map(one => one.close()))
  let connections = 0
  server.on('connection', () => connections++)
  server.engine.on('connection', () => connections--)
  const raw = new WebSocket(
    `ws://localhost:${(second.address() as AddressInfo).port}/socket.io/?EIO=4&transport=websocket`,
  )
  await once(raw, 'open')
  const answered = new Promise<string>(resolve =>
    raw.on('message', data => (data as Buffer)[0] === '4'.charCodeAt(0) && resolve('answered')),
  )
  raw.send('40')
  assert.equal(await Promise.race([answered, once(raw, 'close').then(() => 'closed')]), 'closed')
  assert.equal(connections, -1)
})
