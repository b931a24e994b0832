import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type } from 'typebox'
import { createMessageReader } from '../../src/fast-path/template.ts'
import { Chat, CHAT, chat, policyFor, pairOf, read, taught, twice } from './template-fixtures.ts'

test('what was seen once is read, with a value that is its own', () => {
  const { reader, take } = taught({ chat: Chat }, CHAT)
  const first = take(chat('one'))
  const second = take(chat('two'))
  assert.deepStrictEqual(first, { type: 'chat', value: { type: 'chat', message: 'one', roomId: 'lobby' } })
  assert.deepStrictEqual(second!.value, { type: 'chat', message: 'two', roomId: 'lobby' })
  assert.equal(Object.getPrototypeOf(first!.value), Object.prototype)
  for (const property of Object.values(Object.getOwnPropertyDescriptors(first!.value))) {
    assert.ok(property.writable && property.enumerable && property.configurable)
  }
  Object.assign(first!.value, { message: 'changed', more: 1 })
  assert.deepStrictEqual(read(reader, chat('three'))!.value, { type: 'chat', message: 'three', roomId: 'lobby' })
})

test('nested objects are fresh as well', () => {
  const types = { at: Type.Object({ type: Type.Literal('at'), at: Type.Object({ x: Type.Number() }) }) }
  const { take } = taught(types, '{"type":"at","at":{"x":1}}')
  const first = take('{"type":"at","at":{"x":2}}')!.value as { at: { x: number } }
  first.at.x = 99
  const second = take('{"type":"at","at":{"x":2}}')!.value as { at: { x: number } }
  assert.notEqual(first.at, second.at)
  assert.equal(second.at.x, 2)
})

