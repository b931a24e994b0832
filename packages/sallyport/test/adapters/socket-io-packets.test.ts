// The packet stream behind a Socket.IO handshake: each packet of Engine.IO and of Socket.IO, over both transports.
import assert from 'node:assert/strict'
import { type EventEmitter, once } from 'node:events'
import { test } from 'node:test'
import type { Socket as ServerSocket } from 'socket.io'
import { z } from 'zod'
import { host, next, SCHEMA } from './socket-io-host.ts'

/** Everything that reaches the app of a connection. */
function listen(io: { on(event: 'connection', listener: (socket: ServerSocket) => void): unknown }) {
  const heard: unknown[] = []
  const auths: unknown[] = []
  io.on('connection', socket => {
    auths.push(socket.handshake.auth)
    for (const name of ['say', 'ask', 'secret', 'blob'])
      socket.on(name, (...given: unknown[]) => heard.push([name, ...given]))
    socket.onAny((name: string) => name === 'secret' && heard.push('onAny'))
  })
  return { heard, auths }
}

/** Packets that are refused: none of them reaches a handler. `denial` is the code of the event. */
const ATTACKS: readonly (readonly [name: string, packets: readonly (string | Buffer)[], denial: string])[] = [
  ['an undeclared event', ['42["secret",{}]'], 'SALLY_MESSAGE_TYPE'],
  ['an event whose name is a number', ['42[1,{}]'], 'SALLY_MESSAGE_NOT_JSON'],
  ['an event without a list', ['42'], 'SALLY_MESSAGE_NOT_JSON'],
  ['an event with an id alone', ['427'], 'SALLY_MESSAGE_NOT_JSON'],
  ['an event of a namespace without a comma', ['42/say["say"]'], 'SALLY_MESSAGE_NOT_JSON'],
  ['an empty list', ['42[]'], 'SALLY_PROTOCOL_ERROR'],
  ['two arguments', ['42["say",{"text":"x"},{"text":"y"}]'], 'SALLY_MESSAGE_NOT_JSON'],
  ['a list as argument', ['42["say",[]]'], 'SALLY_MESSAGE_NOT_JSON'],
  ['null as argument', ['42["say",null]'], 'SALLY_MESSAGE_NOT_JSON'],
  ['an own __proto__', ['42["say",{"text":"x","__proto__":{"isAdmin":true}}]'], 'SALLY_MESSAGE_KEY'],
  ['a constructor, escaped', ['42["say",{"text":"x","c\\u006fnstructor":{}}]'], 'SALLY_MESSAGE_KEY'],
  ['a key twice', ['42["say",{"text":"x","text":"y"}]'], 'SALLY_MESSAGE_KEY'],
  ['its own type twice', ['42["say",{"type":"say","text":"x","type":"say"}]'], 'SALLY_MESSAGE_KEY'],
  ['another type than its name', ['42["say",{"type":"ask","text":"x"}]'], 'SALLY_MESSAGE_NOT_JSON'],
  ['another type than its name, escaped', ['42["say",{"\\u0074ype":"ask","text":"x"}]'], 'SALLY_MESSAGE_NOT_JSON'],
  ['a name that closes the object', ['42["say\\",{",{"text":"x"}]'], 'SALLY_MESSAGE_TYPE'],
  ['an integer beyond 2^53', ['42["say",{"text":"x","id":9007199254740993}]'], 'SALLY_MESSAGE_NUMBER'],
  ['an escaped lone surrogate', ['42["say",{"text":"\\ud800"}]'], 'SALLY_MESSAGE_NOT_UTF8'],
  ['an answer that nobody asked for', ['431[{}]'], 'SALLY_MESSAGE_TYPE'],
  ['an answer without an id', ['43[{}]'], 'SALLY_MESSAGE_TYPE'],
  ['a binary event', ['451-["blob",{"_placeholder":true,"num":0}]', Buffer.from('x')], 'SALLY_MESSAGE_NOT_TEXT'],
  ['a binary answer', ['461-1[{"_placeholder":true,"num":0}]', Buffer.from('x')], 'SALLY_MESSAGE_NOT_TEXT'],
  ['an attachment of nothing', [Buffer.from('x')], 'SALLY_MESSAGE_NOT_TEXT'],
  ['an attachment in base64', ['bAAAA'], 'SALLY_MESSAGE_NOT_TEXT'],
  ['a second CONNECT', ['40'], 'SALLY_MESSAGE_TYPE'],
  ['a CONNECT_ERROR', ['44{"message":"x"}'], 'SALLY_PROTOCOL_ERROR'],
  ['an undeclared namespace', ['40/secret'], 'SALLY_MESSAGE_TYPE'],
  ['a namespace by an inherited name', ['40/constructor,{}'], 'SALLY_MESSAGE_TYPE'],
  ['a message without data', ['4'], 'SALLY_MESSAGE_NOT_TEXT'],
  ['an unknown packet of Socket.IO', ['49'], 'SALLY_PROTOCOL_ERROR'],
  ['JSON that ends early', ['42["say",'], 'SALLY_PROTOCOL_ERROR'],
  ['an event of the server itself', ['42["disconnecting"]'], 'SALLY_PROTOCOL_ERROR'],
  ['an unknown packet of Engine.IO', ['9'], 'SALLY_PROTOCOL_ERROR'],
  ['a pong of 60 KB', [`3${'x'.repeat(60_000)}`], 'SALLY_PROTOCOL_ERROR'],
  ['a flood of pongs', Array<string>(70).fill('3'), 'SALLY_CONTROL_FRAMES'],
  ['a flood of no-ops', Array<string>(70).fill('6'), 'SALLY_CONTROL_FRAMES'],
]

