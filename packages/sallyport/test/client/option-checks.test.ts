import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import { connect } from '../../src/client/index.ts'
import { show } from '../../src/shape/shown.ts'
import { fakeSockets } from './fake-socket.ts'

const { WebSocket } = fakeSockets()
const URL_OF_APP = 'ws://localhost:8080/ws'
/** As the head of a JWT begins, which says only how it is signed. */
const TOKEN = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0'
const quiet = { WebSocket, ticket: false } as const
const circular: { type: string; self?: object } = { type: 'chat' }
circular.self = circular

const OPTIONS: readonly (readonly [name: string, options: unknown, message: RegExp])[] = [
  ['null', null, /^options is null; write \{ … \}$/],
  ['a bare path', '/ticket', /^options is \/ticket; write \{ … \}/],
  ['a list', [quiet], /^'0' is none of/],
  ['options that are still to come', Promise.resolve(quiet), /^options is \[object Promise\]; write/],
  ['a misspelt key', { tickets: '/t' }, /^'tickets' is none of ticket,carrier,parameter,/],
  ['an option of another library', { reconnect: true }, /^'reconnect' is none of/],
  ['an inherited name', { valueOf: 1 }, /^'valueOf' is none of/],
  ['a ticket that is true', { ticket: true }, /^ticket is true; write a path, a function or false/],
  ['an empty ticket path', { ticket: '' }, /^ticket is ;/],
  ['a ticket path without its slash', { ticket: 'ticket' }, /^ticket is ticket;/],
  ['a ticket that is still to come', { ticket: Promise.resolve('t') }, /^ticket is \[object Promise\]/],
  [
    'a misspelt carrier',
    { carrier: 'subprotcol' },
    /^carrier is subprotcol; write subprotocol, first-message or query/,
  ],
  ['a cookie as carrier', { carrier: 'cookie' }, /^carrier is cookie/],
  ['a parameter without a name', { parameter: '' }, /^parameter is ; write a name/],
  ['a bare protocol', { protocols: 'chat.v1' }, /^protocols is chat\.v1; write a list of names/],
  ['a protocol that no WebSocket takes', { protocols: ['chat v1'] }, /^protocols is chat v1;/],
  ['no protocols at all', { protocols: null }, /^protocols is null/],
  ['a bare back-off', { backoff: 500 }, /^backoff is 500; write \{ … \}/],
  ['null as back-off', { backoff: null }, /^backoff is null/],
  ['a misspelt back-off', { backoff: { minimum: 5 } }, /^'minimum' is none of min,max/],
  ['a back-off as text', { backoff: { min: '500' } }, /^min is 500; write a number of ms/],
  ['a back-off before now', { backoff: { max: -1 } }, /^max is -1/],
  ['a queue as text', { queue: '5' }, /^queue is 5; write a number/],
  ['a queue without a bound', { queue: Infinity }, /^queue is Infinity/],
  ['a queue below nothing', { queue: -1 }, /^queue is -1/],
  ['half a message in the queue', { queue: 0.5 }, /^queue is 0\.5/],
  ['a discriminator without a name', { discriminator: '' }, /^discriminator is ; write a name/],
  ['a discriminator that is a function', { discriminator: () => 'event' }, /^discriminator is \(\)/],
  ['binary by the name of a type', { binary: 'arraybuffer' }, /^binary is arraybuffer; write true or false/],
  ['a heartbeat that is true', { heartbeat: true }, /^heartbeat is true; write false or \{ … \}/],
  ['a heartbeat that is a time', { heartbeat: 20_000 }, /^heartbeat is 20000/],
  ['a misspelt heartbeat', { heartbeat: { interval: 5 } }, /^'interval' is none of text,reply,after,within,awake/],
  ['a heartbeat without its answer', { heartbeat: { text: 'ping' } }, /write both text and reply/],
  ['an answer to no heartbeat', { heartbeat: { reply: 'pong' } }, /write both text and reply/],
  ['an empty heartbeat', { heartbeat: { text: '', reply: 'pong' } }, /^text is ; write a text of 1 to 64 bytes/],
  [
    'a heartbeat that is too long',
    { heartbeat: { text: 'x'.repeat(65), reply: 'pong' } },
    /^text is string of 65; write/,
  ],
  ['a ticket itself for its path', { ticket: TOKEN }, /^ticket is string of 36; write a path, a function or false$/],
  ['a bare protocol that has a token', { protocols: TOKEN }, /^protocols is string of 36; write a list of names$/],
  ['a list of options that has a token', { backoff: [TOKEN] }, /^backoff is object of 36; write \{ … \}$/],
  ['a token for the name of an option', { [TOKEN]: 1 }, /^'eyJhbGciOiJIUzI1NiJ9\.eyJ' is none of/],
  ['a wait as text', { heartbeat: { within: '8000' } }, /^within is 8000; write a number of ms/],
  ['a wait of the past', { heartbeat: { after: -1 } }, /^after is -1/],
  ['a danger as text', { dangerouslyCrossOrigin: 'true' }, /^dangerouslyCrossOrigin is true; write true or false/],
  ['an invalid WebSocket', { WebSocket: 'ws' }, /^WebSocket is ws; write a function/],
  ['an invalid fetch', { fetch: null }, /^fetch is null/],
]

