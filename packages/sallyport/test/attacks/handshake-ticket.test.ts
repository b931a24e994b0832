import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test, type TestContext } from 'node:test'
import { exchange, handshakeText } from '../support/raw-client.ts'
import { closeOf, createWorld, nextMessage, nextTexts, refusalOf, type World } from '../support/world.ts'

interface Watched {
  readonly world: World
  /** Everything the guard has told anybody: events, log lines, counts. */
  told(): string
}

async function watched(t: TestContext, policy: Record<string, unknown>): Promise<Watched> {
  const lines: unknown[] = []
  const write = (fields: object, message: string): void => void lines.push(fields, message)
  const world = await createWorld({ events: { log: { info: write, warn: write, error: write } }, ...policy })
  t.after(() => world.close())
  return {
    world,
    told: () => JSON.stringify([world.events, lines, world.guard.counters(), world.guard.metrics()]),
  }
}

const carried = (ticket: string): string => `Sec-WebSocket-Protocol: sallyport.v1, sallyport.ticket.${ticket}`

test('a ticket by subprotocol: replayed, of another session, path or origin, tampered, doubled; it is told nowhere', async t => {
  const { world, told } = await watched(t, {
    handshake: { origin: { dangerouslyAllowAnyOrigin: true }, connections: { perUser: 100 } },
  })
  const { port } = world
  const tickets: string[] = []
  const answers: string[] = []
  const issue = async (sid: string, path?: string): Promise<string> => {
    const ticket = await world.ticket(sid, path)
    tickets.push(ticket)
    return ticket
  }
  const open = async (
    ticket: string,
    { sid = 'ann-1', path = '/ws', origin = world.origin, line = carried(ticket) } = {},
  ): Promise<string> => {
    const { text } = await exchange(
      port,
      handshakeText({
        port,
        request: `GET ${path} HTTP/1.1`,
        replace: { origin: `Origin: ${origin}` },
        add: [`Cookie: sid=${sid}`, line],
      }),
    )
    answers.push(text)
    return /"code":"(\w+)"/.exec(text)?.[1] ?? text.slice(9, 12)
  }
  const flipped = (ticket: string, at: number): string =>
    `${ticket.slice(0, at)}${ticket[at] === 'A' ? 'B' : 'A'}${ticket.slice(at + 1)}`

  const used = await issue('ann-1')
  assert.equal(await open(used), '101')
  assert.equal(await open(used), 'SALLY_TICKET_USED')
  const ticket = await issue('ann-1')
  assert.equal(await open(ticket, { sid: 'bob-1' }), 'SALLY_TICKET_INVALID')
  assert.equal(await open(ticket, { path: '/admin' }), 'SALLY_TICKET_INVALID')
  assert.equal(await open(ticket, { path: '/ws/' }), 'SALLY_TICKET_INVALID')
  assert.equal(await open(ticket, { origin: 'https://evil.example' }), 'SALLY_TICKET_INVALID')
  for (const at of [0, 5, 20, 75]) assert.equal(await open(flipped(ticket, at)), 'SALLY_TICKET_INVALID')
  assert.equal(await open(ticket.slice(0, -1)), 'SALLY_TICKET_INVALID')
  assert.equal(await open(`${ticket}A`), 'SALLY_TICKET_INVALID')
  assert.equal(await open(ticket, { line: `${carried(ticket)}, sallyport.ticket.x` }), 'SALLY_TICKET_INVALID')
  assert.equal(await open(ticket, { line: `Cookie2: ${ticket}` }), 'SALLY_TICKET_MISSING')
  assert.equal(
    await open(ticket, { path: `/ws?ticket=${ticket}`, line: 'Sec-WebSocket-Protocol: sallyport.v1' }),
    'SALLY_TICKET_MISSING',
  )
  assert.equal(await open(ticket, { line: carried(ticket).toUpperCase() }), 'SALLY_SUBPROTOCOL_NOT_SERVED')
  // None of these has used it up.
  assert.equal(await open(ticket), '101')

  await world.event(({ kind }) => kind === 'open')
  for (const secret of tickets) {
    for (const part of [secret, secret.slice(0, 40), secret.slice(-40)]) {
      assert.ok(!told().includes(part), 'told')
      for (const answer of answers) assert.ok(!answer.includes(part), 'echoed')
    }
  }
})

test('50 racing handshakes with one ticket: exactly one wins', async t => {
  const { world } = await watched(t, { handshake: { connections: { perUser: 100 } } })
  const { port } = world
  const ticket = await world.ticket('ann-1')
  const text = handshakeText({ port, add: ['Cookie: sid=ann-1', carried(ticket)] })
  const answers = await Promise.all(Array.from({ length: 50 }, () => exchange(port, text)))
  assert.equal(answers.filter(({ status }) => status === 101).length, 1)
  assert.equal(answers.filter(({ text: said }) => said.includes('SALLY_TICKET_USED')).length, 49)
})

