import assert from 'node:assert/strict'
import { afterEach, describe, it, mock } from 'node:test'
import { WebSocket as WsClient } from 'ws'
import {
  connect,
  type Connection,
  type ConnectOptions,
  type Lifecycle,
  type TypedMessage,
} from '../../src/client/index.ts'
import { FakeSocket, fakeSockets, settle } from './fake-socket.ts'
import { startTicketServer, type TicketServer } from './ticket-server.ts'

type Out = { readonly type: 'say'; readonly text: string } | { readonly type: 'leave' }
type In = { readonly type: 'chat'; readonly text: string } | { readonly type: 'gone'; readonly who: string }

const QUICK = { min: 1, max: 1 }
const URL_ = 'wss://app.company.com/ws'
const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

const serve = async (options: Parameters<typeof startTicketServer>[0] = {}): Promise<TicketServer> => {
  const server = await startTicketServer(options)
  closing.push(() => server.close())
  return server
}
const open = (url: string, options: ConnectOptions = {}): Connection<Out, In> => {
  const connection = connect<Out, In>(url, { backoff: QUICK, ...options })
  closing.push(() => connection.close())
  return connection
}
const next = <Name extends keyof Lifecycle>(connection: Connection<Out, In>, name: Name): Promise<Lifecycle[Name]> =>
  new Promise(resolve => {
    const off = connection.when(name, what => {
      off()
      resolve(what)
    })
  })
const said = (connection: Connection<Out, In>): Promise<In> => new Promise(resolve => connection.onMessage(resolve))

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

describe('the ticket endpoint', () => {
  for (const { row, status, headers, event } of [
    { row: '401: sign in', status: 401, event: 'signin' },
    { row: '302 to a login page: sign in', status: 302, headers: { Location: '/login' }, event: 'signin' },
    { row: '403: stop', status: 403, event: 'stop' },
    { row: '404: the client is configured for tickets and the server is not', status: 404, event: 'error' },
    { row: '405: something else answers there', status: 405, event: 'error' },
  ] as const)
    it(row, async () => {
      const server = await serve({ answer: () => (headers ? { status, headers } : { status }) })
      const connection = open(server.url)
      const what = await next(connection, event)
      if (what) assert.deepEqual(what, { code: status })
      assert.equal(connection.state, 'closed')
      assert.equal(server.asked.length, 1, 'a redirect is not followed, and nothing is tried again')
      assert.equal(server.handshakes.length, 0)
    })

  for (const { row, answer, atLeast, below } of [
    {
      row: '429 with Retry-After: 7 waits 7 s',
      answer: { status: 429, headers: { 'Retry-After': '7' } },
      atLeast: 7000,
      below: 7002,
    },
    {
      row: '503 with Retry-After: 2 waits 2 s',
      answer: { status: 503, headers: { 'Retry-After': '2' } },
      atLeast: 2000,
      below: 2002,
    },
    { row: '503 backs off', answer: { status: 503 }, atLeast: 0, below: 2 },
    {
      row: 'a Retry-After of years waits an hour',
      answer: { status: 429, headers: { 'Retry-After': '99999999999' } },
      atLeast: 3_600_000,
      below: 3_600_002,
    },
    {
      row: 'a negative Retry-After waits as usual',
      answer: { status: 429, headers: { 'Retry-After': '-5' } },
      atLeast: 0,
      below: 2,
    },
    {
      row: 'a Retry-After that is no number waits as usual',
      answer: { status: 429, headers: { 'Retry-After': 'soon' } },
      atLeast: 0,
      below: 2,
    },
    { row: '200 without a ticket backs off', answer: { status: 200, body: '{}' }, atLeast: 0, below: 2 },
    { row: '200 with an empty ticket backs off', answer: { status: 200, body: '{"ticket":""}' }, atLeast: 0, below: 2 },
    { row: '200 with null backs off', answer: { status: 200, body: 'null' }, atLeast: 0, below: 2 },
    { row: '200 with a page backs off', answer: { status: 200, body: '<html>' }, atLeast: 0, below: 2 },
  ])
    it(row, async () => {
      const server = await serve({ answer: () => answer })
      const connection = open(server.url)
      const { delayMs } = await next(connection, 'retry')
      connection.close()
      assert.ok(delayMs >= atLeast && delayMs < below, `${delayMs} ms`)
      assert.equal(server.handshakes.length, 0)
    })

  it('one that cannot be reached is tried again until it can', async () => {
    const server = await serve()
    let failures = 0
    const connection = open(server.url, {
      fetch: async (url, init) => {
        if (failures++ < 3) throw new TypeError('fetch failed')
        return fetch(url, init)
      },
    })
    await next(connection, 'open')
    assert.equal(failures, 4)
  })

  it('is asked with the cookie of the own origin alone, and never from a cache', async () => {
    let seen: RequestInit | undefined
    const connection = open('wss://app.company.com/ws', {
      fetch: async (_url, init) => {
        seen = init
        return new Response(null, { status: 401 })
      },
    })
    await next(connection, 'signin')
    assert.equal(seen?.method, 'POST')
    assert.equal(seen?.credentials, 'same-origin')
    assert.equal(seen?.redirect, 'manual')
    assert.equal(seen?.cache, 'no-store')
  })

  for (const { row, ticket, event } of [
    { row: "the app's source answers null: sign in", ticket: () => null, event: 'signin' },
    {
      row: "the app's source throws: back off",
      ticket: () => {
        throw new Error('x')
      },
      event: 'retry',
    },
    {
      row: "the app's source rejects: back off",
      ticket: async () => {
        throw new Error('x')
      },
      event: 'retry',
    },
  ] as const)
    it(row, async () => {
      const { WebSocket, made } = fakeSockets()
      const connection = open('wss://app.company.com/ws', { ticket, WebSocket })
      await next(connection, event)
      assert.equal(made.length, 0)
    })
})