for (const [name, packets, denial] of ATTACKS) {
  test(`attack: websocket: ${name} is refused with ${denial}`, async t => {
    const server = await host(t)
    const { heard } = listen(server.io)
    const raw = await server.raw()
    raw.send('40')
    await raw.next(text => text.startsWith('40'))
    for (const packet of packets) raw.send(packet)
    await server.denial(denial)
    await new Promise(setImmediate)
    assert.deepEqual(heard, [])
  })

  test(`attack: polling: ${name} is refused with ${denial}`, async t => {
    const server = await host(t)
    const { heard } = listen(server.io)
    const ann = await server.poller()
    // Binary packets are base64 in a payload.
    const payload = packets.map(packet => (typeof packet === 'string' ? packet : `b${packet.toString('base64')}`))
    await ann.post(payload.join('\x1e'))
    await server.denial(denial)
    await new Promise(setImmediate)
    assert.deepEqual(heard, [])
  })
}

test('attack: auth without a schema never reaches the app, and the client hears why', async t => {
  const server = await host(t)
  const { auths } = listen(server.io)
  for (const auth of [
    '{"token":"x"}',
    '{"__proto__":{"isAdmin":true}}',
    '{"constructor":{}}',
    '{"pid":"x","offset":"y"}',
  ]) {
    const raw = await server.raw()
    raw.send(`40${auth}`)
    assert.equal(await raw.next(text => text.startsWith('44')), '44{"message":"SALLY_MESSAGE_TYPE"}')
  }
  assert.deepEqual(auths, [])
  const raw = await server.raw()
  raw.send('40{}')
  await raw.next(text => text.startsWith('40'))
  assert.deepEqual(auths, [{}])
})

test('auth with a schema: what passes is what the schema lets through, and everything else is refused', async t => {
  const server = await host(t, { adapter: { auth: z.object({ token: z.string().max(5) }) } })
  const { auths } = listen(server.io)
  for (const [auth, code] of [
    ['{"token":"x","__proto__":{"isAdmin":true}}', 'SALLY_MESSAGE_KEY'],
    ['{"token":"x","token":"y"}', 'SALLY_MESSAGE_KEY'],
    ['{"token":"too long"}', 'SALLY_MESSAGE_INVALID'],
    ['{"token":7}', 'SALLY_MESSAGE_INVALID'],
    ['{"token":"x","id":9007199254740993}', 'SALLY_MESSAGE_NUMBER'],
    ['', 'SALLY_MESSAGE_INVALID'],
    ['{}', 'SALLY_MESSAGE_INVALID'],
  ]) {
    const raw = await server.raw()
    raw.send(`40${auth}`)
    assert.equal(await raw.next(text => text.startsWith('44')), `44{"message":"${code}"}`, auth)
  }
  assert.deepEqual(auths, [])
  await server.client('both', { auth: { token: 'right', admin: true } })
  assert.deepEqual(auths, [{ token: 'right' }])
})

