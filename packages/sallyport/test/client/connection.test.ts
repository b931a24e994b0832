import assert from 'node:assert/strict'
import { describe, it, mock } from 'node:test'
import { WebSocket as WsClient } from 'ws'
import { APP_URL, next, open, openFake, said, serve } from './client-fixtures.ts'
import { FakeSocket, fakeSockets, settle } from './fake-socket.ts'

describe('the carriers', () => {
  for (const [row, WebSocket] of [
    ['the WebSocket of Node', undefined],
    ['the WebSocket of ws', WsClient],
  ] as const)
    it(`subprotocol, by ${row}: a ticket for the path, offered beside the protocol, in no URL, never echoed`, async () => {
      const server = await serve({
        serve: socket => socket.send(JSON.stringify({ type: 'chat', text: socket.protocol })),
      })
      const connection = open(server.url, WebSocket ? { WebSocket } : {})
      assert.deepEqual(await said(connection), { type: 'chat', text: 'sallyport.v1' })
      assert.deepEqual(server.asked, ['POST /.sallyport/ticket?path=%2Fws'])
      assert.equal(
        server.handshakes[0]?.offered.replaceAll(' ', ''),
        `sallyport.v1,sallyport.ticket.${server.tickets[0]}`,
      )
      assert.equal(server.handshakes[0]?.target, '/ws')
    })

  it('query: in the URL, and nowhere else', async () => {
    const server = await serve()
    const connection = open(`${server.url}?room=1`, { carrier: 'query', parameter: 'csrf' })
    await next(connection, 'open')
    assert.equal(server.handshakes[0]?.target, `/ws?room=1&csrf=${server.tickets[0]}`)
    assert.equal(server.handshakes[0]?.offered, 'sallyport.v1')
  })

  it('first-message: open comes after the server has said authenticated, and nothing of the app before it', async () => {
    const received: string[] = []
    const server = await serve({
      serve: socket => {
        socket.send(JSON.stringify({ type: 'chat', text: 'too early' }))
        socket.on('message', (data: Buffer) => {
          received.push(data.toString())
          if (received.length === 1) socket.send('{"type":"authenticated"}')
          else socket.send(JSON.stringify({ type: 'chat', text: 'heard' }))
        })
      },
    })
    const connection = open(server.url, { carrier: 'first-message', queue: 1 })
    const heard: string[] = []
    connection.onMessage(message => heard.push(message.type))
    assert.equal(connection.send({ type: 'say', text: 'kept' }), true)
    await next(connection, 'open')
    await said(connection)
    assert.deepEqual(received, [
      JSON.stringify({ type: 'auth', csrfToken: server.tickets[0] }),
      JSON.stringify({ type: 'say', text: 'kept' }),
    ])
    assert.deepEqual(heard, ['chat'], 'what came before authentication is dropped')
    assert.equal(connection.ignored, 1)
    assert.doesNotMatch(JSON.stringify(server.handshakes), /TICKET/)
  })

  it("none: the app's cookie is not ambient, no endpoint is asked", async () => {
    const server = await serve()
    await next(open(server.url, { ticket: false }), 'open')
    assert.deepEqual(server.asked, [])
    assert.equal(server.handshakes[0]?.offered, 'sallyport.v1')
  })

  it("the app's own token, with characters that no subprotocol has, comes encoded", async () => {
    const server = await serve()
    await next(open(server.url, { ticket: async () => 'a/b=(c) "ü"' }), 'open')
    assert.deepEqual(server.asked, [])
    assert.equal(server.handshakes[0]?.offered.split(',')[1]?.trim(), 'sallyport.ticket.a%2Fb%3D%28c%29%20%22%C3%BC%22')
  })
})

describe('every attempt has its own ticket', () => {
  it('a dropped connection comes back with a new one, and listeners stay', async () => {
    const server = await serve({
      serve: (socket, _request, nth) => {
        if (nth < 3) socket.terminate()
        else socket.send(JSON.stringify({ type: 'chat', text: 'here' }))
      },
    })
    const connection = open(server.url)
    const texts: string[] = []
    connection.on('chat', ({ text }) => texts.push(text))
    await said(connection)
    assert.deepEqual(texts, ['here'])
    assert.equal(new Set(server.tickets).size, 3)
    assert.equal(server.handshakes.length, 3)
  })
})

describe('resting', () => {
  it('the next send connects again, and its message goes out though nothing is queued by default', async () => {
    const { WebSocket, made } = fakeSockets()
    const connection = open(APP_URL, { ticket: false, WebSocket })
    await settle()
    made[0]?.accept()
    made[0]?.end(4408, 'SALLY_IDLE')
    await settle()
    assert.equal(connection.state, 'resting')
    assert.equal(made.length, 1)
    assert.equal(connection.send({ type: 'say', text: 'awake' }), true)
    assert.equal(connection.state, 'connecting')
    assert.equal(connection.send({ type: 'leave' }), false)
    await settle()
    made[1]?.accept()
    assert.deepEqual(made[1]?.sent, ['{"type":"say","text":"awake"}'])
  })
})