const define = (name: string, value: unknown): void => {
  Object.defineProperty(globalThis, name, { value, configurable: true })
}
const openFake = async (options: ConnectOptions = {}) => {
  const { WebSocket, made } = fakeSockets()
  const connection = open(URL_, { ticket: false, WebSocket, ...options })
  await settle()
  return { connection, made }
}

describe('messages', () => {
  for (const { row, data } of [
    { row: 'no JSON', data: 'hello' },
    { row: 'a number', data: '1' },
    { row: 'null', data: 'null' },
    { row: 'an array', data: '[{"type":"chat"}]' },
    { row: 'no type', data: '{"text":"x"}' },
    { row: 'a type that is no string', data: '{"type":1}' },
    { row: 'binary', data: new TextEncoder().encode('{"type":"chat"}') },
    { row: 'a Buffer that reads as JSON', data: Buffer.from('{"type":"chat"}') },
    { row: 'a list of Buffers', data: ['{"type":"chat"}'] },
  ])
    it(`${row} reaches no listener and is counted`, async () => {
      const { connection, made } = await openFake()
      let heard = 0
      connection.onMessage(() => heard++)
      made[0]?.accept()
      made[0]?.sayRaw(data)
      assert.equal(heard, 0)
      assert.equal(connection.ignored, 1)
    })

  it('lifecycle events and messages of the same name never meet', async () => {
    const { WebSocket, made } = fakeSockets()
    const connection = connect<TypedMessage, { readonly type: 'open' } | { readonly type: '' }>(URL_, {
      ticket: false,
      WebSocket,
    })
    closing.push(() => connection.close())
    const heard: string[] = []
    connection.on('open', () => heard.push('message open'))
    connection.on('', () => heard.push('message of empty type'))
    connection.when('open', () => heard.push('lifecycle open'))
    await settle()
    made[0]?.accept()
    made[0]?.say({ type: 'open' })
    made[0]?.say({ type: '' })
    made[0]?.say({ type: 'constructor' })
    assert.deepEqual(heard, ['lifecycle open', 'message open', 'message of empty type'])
  })

  it('an error reply is a denied event, not a message', async () => {
    const { connection, made } = await openFake()
    const heard: string[] = []
    connection.onMessage(() => heard.push('message'))
    connection.when('denied', ({ code }) => heard.push(code))
    made[0]?.accept()
    made[0]?.say({ type: 'error', code: 'SALLY_MESSAGE_INVALID' })
    assert.deepEqual(heard, ['SALLY_MESSAGE_INVALID'])
    assert.equal(connection.state, 'open')
  })

  it('an unsubscribed listener is not called, and one that throws keeps nothing from the others', async () => {
    const { connection, made } = await openFake()
    const heard: string[] = []
    const off = connection.on('chat', () => heard.push('gone'))
    connection.on('chat', () => {
      throw new Error('of a listener')
    })
    connection.on('chat', ({ text }) => heard.push(text))
    off()
    off()
    made[0]?.accept()
    const later: (() => void)[] = []
    const schedule = mock.method(globalThis, 'setTimeout', (call: () => void) => later.push(call))
    made[0]?.say({ type: 'chat', text: 'x' })
    schedule.mock.restore()
    assert.deepEqual(heard, ['x'])
    assert.equal(later.length, 1)
    assert.throws(() => later[0]?.(), /of a listener/, 'the host reports it')
  })

  it('send answers false while there is no connection, and true when it went out', async () => {
    const { connection, made } = await openFake()
    assert.equal(connection.send({ type: 'leave' }), false)
    made[0]?.accept()
    assert.equal(connection.send({ type: 'leave' }), true)
    assert.deepEqual(made[0]?.sent, ['{"type":"leave"}'])
  })

  it('send answers false to a socket that is closing, and to one whose peer does not read', async () => {
    const { connection, made } = await openFake()
    const [socket] = made
    assert.ok(socket)
    socket.accept()
    for (const [buffered, expected] of [
      [2 ** 20 - 1, true],
      [2 ** 20, true],
      [2 ** 20 + 1, false],
    ] as const) {
      socket.bufferedAmount = buffered
      assert.equal(connection.send({ type: 'leave' }), expected)
    }
    socket.bufferedAmount = 0
    socket.readyState = 2
    assert.equal(connection.send({ type: 'leave' }), false)
  })

  for (const { row, sends, expected } of [
    { row: 'one below', sends: 1, expected: [true] },
    { row: 'at', sends: 2, expected: [true, true] },
    { row: 'one above', sends: 3, expected: [true, true, false] },
  ])
    it(`the queue keeps ${row} its bound, and sends in order`, async () => {
      const { connection, made } = await openFake({ queue: 2 })
      const answers = Array.from({ length: sends }, (_, nth) => connection.send({ type: 'say', text: `${nth}` }))
      assert.deepEqual(answers, expected)
      made[0]?.accept()
      assert.deepEqual(
        made[0]?.sent.map(text => JSON.parse(text).text),
        expected.filter(Boolean).map((_, nth) => `${nth}`),
      )
    })

  for (const [code, event] of [
    [4401, 'signin'],
    [4403, 'stop'],
    [1002, 'error'],
  ] as const)
    it(`what was kept is forgotten at ${event}: it is not sent in another user's name`, async () => {
      const { connection, made } = await openFake({ queue: 2, backoff: { min: 1_000_000, max: 1_000_000 } })
      connection.send({ type: 'say', text: 'of the first user' })
      made[0]?.end(code)
      assert.equal(connection.state, 'closed')
      assert.equal(connection.send({ type: 'leave' }), false)
      connection.open()
      await settle()
      made[1]?.accept()
      assert.deepEqual(made[1]?.sent, [])
    })
})