test('50 racing first messages with one ticket: exactly one wins', async t => {
  const { world } = await watched(t, {
    handshake: { ticket: { carrier: 'first-message' }, connections: { perUser: 100 } },
  })
  const ticket = await world.ticket('ann-1')
  const sockets = Array.from({ length: 50 }, () => world.client({ sid: 'ann-1', protocols: ['sallyport.v1'] }))
  await Promise.all(sockets.map(socket => once(socket, 'open')))
  const ends = sockets.map(async socket => {
    const outcome = Promise.race([nextMessage(socket), closeOf(socket)])
    socket.send(JSON.stringify({ type: 'auth', csrfToken: ticket }))
    return JSON.stringify(await outcome)
  })
  const outcomes = await Promise.all(ends)
  assert.equal(outcomes.filter(outcome => outcome === '{"type":"authenticated"}').length, 1)
  assert.equal(outcomes.filter(outcome => outcome === '{"code":4401,"reason":"SALLY_TICKET_USED"}').length, 49)
})

test('a ticket in the query: events show the path alone', async t => {
  const { world, told } = await watched(t, { handshake: { ticket: { carrier: 'query' } } })
  const ticket = await world.ticket('ann-1')
  const socket = world.client({ sid: 'ann-1', path: `/ws?room=7&ticket=${ticket}` })
  await once(socket, 'open')
  const again = await refusalOf(world.client({ sid: 'ann-1', path: `/ws?ticket=${ticket}` }))
  assert.equal(again.body, '{"code":"SALLY_TICKET_USED"}')
  for (const query of [`ticket=${ticket}&ticket=${ticket}`, 'ticket=', `Ticket=${ticket}`, `ticket[]=${ticket}`]) {
    assert.match(
      (await refusalOf(world.client({ sid: 'ann-1', path: `/ws?${query}` }))).body,
      /SALLY_TICKET_(?:INVALID|MISSING)/,
    )
  }
  // Encoded by the attacker: the log must not show it either.
  await refusalOf(world.client({ sid: 'ann-1', path: `/ws%3fticket=${ticket}` }))
  socket.close()
  await world.event(({ kind }) => kind === 'close')
  const uris = new Set(world.events.flatMap(({ request_uri }) => request_uri ?? []))
  assert.deepEqual([...uris].toSorted(), ['/.sallyport/ticket', '/ws'])
  assert.ok(!told().includes(ticket.slice(0, 40)) && !told().includes('room=7'))
})

const strangers: readonly [name: string, first: string | Buffer, reason: string][] = [
  ['a message before authentication', '{"type":"chat","message":"hi"}', 'SALLY_AUTHENTICATION_FIRST'],
  ['binary first', Buffer.from('{"type":"auth","csrfToken":"x"}'), 'SALLY_AUTHENTICATION_FIRST'],
  ['empty', '', 'SALLY_AUTHENTICATION_FIRST'],
  ['not JSON', 'auth', 'SALLY_AUTHENTICATION_FIRST'],
  ['a key beside the two', '{"type":"auth","csrfToken":"x","admin":true}', 'SALLY_AUTHENTICATION_FIRST'],
  ['a token twice', '{"type":"auth","csrfToken":"x","csrfToken":"y"}', 'SALLY_AUTHENTICATION_FIRST'],
  ['a token that is no text', '{"type":"auth","csrfToken":7}', 'SALLY_AUTHENTICATION_FIRST'],
  ['a wrong token', '{"type":"auth","csrfToken":"x"}', 'SALLY_TICKET_INVALID'],
  [
    'one byte above the small bound',
    `{"type":"auth","csrfToken":"x"}${' '.repeat(4096 - 30)}`,
    'SALLY_MESSAGE_TOO_BIG',
  ],
]
test('first message: what is not the authentication ends the connection, unhandled and unanswered', async t => {
  const { world } = await watched(t, {
    handshake: { ticket: { carrier: 'first-message' }, connections: { perUser: 100 } },
  })
  for (const [name, first, reason] of strangers) {
    const socket = world.client({ sid: 'ann-1' })
    await once(socket, 'open')
    let got = 0
    socket.on('message', () => got++)
    socket.send(first)
    socket.send('{"type":"chat","message":"behind it"}')
    const closed = await closeOf(socket)
    if (reason === 'SALLY_MESSAGE_TOO_BIG')
      assert.ok(closed.code === 1009 || closed.code === 4401, `${name}: ${closed.code}`)
    else assert.deepEqual(closed, { code: 4401, reason }, name)
    assert.equal(got, 0, name)
  }
  assert.equal(world.handled.length, 0)
  const socket = world.client({ sid: 'ann-1' })
  await once(socket, 'open')
  const answers = nextTexts(socket, 2)
  const auth = JSON.stringify({ type: 'auth', csrfToken: await world.ticket('ann-1') })
  // Exactly at the bound, and a message right behind it waits its turn.
  socket.send(auth + ' '.repeat(4096 - auth.length))
  socket.send('{"type":"chat","message":"hi"}')
  assert.deepEqual(await answers, ['{"type":"authenticated"}', '{"type":"chat","message":"echo hi"}'])
})

test('first message: who says nothing, or only pings, is closed at the deadline', async t => {
  const { world } = await watched(t, {
    handshake: { ticket: { carrier: 'first-message' } },
    lifetime: { authentication: { deadline: 1000 } },
  })
  const silent = world.client({ sid: 'ann-1' })
  const pinging = world.client({ sid: 'ann-1' })
  pinging.on('open', () => {
    for (let index = 0; index < 5; index++) pinging.ping()
  })
  for (const closed of await Promise.all([closeOf(silent), closeOf(pinging)])) {
    assert.deepEqual(closed, { code: 4401, reason: 'SALLY_AUTHENTICATION_DEADLINE' })
  }
})
