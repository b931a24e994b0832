import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test, type TestContext } from 'node:test'
import type { Connection } from 'sallyport'
import type { WebSocket } from 'ws'
import * as z from 'zod'
import { createWorld } from '../support/world.ts'

const row = {
  type: 'object',
  properties: { type: { const: 'row' }, id: { type: 'integer' }, note: { type: 'string' } },
  required: ['type'],
}
const big = z.object({ type: z.literal('big'), id: z.union([z.int(), z.bigint()]) })

type Send = (connection: { send(value: object | string): boolean }, message: unknown) => unknown

/** A server whose handlers answer with `send`, and one client of it. */
async function serving(t: TestContext, message: object, send: Send) {
  const got: unknown[] = []
  const handle = (said: unknown, connection: Connection): unknown => {
    got.push(said)
    return send(connection, said)
  }
  const world = await createWorld(
    { message: { schema: { row, big }, strikes: 1000, ...message } },
    { handlers: { row: handle, big: handle } },
  )
  t.after(() => world.close())
  return { world, got, socket: await world.connect() }
}

async function ask(socket: WebSocket, text: string): Promise<string> {
  const answered = once(socket, 'message') as Promise<[Buffer]>
  socket.send(text)
  return String((await answered)[0])
}

test("bigIntegers 'bigint': a handler gets a bigint, and its reply is the integer", async t => {
  const { socket, got } = await serving(t, { format: { bigIntegers: 'bigint' } }, (connection, said) =>
    connection.send(said as object),
  )
  for (const text of [
    '{"type":"row","id":9007199254740993}',
    '{"type":"row","id":-9223372036854775808,"note":"é"}',
    '{"type":"big","id":18446744073709551615}',
    '{"type":"row","id":5}',
    `{"type":"row","id":9007199254740993,"note":"${'x'.repeat(600)}"}`,
    `{"type":"row","id":9007199254740995,"note":"${'y'.repeat(600)}"}`,
  ])
    assert.equal(await ask(socket, text), text)
  assert.deepEqual(got[0], { type: 'row', id: 9007199254740993n })
  assert.deepEqual(got[3], { type: 'row', id: 5 })
})

test("bigIntegers 'text': a handler gets the digits; a Standard Schema is asked about them", async t => {
  const text = z.object({ type: z.literal('big'), id: z.union([z.int(), z.string().regex(/^-?\d{1,20}$/)]) })
  const { socket, got } = await serving(
    t,
    { schema: { row, big: text }, format: { bigIntegers: 'text' } },
    (connection, said) => connection.send(said as object),
  )
  assert.equal(await ask(socket, '{"type":"row","id":9007199254740993}'), '{"type":"row","id":"9007199254740993"}')
  assert.equal(await ask(socket, '{"type":"big","id":9007199254740993}'), '{"type":"big","id":"9007199254740993"}')
  assert.deepEqual(got, [
    { type: 'row', id: '9007199254740993' },
    { type: 'big', id: '9007199254740993' },
  ])
})

test("bigIntegers 'text': a bigint that a transform makes of the digits arrives as it is", async t => {
  const made = z.object({ type: z.literal('big'), id: z.string().transform(BigInt), at: z.coerce.date().optional() })
  const { socket, got } = await serving(
    t,
    { schema: { row, big: made }, format: { bigIntegers: 'text' } },
    connection => connection.send({ type: 'heard' }),
  )
  await ask(socket, '{"type":"big","id":9007199254740993,"at":"2026-01-01"}')
  assert.deepEqual(got, [{ type: 'big', id: 9007199254740993n, at: new Date('2026-01-01') }])
})

test('refused by default, cold and once such messages are known', async t => {
  const { socket, got } = await serving(t, {}, connection => connection.send({ type: 'heard' }))
  const code = '{"type":"error","code":"SALLY_MESSAGE_NUMBER"}'
  for (let round = 0; round < 5; round++) {
    assert.equal(await ask(socket, `{"type":"row","id":${9_007_199_254_740_000 + round}}`), '{"type":"heard"}')
    for (const id of [
      '9007199254740992',
      '9007199254740993',
      '-9007199254740993',
      '9223372036854775807',
      '1'.padEnd(30, '0'),
    ])
      assert.equal(await ask(socket, `{"type":"row","id":${id}}`), code)
  }
  assert.equal(got.length, 5)
})