describe('resting', () => {
  it('the next send connects again, and its message goes out though nothing is queued by default', async () => {
    const { WebSocket, made } = fakeSockets()
    const connection = open(URL_, { ticket: false, WebSocket })
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
    const connection = open(URL_, { ticket: () => ticket.promise, WebSocket })
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
    const connection = open(URL_, { ticket: () => tickets[asked++]?.promise ?? null, WebSocket })
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
    const connection = open(URL_, { ticket: false, WebSocket })
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
    const connection = open(URL_, { ticket: false, WebSocket })
    connection.open()
    await settle()
    connection.open()
    made[0]?.accept()
    connection.open()
    await settle()
    assert.equal(made.length, 1)
  })

  it('a listener of close that closes for good is obeyed', async () => {
    const { WebSocket, made } = fakeSockets()
    const connection = open(URL_, { ticket: false, WebSocket })
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
        const connection = open(URL_, { ticket: () => 'token', carrier: 'first-message', WebSocket })
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
    const connection = open(URL_, { ticket: () => 'SECRET-TOKEN', WebSocket: Strict })
    const names = ['state', 'open', 'close', 'retry', 'signin', 'idle', 'denied', 'stop', 'error'] as const
    for (const name of names) connection.when(name, (what: unknown) => told.push(name, what))
    await next(connection, 'error')
    for (const spy of spies) spy.mock.restore()
    assert.deepEqual(told, ['state', 'closed', 'error', { code: 0 }])
  })
})