describe('options of connect', () => {
  for (const [name, options, message] of OPTIONS)
    it(`${name} is an error before anything is asked for`, () => {
      const given = typeof options === 'object' && options?.constructor === Object ? { ...quiet, ...options } : options
      assert.throws(() => connect(URL_OF_APP, given as never), { name: 'TypeError', message })
    })

  for (const options of [
    { ticket: '/t' },
    { ticket: 'https://localhost:8080/t', dangerouslyCrossOrigin: true },
    { ticket: () => null },
    { protocols: [] },
    { protocols: ['chat.v1', 'graphql-transport-ws'] },
    { backoff: {}, queue: 0, parameter: undefined, dangerouslyCrossOrigin: false },
    { backoff: { min: 0, max: 1 } },
    { carrier: 'query', parameter: 'csrf' },
    { discriminator: 'event', binary: true },
    { heartbeat: false },
    { heartbeat: { after: 1, within: 2, awake: 3 } },
    { heartbeat: { text: 'x'.repeat(64), reply: '\n' } },
  ])
    it(`${Object.keys(options).join(', ')} as documented are taken: ${show(options)}`, () => {
      const fetch = async (): Promise<Response> => new Response(null, { status: 403 })
      connect(URL_OF_APP, { ...quiet, fetch, ...options } as never).close()
    })
})

describe('urls of connect', () => {
  afterEach(() => void Reflect.deleteProperty(globalThis, 'location'))

  for (const page of [undefined, 'http://localhost:8080/'])
    for (const url of [undefined, null, '', 5, {}, Promise.resolve('/ws')])
      it(`${show(url)} ${page ? 'on a page' : 'without a page'} is an error, and no path of that name`, () => {
        if (page) Object.defineProperty(globalThis, 'location', { value: { href: page }, configurable: true })
        assert.throws(() => connect(url as never, quiet), {
          name: 'TypeError',
          message: /no url; write 'wss:\/\/host\/path'/,
        })
      })

  it('a path without a page is an error that says what to write', () => {
    assert.throws(() => connect('/ws', quiet), { name: 'TypeError', message: /write 'wss:\/\/host\/path'/ })
  })
})

describe('what is called of a connection', () => {
  for (const [name, message] of [
    ['nothing', undefined],
    ['null', null],
    ['text', 'hello'],
    ['a number', 5],
    ['a list', [{ type: 'chat' }]],
    ['a function', () => undefined],
    ['a symbol', Symbol('chat')],
    ['an object of nothing', {}],
    ['a message that is still to come', Promise.resolve({ type: 'chat' })],
    ['a bigint in a message', { type: 'chat', n: 5n }],
    ['a message that holds itself', circular],
  ] as const)
    it(`send of ${name} throws, and nothing is kept`, () => {
      const connection = connect(URL_OF_APP, { ...quiet, queue: 1 })
      try {
        assert.throws(() => connection.send(message as never), TypeError)
        assert.equal(connection.send({ type: 'chat' }), true, 'the queue had room for one')
      } finally {
        connection.close()
      }
    })

  it('an invalid listener, and the name of nothing that happens, are errors', () => {
    const connection = connect(URL_OF_APP, quiet)
    try {
      assert.throws(() => connection.on('chat', undefined as never), {
        name: 'TypeError',
        message: /no listener for 'chat'/,
      })
      assert.throws(() => connection.onMessage(5 as never), TypeError)
      assert.throws(() => connection.when('open', null as never), {
        name: 'TypeError',
        message: /no listener for 'open'/,
      })
      for (const name of ['opened', 'message', 'toString', undefined])
        assert.throws(() => connection.when(name as never, () => undefined), {
          name: 'TypeError',
          message: `'${name}' is none of state,open,close,retry,signin,idle,denied,stop,error`,
        })
    } finally {
      connection.close()
    }
  })
})
