import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import type { Connection } from 'sallyport'
import { textOf } from '../../src/connection/outbound-text.ts'
import { show } from '../../src/shape/shown.ts'
import { createWorld } from '../support/world.ts'
import { guarded } from '../guard/live.ts'

class Fields {
  readonly type = 'chat'
}
class Nothing {}
const cycle: { type: string; self?: object } = { type: 'chat' }
cycle.self = cycle
const policy = { message: { schema: { dangerouslyAcceptAnyMessage: true } } }
/** Longer than what is left to JSON.stringify from the first. */
const long = { type: 'chat', text: 'x'.repeat(1000) }

const MISTAKES: readonly (readonly [name: string, message: unknown, error: RegExp])[] = [
  ['nothing', undefined, /the message is nothing, .* give an object, text or a Uint8Array/],
  ['null', null, /the message is null/],
  ['a function', () => undefined, /the message is a function/],
  ['a symbol', Symbol('chat'), /the message is a symbol/],
  ['a bigint', 5n, /the message is a bigint, which JSON has not; write String/],
  ['a bigint deep in it', { type: 'chat', users: [{ id: 5n }] }, /users\.0\.id is a bigint/],
  ['a message that is still to come', Promise.resolve({ type: 'chat' }), /the message is a Promise, .*await it first/],
  ['a Map', new Map([['type', 'chat']]), /the message is a Map, .* Object\.fromEntries\(map\)/],
  ['a Set', new Set(['chat']), /the message is a Set, /],
  [
    'a Map deep in it',
    { type: 'chat', users: [{ names: new Map() }] },
    /users\.0\.names is a Map, .*Object\.fromEntries/,
  ],
  ['a Set deep in it', { type: 'chat', users: new Set([1]) }, /users is a Set, which JSON writes as \{\}; write \[/],
  ['an ArrayBuffer', new ArrayBuffer(2), /new Uint8Array\(buffer\)/],
  ['a view of bytes', new DataView(new ArrayBuffer(2)), /new Uint8Array\(buffer\)/],
  ['an array of other numbers', new Uint16Array([1, 2]), /new Uint8Array\(buffer\)/],
  ['an error, whose text is not for the peer', new Error('hunter2'), /^(?!.*hunter2).*\{ type, code \}/],
  ['a Blob', new Blob(['chat']), /await its bytes/],
  ['a Response', Response.json({ type: 'chat' }), /await its bytes/],
  ['a toJSON that answers nothing', { toJSON() {} }, /toJSON of the message answers nothing/],
]

for (const [name, message, error] of MISTAKES) {
  test(`send: ${name} throws, first or behind a long message, and nothing goes out`, t => {
    const { connection, wire } = guarded(t, policy).seat()
    for (const before of [[], [long]]) {
      for (const one of before) connection.send(one)
      const { length } = wire.sent
      assert.throws(() => connection.send(message as never), { name: 'TypeError', message: error })
      assert.equal(wire.sent.length, length)
    }
    assert.equal(connection.readyState, 1)
  })
  test(`send: ${name} throws before authentication too, and is not held back`, t => {
    const { connection } = guarded(t, policy).seat({ ticket: 'deferred' })
    assert.throws(() => connection.send(message as never), { name: 'TypeError', message: error })
    assert.equal(connection.bufferedAmount, 0)
  })
}

test('on a socket of serve() too, where long messages are written without JSON.stringify', async () => {
  const opened = Promise.withResolvers<Connection>()
  const world = await createWorld({}, { open: connection => opened.resolve(connection) })
  try {
    const ann = await world.connect()
    const connection = await opened.promise
    for (const [, message, error] of MISTAKES) {
      connection.send(long)
      connection.send(long)
      assert.throws(() => connection.send(message as never), { name: 'TypeError', message: error })
    }
    const told: string[] = []
    ann.on('message', (data: Buffer) => told.push(String(data)))
    connection.close()
    await once(ann, 'close')
    assert.deepEqual([...new Set(told)], [JSON.stringify(long)])
  } finally {
    await world.close()
  }
})

test('send: a cycle, and what code of the message throws, are thrown as they are', t => {
  const { connection } = guarded(t, policy).seat()
  assert.throws(() => connection.send(cycle), /circular structure/)
  const boom = new RangeError('boom')
  const hostile = {
    get text(): string {
      throw boom
    },
  }
  assert.throws(() => connection.send(hostile), boom)
})

for (const [message, text] of [
  [{}, '{}'],
  [new Nothing(), '{}'],
  [new Fields(), '{"type":"chat"}'],
  [{ 0: 'a' }, '{"0":"a"}'],
  [[0], '[0]'],
  [{ at: new Date(0), text: undefined }, '{"at":"1970-01-01T00:00:00.000Z"}'],
] as const) {
  test(`send: ${show(message)} is sent as ${text}`, () => assert.equal(textOf(message), text))
}

for (const [what, toJSON] of [
  ['text', (value: bigint) => String(value)],
  ['a number, which rounds', Number],
] as const) {
  test(`bigIntegers 'bigint' writes integers though BigInt.prototype.toJSON of the app answers ${what}`, () => {
    const { prototype } = BigInt
    const answer = function (this: bigint): unknown {
      return toJSON(this)
    }
    Object.defineProperty(prototype, 'toJSON', { value: answer, configurable: true, writable: true })
    try {
      const id = 9007199254740993n
      const rows = [{ id: 18446744073709551615n }, 5n]
      const text = '{"type":"row","id":9007199254740993,"rows":[{"id":18446744073709551615},5]}'
      assert.equal(textOf({ type: 'row', id, rows }, 'bigint'), text)
      // Without the policy's word the app's own toJSON stands.
      assert.equal(textOf({ type: 'row', id }), JSON.stringify({ type: 'row', id }))
    } finally {
      Reflect.deleteProperty(prototype, 'toJSON')
    }
  })
}