const withPage = async (
  visibility: string,
  run: (page: EventTarget, tab: EventTarget) => Promise<void>,
): Promise<void> => {
  const page = new EventTarget()
  const tab = Object.assign(new EventTarget(), { visibilityState: visibility })
  define('addEventListener', page.addEventListener.bind(page))
  define('removeEventListener', page.removeEventListener.bind(page))
  define('document', tab)
  try {
    await run(page, tab)
  } finally {
    for (const name of ['addEventListener', 'removeEventListener', 'document']) Reflect.deleteProperty(globalThis, name)
  }
}

describe('coming online', () => {
  const LONG = { min: 1_000_000, max: 1_000_000 }

  it('leaves no listener on the page when it ends', () =>
    withPage('visible', async (page, tab) => {
      const removed = [page, tab].map(target => mock.method(target, 'removeEventListener'))
      define('removeEventListener', page.removeEventListener.bind(page))
      const { WebSocket } = fakeSockets()
      connect(URL_, { ticket: false, WebSocket }).close()
      assert.deepEqual(
        removed.map(({ mock: { calls } }) => calls.map(({ arguments: [name] }) => name)),
        [['online'], ['visibilitychange']],
      )
    }))

  for (const { row, visibility, event, code, expected } of [
    { row: 'tries at once', visibility: 'visible', event: 'online', code: 1006, expected: 2 },
    {
      row: 'tries at once when the tab is looked at again',
      visibility: 'visible',
      event: 'visibilitychange',
      code: 1006,
      expected: 2,
    },
    { row: 'does not try in a hidden tab', visibility: 'hidden', event: 'visibilitychange', code: 1006, expected: 1 },
    {
      row: 'does not shorten a wait that the server asked for',
      visibility: 'visible',
      event: 'online',
      code: 1013,
      expected: 1,
    },
    { row: 'does not revive what is over', visibility: 'visible', event: 'online', code: 4401, expected: 1 },
    { row: 'does not wake what rests', visibility: 'visible', event: 'online', code: 4408, expected: 1 },
  ])
    it(row, () =>
      withPage(visibility, async (page, tab) => {
        const { WebSocket, made } = fakeSockets()
        const connection = open(URL_, { ticket: false, WebSocket, backoff: LONG })
        await settle()
        made[0]?.accept()
        made[0]?.end(code)
        ;(event === 'online' ? page : tab).dispatchEvent(new Event(event))
        await settle()
        assert.equal(made.length, expected)
        connection.close()
        page.dispatchEvent(new Event('online'))
        await settle()
        assert.equal(made.length, expected)
      }),
    )
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
    connection.when('chat', () => {})
  })
})