test('auth by JSON Schema, closed and without a type of its own', async t => {
  const auth = {
    type: 'object',
    properties: { token: { type: 'string' } },
    required: ['token'],
    additionalProperties: false,
  }
  const server = await host(t, { adapter: { auth } })
  const { auths } = listen(server.io)
  await server.client('websocket', { auth: { token: 'x' } })
  await assert.rejects(server.client('websocket', { auth: { token: 'x', more: 1 } }), {
    message: 'SALLY_MESSAGE_INVALID',
  })
  assert.deepEqual(auths, [{ token: 'x' }])
})

for (const transport of ['polling', 'websocket'] as const) {
  test(`${transport}: acknowledgements of clients pass as their schema lets them, or empty where there is none`, async t => {
    const server = await host(t, {
      adapter: {
        acknowledgements: { which: z.object({ name: z.string() }), count: z.number().int(), word: { type: 'string' } },
      },
    })
    const asked = new Promise<ServerSocket>(resolve => server.io.on('connection', resolve))
    const ann = await server.client(transport)
    const socket = await asked
    ann.on('which', (given: unknown, answer: (...values: unknown[]) => void) => answer(given))
    ann.on('count', (answer: (value: unknown) => void) => answer(7))
    ann.on('word', (answer: (value: unknown) => void) => answer('yes'))
    ann.on('undeclared', (given: unknown, answer: (...values: unknown[]) => void) =>
      given === null ? answer() : answer(given),
    )
    assert.deepEqual(await socket.emitWithAck('which', { name: 'ann', admin: true }), { name: 'ann' })
    assert.equal(await socket.emitWithAck('count'), 7)
    assert.equal(await socket.emitWithAck('word'), 'yes')
    assert.equal(await socket.emitWithAck('undeclared', null), undefined)
    assert.deepEqual(server.denials(), [])
    assert.deepEqual(
      await server.io.timeout(5000).emitWithAck('which', { name: 'ann' }),
      [{ name: 'ann' }],
      'a broadcast',
    )

    for (const [event, value, code] of [
      ['undeclared', 'x', 'SALLY_MESSAGE_TYPE'],
      ['which', { name: 7 }, 'SALLY_MESSAGE_INVALID'],
    ] as const) {
      const refused = next(ann, 'error')
      let answered = false
      socket.emit(event, value, () => (answered = true))
      assert.deepEqual(await refused, [{ code }])
      assert.equal(answered, false)
    }
  })
}

test('attack: an answer is given once, with one value, without dangerous keys, and only in the namespace that asked', async t => {
  const server = await host(t, { adapter: { acknowledgements: { which: z.object({ name: z.string() }).loose() } } })
  server.io.of('/other')
  const asked = new Promise<ServerSocket>(resolve => server.io.on('connection', resolve))
  const raw = await server.raw()
  raw.send('40')
  raw.send('40/other')
  const socket = await asked
  const answers: unknown[] = []
  const ask = async (): Promise<string> => {
    socket.emit('which', (answer: unknown) => answers.push(answer))
    return /^42(\d+)/.exec(await raw.next(text => /^42\d/.test(text)))![1]!
  }
  const refused = async (packet: string, code: string): Promise<void> => {
    raw.send(packet)
    assert.match(await raw.next(text => text.includes('"error"')), new RegExp(code), packet)
  }
  await refused(`43${await ask()}[{"name":"x"},{"name":"y"}]`, 'SALLY_MESSAGE_INVALID')
  await refused(`43${await ask()}[{"name":"x","__proto__":{"isAdmin":true}}]`, 'SALLY_MESSAGE_KEY')
  await refused(`43${await ask()}[]`, 'SALLY_MESSAGE_INVALID')
  const id = await ask()
  await refused(`43/other,${id}[{"name":"x"}]`, 'SALLY_MESSAGE_TYPE')
  raw.send(`43${id}[{"name":"right"}]`)
  await refused(`43${id}[{"name":"again"}]`, 'SALLY_MESSAGE_TYPE')
  assert.deepEqual(answers, [{ name: 'right' }])
})

test('honest: an answer that comes after its time-out is judged, and counts as no strike', async t => {
  const server = await host(t, { message: { strikes: 1 } })
  const asked = new Promise<ServerSocket>(resolve => server.io.on('connection', resolve))
  const ann = await server.client('websocket')
  const socket = await asked
  const late = new Promise<() => void>(resolve => ann.on('receipt', resolve))
  await assert.rejects(socket.timeout(1).emitWithAck('receipt'))
  ;(await late)()
  ann.emit('ask', {})
  while (server.guard.counters().messagesIn < 3) await new Promise(resolve => setTimeout(resolve, 5))
  assert.deepEqual(server.denials(), [])
})

