import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test, type TestContext } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws'
import * as z from 'zod'
import { type Host, started } from './ws-host.ts'

const order = {
  type: 'object',
  properties: { type: { const: 'order' }, id: { type: 'integer' }, price: { type: 'number' } },
  required: ['type'],
}

/** A host whose listeners put what they hear into `heard`. */
async function listening(
  t: TestContext,
  message: object,
  upgrade = false,
  report: readonly string[] = [],
): Promise<Host & { readonly heard: string[] }> {
  const host = await started(t, { message: { schema: { order }, strikes: 1000, ...message }, report })
  const heard: string[] = []
  const wss = new WebSocketServer({
    ...(upgrade ? { noServer: true } : { server: host.server }),
    ...host.guard.ws(),
  } as ServerOptions)
  if (upgrade) host.server.on('upgrade', host.guard.upgrade(wss, '/'))
  wss.on('connection', socket => {
    socket.on('message', (data: Buffer) => {
      heard.push(String(data))
      socket.send('{"type":"heard"}')
    })
  })
  return Object.assign(host, { heard })
}

/** Sends texts one by one; each is heard or refused before the next. */
async function tell(socket: WebSocket, texts: readonly string[]): Promise<string[]> {
  const answers: string[] = []
  for (const text of texts) {
    const answered = once(socket, 'message') as Promise<[Buffer]>
    socket.send(text)
    const { code } = JSON.parse(String((await answered)[0])) as { code?: string }
    answers.push(code ?? 'heard')
  }
  return answers
}

const whole = [
  '{"type":"order","id":1,"price":1.50}',
  '{"type":"order","id":2,"price":2.50}',
  '{"type":"order","id":-0,"price":1e3}',
  ' {"price":0.10000000000000001,"type":"order"}\n',
  '{"type":"order","id":1.0,"price":1E-7}',
  '{"type": "order", "id": 9007199254740991}',
  '{"type":"order","id":3,"price":0.0000001}',
]
for (const upgrade of [false, true]) {
  test(`a listener hears each number as it was sent, byte for byte (${upgrade ? 'guard.upgrade' : 'guard.ws'})`, async t => {
    const host = await listening(t, {}, upgrade)
    const socket = await host.open()
    await tell(socket, [...whole, ...whole])
    assert.deepEqual(host.heard, [...whole, ...whole])
  })
}

test('where a field is stripped, the numbers that stay keep their digits', async t => {
  const host = await listening(t, {})
  const socket = await host.open()
  const texts = whole.map(text => text.replace('}', ',"admin":1e400}'.replace('1e400', '[1.0,{"x":-0}]')))
  assert.deepEqual(
    await tell(socket, texts),
    texts.map(() => 'heard'),
  )
  assert.deepEqual(
    host.heard,
    whole.map(text => text.replaceAll(/\s/g, '')),
  )
})

const lost = [
  '{"type":"order","id":9007199254740993}',
  '{"type":"order","id":-9223372036854775808}',
  '{"type":"order","price":0.1000000000000000055511151231257827}',
  '{"type":"order","price":1E400}',
  '{"type":"order","price":5e-325}',
  '{"type":"order","other":[{"deep":18446744073709551615}]}',
]
test('a number that JavaScript rounds is refused by field, whether its field is declared or not', async t => {
  const host = await listening(t, {})
  const socket = await host.open()
  assert.deepEqual(
    await tell(socket, lost),
    lost.map(() => 'SALLY_MESSAGE_NUMBER'),
  )
  assert.deepEqual(host.heard, [])
  const details = host.events.filter(({ code }) => code === 'SALLY_MESSAGE_NUMBER').map(({ detail }) => detail!)
  assert.deepEqual(
    details.map(detail => detail.split(':')[0]),
    ['/id', '/id', '/price', '/price', '/price', '/other/0/deep'],
  )
  assert.ok(
    details.every(detail => !/\d{5}/.test(detail)),
    'no number of the peer',
  )
})

test("bigIntegers 'text': a listener reads the digits as text; a stripped field changes nothing of it", async t => {
  const host = await listening(t, { format: { bigIntegers: 'text' } })
  const socket = await host.open()
  await tell(socket, [
    '{"type":"order","id":9007199254740993,"price":1.0}',
    '{"type":"order","id":7}',
    '{"type":"order","id":-9223372036854775808,"admin":true}',
  ])
  assert.deepEqual(host.heard, [
    '{"type":"order","id":"9007199254740993","price":1.0}',
    '{"type":"order","id":7}',
    '{"type":"order","id":"-9223372036854775808"}',
  ])
})