const written: readonly [name: string, text: string][] = [
  ['as Python writes it', '{"type": "chat", "message": "hello", "roomId": "lobby"}'],
  ['indented', '{\n  "type": "chat",\n\t"message" : "hello"\r\n}\n'],
  ['in another order', '{"roomId":"lobby","message":"hello","type":"chat"}'],
  ['without the optional field', '{"type":"chat","message":"hello"}'],
  ['with nothing in it', '{"type":"chat","message":""}'],
]
for (const [name, text] of written) {
  test(`read again: ${name}`, () => {
    const { take } = taught({ chat: Chat }, text)
    assert.ok(take(text) !== null)
    assert.ok(take(text.replace(/"message"(\s*:\s*)"[^"]*"/, '"message"$1"other words"')) !== null)
  })
}

const unlike: readonly [name: string, text: string][] = [
  ['one space more', '{"type": "chat","message":"hello","roomId":"lobby"}'],
  ['a byte after the end', `${CHAT} `],
  ['a second message after the end', CHAT + CHAT],
  ['a byte less', CHAT.slice(0, -1)],
  ['a byte less at the start', CHAT.slice(1)],
  ['nothing', ''],
  ['another type', '{"type":"chaT","message":"hello","roomId":"lobby"}'],
  ['another key', '{"type":"chat","messagE":"hello","roomId":"lobby"}'],
  ['a key twice, in the value', chat('a","message":"b')],
  ['a key twice, at the end', '{"type":"chat","message":"hello","roomId":"lobby","message":"b"}'],
  ['__proto__ in the value', chat('a","__proto__":"b')],
  ['an escaped letter', chat(String.raw`\u0061`)],
  ['an escaped quote', chat(String.raw`a\"b`)],
  ['an escaped backslash', chat(String.raw`a\\`)],
  ['an escaped lone surrogate', chat(String.raw`\ud800`)],
  ['an escape that escapes the end', chat('a\\')],
  ['a raw line feed', chat('a\nb')],
  ['a raw NUL', chat('\0')],
  ['the last control character', chat('\x1f')],
  ['no string', '{"type":"chat","message":1,"roomId":"lobby"}'],
  ['an object', '{"type":"chat","message":{},"roomId":"lobby"}'],
  ['beyond ASCII, were the wire wrong about it', chat('\xe9')],
  ['beyond ASCII, far into a word', chat('abcdefghijklmnopqrstu\xff')],
]
for (const [name, text] of unlike) {
  test(`not read: ${name}`, () => {
    const { reader } = taught({ chat: Chat }, CHAT)
    assert.ok(read(reader, CHAT) !== null)
    assert.equal(read(reader, text), null)
  })
}

test('nothing beyond the bounds is read', () => {
  const { reader } = taught({ chat: Chat }, CHAT)
  const bytes = Buffer.from(CHAT)
  assert.ok(reader.read(bytes, 0, bytes.length) !== null)
  for (let end = 0; end < bytes.length; end++) assert.equal(reader.read(bytes, 0, end), null)
  assert.equal(reader.read(bytes, 0, bytes.length + 1), null)
  assert.equal(reader.read(bytes, -1, bytes.length), null)
  assert.equal(reader.read(bytes, bytes.length, 0), null)
  assert.equal(reader.read(Buffer.alloc(0), 0, 0), null)
})

test('a message that is cut short at the very end of memory is not read, and nothing throws', () => {
  const { reader } = taught({ chat: Chat }, CHAT)
  for (let length = 0; length <= CHAT.length; length++) {
    const memory = Buffer.from(new TextEncoder().encode(CHAT).slice(0, length).buffer)
    assert.equal(reader.read(memory, 0, length) !== null, length === CHAT.length)
    assert.equal(reader.read(memory, 0, length + 1), null)
    assert.equal(reader.read(memory, -1, length), null)
  }
})

test('a hostile byte at any place of a string of any length is seen', () => {
  const { reader, take } = taught({ chat: Chat }, CHAT)
  for (const length of [1, 3, 4, 5, 15, 16, 17, 31, 33, 64, 100, 2040, 2047, 2048, 2049, 2100, 5000]) {
    assert.ok(take(chat('x'.repeat(length))) !== null, `${length} plain bytes`)
    const places = new Set([
      0,
      1,
      2,
      3,
      15,
      16,
      31,
      32,
      33,
      length >> 1,
      length - 34,
      length - 17,
      length - 2,
      length - 1,
    ])
    for (const place of places) {
      if (place < 0 || place >= length) continue
      for (const hostile of ['"', '\\', '\0', '\n', '\x1f', '\x80', '\xff']) {
        const text = chat('x'.repeat(place) + hostile + 'x'.repeat(length - place - 1))
        assert.equal(read(reader, text), null, `${JSON.stringify(hostile)} at ${place} of ${length}`)
      }
      for (const harmless of [' ', '!', '#', '[', ']', '\x7f']) {
        assert.ok(take(chat('x'.repeat(place) + harmless + 'x'.repeat(length - place - 1))) !== null)
      }
    }
  }
})

test('a long prefix that all share is not compared over and over: the reader gives up', () => {
  const pair = pairOf(policyFor({ chat: Chat }))
  const ending = (index: number): string => `{"message":"${'x'.repeat(5000)}","type":"chat"${' '.repeat(index)}}`
  for (let index = 0; index < 16; index++) pair.take(ending(index))
  const known = Array.from({ length: 16 }, (_, index) => read(pair.reader, ending(index)) !== null)
  assert.ok(known[0])
  assert.ok(known.filter(Boolean).length <= 3)
})

test('a pattern is asked but once a message', () => {
  let asked = 0
  class Counted extends RegExp {
    override test(text: string): boolean {
      asked++
      return super.test(text)
    }
  }
  const types = { t: { type: 'object', properties: { type: { const: 't' }, v: { type: 'string', pattern: 'a|b' } } } }
  const original = globalThis.RegExp
  globalThis.RegExp = Counted as RegExpConstructor
  const reader = createMessageReader(policyFor(types))!
  globalThis.RegExp = original
  for (let index = 0; index < 16; index++) {
    const text = `{"v":"a","type":"t"${' '.repeat(index)}}`
    reader.learn(text, 't', ...twice(JSON.parse(text)))
  }
  asked = 0
  assert.equal(read(reader, '{"v":"c","type":"t"}'), null)
  assert.equal(asked, 1)
})

const EXACT = Type.Object({
  type: Type.Literal('t'),
  n: Type.Optional(Type.Number()),
  s: Type.Optional(Type.String()),
  p: Type.Optional(Type.String({ pattern: 'a|b' })),
})
const spellings: readonly [name: string, learned: string, text: string, goesOn: boolean][] = [
  ['as JSON.stringify writes it', '{"type":"t","s":"a"}', '{"type":"t","s":"b"}', true],
  ['keys in another order', '{"s":"a","type":"t"}', '{"s":"b","type":"t"}', true],
  ['DEL, which is not escaped', '{"type":"t","s":"a"}', '{"type":"t","s":"\x7f"}', true],
  ['spaces', '{"type": "t", "s": "a"}', '{"type": "t", "s": "b"}', true],
  ['a line end behind it', '{"type":"t","s":"a"}\n', '{"type":"t","s":"b"}\n', true],
  ['an integer', '{"type":"t","n":1}', '{"type":"t","n":-999999999999999}', true],
  ['a fraction', '{"type":"t","n":1}', '{"type":"t","n":-10.25}', true],
  ['the least fraction without an exponent', '{"type":"t","n":1}', '{"type":"t","n":0.000001}', true],
  ['a fraction that would have an exponent', '{"type":"t","n":1}', '{"type":"t","n":0.0000001}', true],
  ['another, with many digits', '{"type":"t","n":1}', '{"type":"t","n":0.00000012345678}', true],
  ['a fraction that ends in 0', '{"type":"t","n":1}', '{"type":"t","n":1.50}', true],
  ['a fraction of zero', '{"type":"t","n":1}', '{"type":"t","n":7.0}', true],
  ['learned from a number that is written otherwise', '{"type":"t","n":1.0}', '{"type":"t","n":1}', true],
  ['learned from such a number, and a space', '{"type": "t","n":1.00}', '{"type": "t","n":1}', true],
  ['learned from such a number, and spaced so that it is as long', '{"type": "t","n":1}', '{"type": "t","n":1}', true],
  ['a pattern that only a value can be asked for', '{"type":"t","p":"a"}', '{"type":"t","p":"b"}', false],
]
for (const [name, learned, text, goesOn] of spellings) {
  test(`${name}: the bytes ${goesOn ? 'can go on for the value' : 'do not stand for the value, which is made'}`, () => {
    const { reader, take } = taught({ t: EXACT }, learned)
    assert.notEqual(take(text), null)
    assert.deepEqual(read(reader, text, false), { type: 't', value: goesOn ? null : JSON.parse(text) })
  })
}

test('the bytes of a message do not go on where a pattern refuses its value', () => {
  const { reader } = taught({ t: EXACT }, '{"type":"t","p":"a"}')
  assert.equal(read(reader, '{"type":"t","p":"c"}', false), null)
})