test('a bigint beyond 64 bits, or without the key, is an error of the sender that names its place', async t => {
  const failures: string[] = []
  const tell: Send = (connection, said) => {
    const { id } = said as { id: number | bigint }
    try {
      connection.send({ type: 'row', list: [{ id: BigInt(id) * 2n }] })
    } catch (error) {
      failures.push((error as Error).message)
      connection.send({ type: 'failed' })
    }
  }
  const one = await serving(t, { format: { bigIntegers: 'bigint' } }, tell)
  assert.equal(await ask(one.socket, '{"type":"row","id":18446744073709551615}'), '{"type":"failed"}')
  assert.equal(
    await ask(one.socket, '{"type":"row","id":9223372036854775807}'),
    '{"type":"row","list":[{"id":18446744073709551614}]}',
  )
  const other = await serving(t, {}, tell)
  assert.equal(await ask(other.socket, '{"type":"row","id":1}'), '{"type":"failed"}')
  assert.match(failures[0]!, /list\.0\.id is a bigint, which does not fit in 64 bits/)
  assert.match(
    failures[1]!,
    /list\.0\.id is a bigint, which JSON has not; write String\(…\) of it, or set message\.format\.big/,
  )
})

// ——— message.outbound ———

const outbound = {
  row: {
    type: 'object',
    properties: { type: { const: 'row' }, id: { type: 'integer' }, n: { type: 'number', maximum: 0.1 } },
  },
}
const left: readonly [name: string, sent: object | string, leaves: string | null][] = [
  ['text leaves byte for byte', ' {"id":1.0, "type":"row","n":1e-2}', ' {"id":1.0, "type":"row","n":1e-2}'],
  ['a stripped field leaves the digits of the rest', '{"type":"row","n":0.050,"hash":"x"}', '{"type":"row","n":0.050}'],
  ['an integer in text that would be rounded', '{"type":"row","id":9007199254740993}', null],
  ['the same in a field that would be stripped', '{"type":"row","other":9007199254740993}', null],
  ['a number in text that its double would hide', '{"type":"row","n":0.10000000000000001}', null],
  ['a number of the app’s own', { type: 'row', id: 2 ** 60 }, '{"type":"row","id":1152921504606847000}'],
  ['a key twice is written once, as it was checked', '{"type":"row","id":1,"id":2}', '{"type":"row","id":2}'],
  ['a key twice, once too large', '{"type":"row","id":9007199254740993,"id":2}', null],
]
for (const [name, sent, leaves] of left) {
  test(`outbound: ${name}`, async t => {
    const { socket, world } = await serving(t, { outbound }, connection => {
      connection.send(sent)
      connection.send({ type: 'row', id: 0 })
    })
    const first = await ask(socket, '{"type":"row"}')
    assert.equal(first, leaves ?? '{"type":"row","id":0}')
    if (leaves === null)
      assert.match(
        world.events.find(({ code }) => code === 'SALLY_OUTBOUND_INVALID')?.detail ?? '',
        /row: \/(id|other|n)/,
      )
  })
}

for (const mode of ['text', 'bigint'] as const) {
  test(`outbound: with bigIntegers '${mode}' the digits of a text leave as they are, judged as sent`, async t => {
    const strict = {
      row: { type: 'object', properties: { type: {}, id: { type: 'integer', maximum: 9007199254740993n } } },
    }
    const texts = [
      '{"type":"row","id":9007199254740993}',
      '{"type":"row","id":9007199254740994}',
      '{"type":"row","id":9007199254740992,"x":1}',
    ]
    const { socket } = await serving(t, { outbound: strict, format: { bigIntegers: mode } }, connection => {
      const sent = texts.map(text => connection.send(text))
      assert.deepEqual(sent, [true, false, true])
    })
    const heard: string[] = []
    const both = new Promise<void>(resolve => {
      socket.on('message', (data: Buffer) => {
        heard.push(String(data))
        if (heard.length === 2) resolve()
      })
    })
    socket.send('{"type":"row"}')
    await both
    assert.deepEqual(heard, ['{"type":"row","id":9007199254740993}', '{"type":"row","id":9007199254740992}'])
  })
}