test("bigIntegers 'bigint': a listener hears the bytes; a stripped field leaves the digits", async t => {
  const host = await listening(t, { format: { bigIntegers: 'bigint' } })
  const socket = await host.open()
  await tell(socket, [
    '{ "type":"order","id":9007199254740993}',
    '{"type":"order","id":18446744073709551615,"admin":9007199254740995}',
  ])
  assert.deepEqual(host.heard, [
    '{ "type":"order","id":9007199254740993}',
    '{"type":"order","id":18446744073709551615}',
  ])
})

test('any message: numbers are judged where there is no schema too', async t => {
  const host = await listening(t, { schema: { dangerouslyAcceptAnyMessage: true }, format: { bigIntegers: 'text' } })
  const socket = await host.open()
  const answers = await tell(socket, ['{"id":9007199254740993,"n":[1.50]}', '{"id":99999999999999999999}'])
  assert.deepEqual(answers, ['heard', 'SALLY_MESSAGE_NUMBER'])
  assert.deepEqual(host.heard, ['{"id":"9007199254740993","n":[1.50]}'])
})

test('in report mode a listener hears each number as it was sent, whatever becomes of big integers', async t => {
  const texts = [
    '{"type":"order","id":9007199254740993}',
    '{"type":"order","id":1e400,"x":1}',
    '{"type":"order","id":1.0}',
  ]
  for (const schema of [{ order }, { dangerouslyAcceptAnyMessage: true }]) {
    for (const bigIntegers of ['refuse', 'text', 'bigint']) {
      const host = await listening(t, { schema, format: { bigIntegers } }, false, ['message/format', 'message/schema'])
      const socket = await host.open()
      await tell(socket, texts)
      assert.deepEqual(host.heard, texts)
    }
  }
})

test('with message/format off the bytes pass as they came', async t => {
  const host = await listening(t, { schema: { dangerouslyAcceptAnyMessage: true }, format: { dangerouslyOff: true } })
  const socket = await host.open()
  const texts = ['{"id":9007199254740993,"id":1e400}', ' [1.0]', 'no JSON']
  await tell(socket, texts)
  assert.deepEqual(host.heard, texts)
})

test('with message/format off and a rule of the app, what passes on is what the rule has seen', async t => {
  const seen: unknown[] = []
  const host = await listening(t, {
    schema: { dangerouslyAcceptAnyMessage: true },
    format: { dangerouslyOff: true },
    authorize: (_session: unknown, message: unknown) => seen.push(message) > 0,
  })
  const socket = await host.open()
  await tell(socket, ['{"role":"admin","role":"user"}', '{"role" : "user"}'])
  assert.deepEqual(host.heard, ['{"role":"user"}', '{"role" : "user"}'])
  assert.deepEqual(seen, [{ role: 'user' }, { role: 'user' }])
})

// ——— transforms ———

const made = {
  date: z.object({ type: z.literal('date'), v: z.coerce.date() }),
  bigint: z.object({ type: z.literal('bigint'), v: z.coerce.bigint() }),
  set: z.object({ type: z.literal('set'), v: z.array(z.number()).transform(list => new Set(list)) }),
  map: z.object({
    type: z.literal('map'),
    v: z.record(z.string(), z.number()).transform(all => new Map(Object.entries(all))),
  }),
  deep: z.object({
    type: z.literal('deep'),
    v: z.array(z.object({ at: z.string().transform(text => new URL(text)) })),
  }),
  nan: z.object({ type: z.literal('nan'), v: z.string().transform(Number) }),
  trim: z.object({ type: z.literal('trim'), v: z.string().trim(), n: z.number().default(1) }),
  inplace: z.object({
    type: z.literal('inplace'),
    v: z.unknown().transform(value => Object.assign(value as object, { seen: true })),
  }),
}
const sentTo: readonly [text: string, listener: string, value: unknown][] = [
  ['{"type":"date","v":"2026-01-01"}', 'SALLY_MESSAGE_VALUE', { type: 'date', v: new Date('2026-01-01') }],
  ['{"type":"bigint","v":"9007199254740993"}', 'SALLY_MESSAGE_VALUE', { type: 'bigint', v: 9007199254740993n }],
  ['{"type":"set","v":[1,2,2]}', 'SALLY_MESSAGE_VALUE', { type: 'set', v: new Set([1, 2]) }],
  ['{"type":"map","v":{"a":1}}', 'SALLY_MESSAGE_VALUE', { type: 'map', v: new Map([['a', 1]]) }],
  [
    '{"type":"deep","v":[{"at":"https://a.example/"}]}',
    'SALLY_MESSAGE_VALUE',
    { type: 'deep', v: [{ at: new URL('https://a.example/') }] },
  ],
  ['{"type":"nan","v":"x"}', 'SALLY_MESSAGE_VALUE', { type: 'nan', v: NaN }],
  ['{"type":"trim","v":" a ","n":1.50}', '{"type":"trim","v":"a","n":1.50}', { type: 'trim', v: 'a', n: 1.5 }],
  ['{"type":"trim","v":"a"}', '{"type":"trim","v":"a","n":1}', { type: 'trim', v: 'a', n: 1 }],
  ['{"n":1.50, "v":"a","type":"trim"}', '{"n":1.50, "v":"a","type":"trim"}', { type: 'trim', v: 'a', n: 1.5 }],
  [
    '{"type":"inplace","v":{"a":1.0}}',
    '{"type":"inplace","v":{"a":1.0,"seen":true}}',
    { type: 'inplace', v: { a: 1, seen: true } },
  ],
]