for (const [name, exceed, message] of [
  ['CONNECT and DISCONNECT in turn', 'close', ['41', '40']],
  ['CONNECT of a namespace that there is not', 'close', ['40/no']],
  ['unasked acknowledgements', 'close', ['431[{}]']],
  ['unasked acknowledgements that are dropped', 'drop', ['431[{}]']],
  ['CONNECT and DISCONNECT in turn that are dropped', 'drop', ['41', '40']],
] as const) {
  test(`attack: ${name} cost the budget of messages`, async t => {
    const server = await host(t, {
      message: {
        rate: { messages: 10, per: '1 minute', exceed },
        size: { controlFrames: { frames: 1000, per: '1 minute' } },
      } as never,
    })
    let connections = 0
    server.io.on('connection', () => connections++)
    const raw = await server.raw()
    raw.send('40')
    await raw.next(text => text.startsWith('40'))
    // One after the other: Socket.IO itself ends a client that comes back before it was seen to leave.
    while (!server.denials().includes('SALLY_MESSAGE_RATE') && raw.socket.readyState === raw.socket.OPEN) {
      for (const packet of message) {
        raw.send(packet)
        raw.socket.ping()
        await Promise.race([once(raw.socket, 'pong'), raw.closed])
      }
      await new Promise(setImmediate)
    }
    await server.denial('SALLY_MESSAGE_RATE')
    if (exceed === 'close') await raw.closed
    assert.ok(connections <= 6, `${connections} connections`)
  })
}

test('attack: many CONNECTs to one namespace before the first is answered make one connection', async t => {
  const server = await host(t)
  let connections = 0
  const held: (() => void)[] = []
  server.io.use((_socket, proceed) => void held.push(proceed))
  server.io.on('connection', () => connections++)
  const raw = await server.raw()
  for (let at = 0; at < 50; at++) raw.send('40')
  while (server.denials().length < 49) await new Promise(resolve => setTimeout(resolve, 5))
  assert.equal(held.length, 1)
  held[0]!()
  await raw.next(text => text.startsWith('40'))
  raw.send('40')
  while (server.denials().length < 50) await new Promise(resolve => setTimeout(resolve, 5))
  assert.deepEqual([held.length, connections], [1, 1])
})