describe('an attempt that is over', () => {
  it('close while the ticket is under way: no handshake follows', async () => {
    const { WebSocket, made } = fakeSockets()
    const ticket = Promise.withResolvers<string>()
    const connection = open(APP_URL, { ticket: () => ticket.promise, WebSocket })
    connection.close()
    ticket.resolve('late')
    await settle()
    assert.equal(made.length, 0)
    assert.equal(connection.state, 'closed')
  })

  it('close and open while the ticket is under way: one handshake, with the later ticket', async () => {
    const { WebSocket, made } = fakeSockets()
    const tickets = [Promise.withResolvers<string>(), Promise.withResolvers<string>()]
    let asked = 0
    const connection = open(APP_URL, { ticket: () => tickets[asked++]?.promise ?? null, WebSocket })
    connection.close()
    connection.open()
    tickets[1]?.resolve('second')
    await settle()
    tickets[0]?.resolve('first')
    await settle()
    assert.deepEqual(
      made.map(socket => socket.protocols[1]),
      ['sallyport.ticket.second'],
    )
  })

  it('an old socket is not heard any more', async () => {
    const { WebSocket, made } = fakeSockets()
    const connection = open(APP_URL, { ticket: false, WebSocket })
    const heard: string[] = []
    connection.onMessage(message => heard.push(message.type))
    await settle()
    made[0]?.accept()
    connection.close()
    assert.equal(made[0]?.closedWith, 1000)
    connection.open()
    await settle()
    made[0]?.say({ type: 'chat' })
    made[0]?.end(4401)
    made[1]?.accept()
    assert.equal(connection.state, 'open')
    assert.deepEqual(heard, [])
  })

  it('open twice makes one connection', async () => {
    const { WebSocket, made } = fakeSockets()
    const connection = open(APP_URL, { ticket: false, WebSocket })
    connection.open()
    await settle()
    connection.open()
    made[0]?.accept()
    connection.open()
    await settle()
    assert.equal(made.length, 1)
  })

  it('a listener of close that closes permanently is obeyed', async () => {
    const { WebSocket, made } = fakeSockets()
    const connection = open(APP_URL, { ticket: false, WebSocket })
    connection.when('close', () => connection.close())
    await settle()
    made[0]?.end(1006)
    assert.equal(connection.state, 'closed')
  })

  for (const [row, accepts] of [
    ['a handshake that hangs', false],
    ['a first message that nobody answers', true],
  ] as const)
    it(`${row} is given up after 15 s`, async () => {
      mock.timers.enable({ apis: ['setTimeout'] })
      try {
        const { WebSocket, made } = fakeSockets()
        const connection = open(APP_URL, { ticket: () => 'token', carrier: 'first-message', WebSocket })
        await settle()
        if (accepts) made[0]?.accept()
        mock.timers.tick(14_999)
        assert.equal(connection.state, 'connecting')
        mock.timers.tick(1)
        assert.equal(connection.state, 'waiting')
        assert.equal(made[0]?.closedWith, 1000)
        connection.close()
      } finally {
        mock.timers.reset()
      }
    })

  it('a WebSocket that refuses its arguments ends it, and the ticket that it quotes goes nowhere', async () => {
    const Strict = class extends FakeSocket {
      constructor(url: string, protocols: string[] = []) {
        super(url)
        throw new SyntaxError(`The subprotocol '${protocols.at(-1)}' is invalid.`)
      }
    }
    const told: unknown[] = []
    const spies = (['log', 'info', 'warn', 'error', 'debug'] as const).map(name =>
      mock.method(console, name, (...all: unknown[]) => told.push(all)),
    )
    const connection = open(APP_URL, { ticket: () => 'SECRET-TOKEN', WebSocket: Strict })
    const names = ['state', 'open', 'close', 'retry', 'signin', 'idle', 'denied', 'stop', 'error'] as const
    for (const name of names) connection.when(name, (what: unknown) => told.push(name, what))
    await next(connection, 'error')
    for (const spy of spies) spy.mock.restore()
    assert.deepEqual(told, ['state', 'closed', 'error', { code: 0 }])
  })
})

describe('types', () => {
  it('Out and In are told apart by type', async () => {
    const { connection, made } = await openFake()
    made[0]?.accept()
    connection.on('chat', ({ text }) => text.toUpperCase())
    connection.when('close', ({ code, reason }) => code.toFixed() + reason.length)
    assert.equal(connection.send({ type: 'say', text: 'x' }), true)
    // @ts-expect-error -- no such message comes in
    connection.on('say', () => {})
    // @ts-expect-error -- a chat has no `who`
    connection.on('chat', ({ who }) => who)
    // @ts-expect-error -- the text is missing
    connection.send({ type: 'say' })
    // @ts-expect-error -- no such message goes out
    connection.send({ type: 'chat', text: 'x' })
    // @ts-expect-error -- a message is no lifecycle event
    assert.throws(() => connection.when('chat', () => {}), TypeError)
  })
})