test('what a transform makes never becomes {}: a listener of text hears it whole, or the message is refused', async t => {
  const host = await listening(t, { schema: made })
  const socket = await host.open()
  const answers = await tell(
    socket,
    sentTo.map(([text]) => text),
  )
  assert.deepEqual(
    answers,
    sentTo.map(([, listener]) => (listener.startsWith('SALLY') ? listener : 'heard')),
  )
  assert.deepEqual(
    host.heard,
    sentTo.map(([, listener]) => listener).filter(listener => !listener.startsWith('SALLY')),
  )
  const details = host.events.filter(({ code }) => code === 'SALLY_MESSAGE_VALUE').map(({ detail }) => detail)
  assert.deepEqual(details, [
    'date: /v Date',
    'bigint: /v bigint',
    'set: /v Set',
    'map: /v Map',
    'deep: /v/0/at URL',
    'nan: /v number',
  ])
})

test('what Ajv fills in and coerces in place is heard, and nothing else changes', async t => {
  const ajv = new Ajv2020({ useDefaults: true, coerceTypes: true })
  const filled = ajv.compile({
    type: 'object',
    properties: {
      type: {},
      n: { type: 'number' },
      deep: { type: 'object', properties: { room: { default: 'lobby' }, f: {} } },
    },
  })
  const host = await listening(t, { schema: { filled } })
  const socket = await host.open()
  await tell(socket, [
    '{"type":"filled", "n":1.0,"deep":{"room":"a"}}',
    '{"type":"filled","n":"7","deep":{"f":1.50}}',
    '{"type":"filled","n":7.0,"deep":{}}',
  ])
  assert.deepEqual(host.heard, [
    '{"type":"filled", "n":1.0,"deep":{"room":"a"}}',
    '{"type":"filled","n":7,"deep":{"f":1.50,"room":"lobby"}}',
    '{"type":"filled","n":7.0,"deep":{"room":"lobby"}}',
  ])
})

test('a Standard Schema judges the number that was sent, not the double beside it', async t => {
  const least = z.object({
    type: z.literal('least'),
    n: z
      .number()
      .max(0.1)
      .refine(async n => n > 0),
  })
  const host = await listening(t, { schema: { least } })
  const socket = await host.open()
  const answers = await tell(
    socket,
    ['0.1', '0.10000000000000001', '1.0e-1', '0.09999999999999999', '0.10000000000000000'].map(
      n => `{"type":"least","n":${n}}`,
    ),
  )
  assert.deepEqual(answers, ['heard', 'SALLY_MESSAGE_INVALID', 'heard', 'heard', 'heard'])
})

test('typed handlers get what a transform makes as it is', async t => {
  const host = await started(t, { message: { schema: made } })
  const got: unknown[] = []
  const handlers = Object.fromEntries(
    Object.keys(made).map(type => [
      type,
      (message: unknown, connection: { send(value: object): void }) => {
        got.push(message)
        connection.send({ type: 'heard' })
      },
    ]),
  )
  new WebSocketServer({ server: host.server, ...host.guard.ws() } as ServerOptions).on('connection', socket => {
    host.guard.handle(socket, handlers as never)
  })
  const socket = await host.open()
  await tell(
    socket,
    sentTo.map(([text]) => text),
  )
  assert.deepEqual(
    got,
    sentTo.map(([, , value]) => value),
  )
})