test('attack: a client joins at most 100 namespaces, and leaves none of a pattern behind', async t => {
  const server = await host(t)
  server.io.of(/^\/room-\d+$/)
  const raw = await server.raw()
  for (let at = 0; at < 101; at++) raw.send(`40/room-${at},`)
  assert.match(await raw.next(text => text.startsWith('44')), /^44\/room-100,\{"message":"SALLY_MESSAGE_TYPE"/)
  raw.send(`40/${'x'.repeat(300)},`)
  assert.match(await raw.next(text => text.startsWith('44')), /Invalid namespace/)
  raw.socket.close()
  while (server.io._nsps.size > 1) await new Promise(resolve => setTimeout(resolve, 5))
})

for (const [name, frame, code] of [
  ['a message over the bound', 'x'.repeat(70_000), 'SALLY_MESSAGE_TOO_BIG'],
  ['a message far over the bound', 'x'.repeat(7_000_000), 'SALLY_MESSAGE_TOO_BIG'],
] as const) {
  test(`attack: ${name} is an event, over both transports`, async t => {
    const server = await host(t)
    const raw = await server.raw()
    raw.send(`42${frame}`)
    await raw.closed
    assert.deepEqual(server.denials(), [code])
    const ann = await server.poller()
    const { status } = await ann.post(`42${frame}`)
    assert.ok(status === 413 || status === 0)
    assert.deepEqual(server.denials(), [code, code])
    while (server.guard.counters().open > 0) await new Promise(resolve => setTimeout(resolve, 5))
  })
}

test('attack: a body that is not UTF-8 is refused, not replaced', async t => {
  const server = await host(t)
  const { heard } = listen(server.io)
  for (const bytes of [[0xff], [0xe2, 0x82], [0xf0, 0x9f, 0x98], [0xed, 0xa0, 0x80], [0xc0, 0xaf]]) {
    const ann = await server.poller()
    const body = Buffer.concat([Buffer.from('42["say",{"text":"'), Buffer.from(bytes), Buffer.from('"}]')])
    await ann.post(body)
  }
  assert.deepEqual(heard, [])
  assert.deepEqual(server.denials(), Array<string>(5).fill('SALLY_MESSAGE_NOT_UTF8'))
})

test('attack: WebSocket pings, fragments and text that is not UTF-8 are bounded as everywhere', async t => {
  const server = await host(t)
  const flood = await server.raw()
  for (let at = 0; at < 70; at++) flood.socket.ping()
  await flood.closed
  const pieces = await server.raw()
  for (let at = 0; at < 100; at++) pieces.socket.send('x', { fin: false })
  await pieces.closed
  const broken = await server.raw()
  broken.socket.send(Buffer.from([0xff]), { binary: false })
  await broken.closed
  assert.deepEqual(server.denials(), ['SALLY_CONTROL_FRAMES', 'SALLY_MESSAGE_FRAGMENTS', 'SALLY_MESSAGE_NOT_UTF8'])
})

test('attack: probes of an upgrade that is never finished count', async t => {
  const server = await host(t)
  const ann = await server.client('polling')
  const probe = await server.raw(ann.io.engine.id!)
  for (let at = 0; at < 70; at++) probe.send('2probe')
  await server.denial('SALLY_CONTROL_FRAMES')
  await probe.closed
})

test('honest: pongs to the pings of Engine.IO cost nothing', async t => {
  const server = await host(t, {
    server: { pingInterval: 5 },
    message: { size: { controlFrames: { frames: 1, per: '1 minute' } } } as never,
  })
  const ann = await server.client('websocket')
  let pings = 0
  await new Promise<void>(resolve => ann.io.engine.on('ping', () => ++pings === 10 && resolve()))
  assert.deepEqual(server.denials(), [])
  assert.equal(ann.connected, true)
})

test('honest: many events in one payload, in order, volatile ones too, with text beyond ASCII', async t => {
  const server = await host(t)
  const { heard } = listen(server.io)
  const ann = await server.client('polling')
  const texts = Array.from({ length: 200 }, (_, at) => `${at} héllo 🦊 \u2028 \x1f`)
  for (const text of texts) ann.emit('say', { text })
  ann.volatile.emit('say', { text: 'volatile' })
  while (heard.length < 200) await new Promise(resolve => setTimeout(resolve, 5))
  assert.deepEqual(
    heard.slice(0, 200),
    texts.map(text => ['say', { text }]),
  )
  assert.deepEqual(server.denials(), [])
})

test('honest: events wait for those before them, whatever the schema of each takes', async t => {
  const slow = z.object({ text: z.string() }).refine(async ({ text }) => {
    await new Promise(resolve => setTimeout(resolve, text === 'first' ? 20 : 0))
    return true
  })
  const server = await host(t, { message: { schema: { ...SCHEMA, say: slow } } })
  const { heard } = listen(server.io)
  const ann = await server.client('websocket')
  for (const text of ['first', 'second', 'third']) ann.emit('say', { text })
  ann.emit('ask')
  while (heard.length < 4) await new Promise(resolve => setTimeout(resolve, 5))
  assert.deepEqual(
    heard.map(one => (one as [string, { text?: string }])[1]?.text),
    ['first', 'second', 'third', undefined],
  )
})

test('honest: a client leaves a namespace and joins it again, and one that was refused may try again', async t => {
  const server = await host(t)
  let lets = false
  server.io.of('/other').use((_socket, proceed) => proceed(lets ? undefined : new Error('not yet')))
  const ann = await server.client('websocket')
  for (let at = 0; at < 3; at++) {
    ann.disconnect()
    ann.connect()
    await next(ann, 'connect')
  }
  const other = ann.io.socket('/other')
  const [error] = (await next(other, 'connect_error')) as [Error]
  assert.equal(error.message, 'not yet')
  lets = true
  other.connect()
  await next(other, 'connect')
  assert.deepEqual(server.denials(), [])
})

test('honest: the app ends one namespace, and the client goes on in the other', async t => {
  const server = await host(t)
  const { heard } = listen(server.io)
  server.io.of('/other').on('connection', socket => void socket.disconnect())
  const ann = await server.client('websocket')
  const other = ann.io.socket('/other')
  await next(other, 'disconnect')
  other.connect()
  await next(other, 'disconnect')
  ann.emit('say', { text: 'here' })
  while (heard.length === 0) await new Promise(resolve => setTimeout(resolve, 5))
  assert.deepEqual(server.denials(), [])
})

test('report mode changes nothing: every packet reaches the app as it came, and is reported', async t => {
  const server = await host(t, { report: true, message: { rate: { messages: 1, per: '1 minute' } } })
  const { heard, auths } = listen(server.io)
  const raw = await server.raw()
  raw.send('40{"token":"x"}')
  await raw.next(text => text.startsWith('40'))
  assert.deepEqual(auths, [{ token: 'x' }])
  raw.send('42["say",{"text":"x","more":1}]')
  raw.send('42["secret",1,[2]]')
  raw.send('451-["blob",{"_placeholder":true,"num":0}]')
  raw.send(Buffer.from('x'))
  while (heard.length < 4) await new Promise(resolve => setTimeout(resolve, 5))
  assert.deepEqual(heard, ['onAny', ['say', { text: 'x', more: 1 }], ['secret', 1, [2]], ['blob', Buffer.from('x')]])
  const codes = new Set<string | undefined>(server.denials())
  for (const code of ['SALLY_MESSAGE_RATE', 'SALLY_MESSAGE_TYPE', 'SALLY_MESSAGE_NOT_TEXT'])
    assert.ok(codes.has(code), code)
})

test('report mode changes nothing of a post that is too big or not UTF-8, or comes in many fragments', async t => {
  const server = await host(t, { report: true })
  const { heard } = listen(server.io)
  const ann = await server.poller()
  assert.equal((await ann.post(`42["say",{"text":"${'x'.repeat(70_000)}"}]`)).status, 413)
  const body = Buffer.concat([Buffer.from('42["say",{"text":"'), Buffer.from([0xff]), Buffer.from('"}]')])
  assert.equal((await ann.post(body)).status, 200)
  const raw = await server.raw()
  raw.send('40')
  await raw.next(text => text.startsWith('40'))
  const packet = `42["say",{"text":"${'x'.repeat(200)}"}]`
  for (const [at, char] of [...packet].entries()) raw.socket.send(char, { fin: at === packet.length - 1 })
  while (heard.length < 2) await new Promise(resolve => setTimeout(resolve, 5))
  assert.deepEqual(heard, [
    ['say', { text: '\ufffd' }],
    ['say', { text: 'x'.repeat(200) }],
  ])
  assert.deepEqual(server.denials(), ['SALLY_MESSAGE_TOO_BIG', 'SALLY_MESSAGE_NOT_UTF8'])
})

test('where any message is accepted, auth and answers still pass message/format', async t => {
  const server = await host(t, { message: { schema: { dangerouslyAcceptAnyMessage: true } } as never })
  const { auths } = listen(server.io)
  const asked = new Promise<ServerSocket>(resolve => server.io.on('connection', resolve))
  const ann = await server.client('websocket', { auth: { any: 1 } })
  assert.deepEqual(auths, [{ any: 1 }])
  const socket = await asked
  ann.on('which', (answer: (...values: unknown[]) => void) => answer([1], 'two'))
  assert.deepEqual(await socket.emitWithAck('which'), [1])
  const raw = await server.raw()
  raw.send('40{"__proto__":{}}')
  assert.match(await raw.next(text => text.startsWith('44')), /SALLY_MESSAGE_KEY/)
})

test('bigIntegers: events, auth and answers hand 64-bit integers on as they were sent', async t => {
  const id = z.object({ id: z.bigint() })
  const server = await host(t, {
    message: { schema: { take: id }, format: { bigIntegers: 'bigint' } } as never,
    adapter: { auth: id, acknowledgements: { which: id } },
  })
  const taken = Promise.withResolvers<unknown>()
  const asked = new Promise<ServerSocket>(resolve => server.io.on('connection', resolve))
  const raw = await server.raw()
  raw.send('40{"id":9007199254740993}')
  const socket = await asked
  assert.deepEqual(socket.handshake.auth, { id: 9007199254740993n })
  socket.on('take', taken.resolve)
  raw.send('42["take",{"id":9223372036854775807}]')
  assert.deepEqual(await taken.promise, { id: 9223372036854775807n })
  const answer = socket.emitWithAck('which')
  const number = /^42(\d+)/.exec(await raw.next(text => /^42\d/.test(text)))![1]!
  raw.send(`43${number}[{"id":9007199254740993}]`)
  assert.deepEqual(await answer, { id: 9007199254740993n })
})

test('attack: what the app throws while it is handed a packet closes the connection, and ends no process', async t => {
  const server = await host(t, { adapter: { auth: z.object({}).refine(async () => true) } })
  server.io.of(() => {
    throw new Error('a rule of the app that fails')
  })
  const raw = await server.raw()
  raw.send('40/dynamic,{}')
  await raw.closed
  await server.client('websocket')
})

test('honest: names and texts with brackets, braces, commas and quotes arrive as they were sent', async t => {
  const names = ['[', '{"', '",{', 'a"b\\\\', '\\u0022,{}', ' ', '12', 'ключ', '🦊,']
  const schema = Object.fromEntries(names.map(name => [name, z.object({ text: z.string() })]))
  const server = await host(t, { message: { schema } })
  const heard: unknown[] = []
  for (const namespace of ['/', '/a{b[c']) {
    server.io.of(namespace).on('connection', socket => {
      for (const name of names)
        socket.on(name, (message: unknown, answer: () => void) => (heard.push([name, message]), answer()))
    })
  }
  for (const namespace of ['', '/a{b[c']) {
    heard.length = 0
    const ann = await server.client('websocket', { namespace })
    for (const name of names) await ann.emitWithAck(name, { text: `${name}]}` })
    assert.deepEqual(
      heard,
      names.map(name => [name, { text: `${name}]}` }]),
    )
    // As another client may write it: with white space wherever JSON allows it.
    const raw = await server.raw()
    const prefix = namespace === '' ? '' : `${namespace},`
    raw.send(`40${prefix}`)
    await raw.next(text => text.startsWith('40'))
    raw.send(`42${prefix}5 \n[ "12" ,\t{ "text" : "x" } ] `)
    await raw.next(text => text.startsWith('43'))
    assert.deepEqual(heard.at(-1), ['12', { text: 'x' }])
  }
  assert.deepEqual(server.denials(), [])
})

test('attack: a CONNECT to a namespace that was joined changes nothing, whatever auth it carries', async t => {
  const server = await host(t, { adapter: { auth: z.object({ token: z.string().optional() }) } })
  const asked = new Promise<ServerSocket>(resolve => server.io.on('connection', resolve))
  const raw = await server.raw()
  raw.send('40{"token":"x"}')
  const socket = await asked
  const answer = socket.emitWithAck('which')
  const [, id] = /^42(\d+)/.exec(await raw.next(text => /^42\d/.test(text)))!
  for (const packet of ['40{"token":7}', '40{"token":"x"}', '40']) raw.send(packet)
  while (server.denials().length < 3) await new Promise(resolve => setTimeout(resolve, 5))
  raw.send(`43${id}[]`)
  await answer
  assert.deepEqual(server.denials(), ['SALLY_MESSAGE_INVALID', 'SALLY_MESSAGE_TYPE', 'SALLY_MESSAGE_TYPE'])
  assert.equal(socket.connected, true)
})

test('attack: who goes on sending after the session ended or moved on is cut at the next frame', async t => {
  const server = await host(t)
  const ended = await server.raw()
  ended.send('40')
  await ended.next(text => text.startsWith('40'))
  // It never answers the close frame, and so would be read for as long as `ws` waits.
  const receiver = (ended.socket as unknown as { readonly _receiver: EventEmitter })._receiver
  const closing = new Promise(resolve => {
    receiver.removeAllListeners('conclude')
    receiver.on('conclude', resolve)
  })
  await server.guard.revoke({ user: 'ann' })
  await closing
  assert.equal(ended.socket.readyState, ended.socket.OPEN)
  ended.send('42["say",{"text":"x"}]')
  assert.equal(await ended.closed, 1006)

  const old = await server.raw('', { Cookie: 'user=bob' })
  const socketId = Object.keys((server.io.engine as unknown as { readonly clients: object }).clients)[0]!
  const late = await server.raw(socketId, { Cookie: 'user=bob' })
  const left = new Promise(resolve => {
    const own = (old.socket as unknown as { readonly _receiver: EventEmitter })._receiver
    own.removeAllListeners('conclude')
    own.on('conclude', resolve)
  })
  late.send('2probe')
  await late.next(text => text === '3probe')
  late.send('5')
  await left
  old.send('6')
  assert.equal(await old.closed, 1006)
  late.send('40')
  await late.next(text => text.startsWith('40'))
})
