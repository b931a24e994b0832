import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMessageReader } from '../../src/fast-path/template.ts'
import { Chat, CHAT, policyFor, type Pair, pairOf, read, twice } from './template-fixtures.ts'

const T = '{"type":"t","v":"a"}'

/** What must not be learned, taught a hundred times over. */
const unlearned: readonly [name: string, text: string, (pair: Pair) => void][] = [
  [
    'a field was stripped',
    '{"type":"chat","message":"a","isAdmin":true}',
    ({ reader, ask }) => {
      const text = '{"type":"chat","message":"a","isAdmin":true}'
      const { input, subject } = ask(text)
      assert.notEqual(input, subject.value)
      reader.learn(text, 'chat', input, subject.value)
    },
  ],
  [
    'an undeclared field, said to have passed whole',
    '{"type":"chat","message":"a","isAdmin":true}',
    ({ reader }) => lie(reader, '{"type":"chat","message":"a","isAdmin":true}'),
  ],
  [
    'a key twice',
    '{"type":"chat","message":"a","message":"b"}',
    p => lie(p.reader, '{"type":"chat","message":"a","message":"b"}'),
  ],
  ['a required field is missing', '{"type":"chat"}', ({ reader }) => lie(reader, '{"type":"chat"}')],
  ['no type', '{"message":"a"}', ({ reader }) => lie(reader, '{"message":"a"}')],
  ['another type', '{"type":"other","message":"a"}', ({ reader }) => lie(reader, '{"type":"other","message":"a"}')],
  [
    'a key that is escaped',
    '{"type":"chat","\\u006dessage":"a"}',
    p => lie(p.reader, '{"type":"chat","\\u006dessage":"a"}'),
  ],
  ['a value that its schema refuses', '{"type":"chat","message":1}', p => lie(p.reader, '{"type":"chat","message":1}')],
  [
    'a text that is no JSON',
    '{"type":"chat","message":"a"',
    ({ reader }) => lie(reader, '{"type":"chat","message":"a"', {}),
  ],
  [
    'a text with a tail',
    '{"type":"chat","message":"a"}x',
    ({ reader }) => lie(reader, '{"type":"chat","message":"a"}x', {}),
  ],
]
function lie(reader: Pair['reader'], text: string, value: unknown = JSON.parse(text)): void {
  for (let i = 0; i < 1000; i++) reader.learn(text, 'chat', value, value)
}
for (const [name, text, teach] of unlearned) {
  test(`not learned: ${name}`, () => {
    const pair = pairOf(policyFor({ chat: Chat, other: Chat }))
    teach(pair)
    assert.equal(read(pair.reader, text), null)
  })
}

/** Said to have passed, though the schema of `t` refuses them: as a caller in report mode might say. */
const refused: readonly [name: string, t: object, text: string][] = [
  ['fewer fields than there must be', { minProperties: 3, properties: { v: { type: 'string' } } }, T],
  ['more fields than there may be', { maxProperties: 1, properties: { v: { type: 'string' } } }, T],
  ['another constant', { properties: { v: { const: 'b' } } }, T],
  ['no type at all', { properties: { v: { type: 'string' } } }, '{"v":"a"}'],
  ['a type that its own field refuses', { properties: { type: { const: 'u' }, v: { type: 'string' } } }, T],
  ['a type that is too short', { properties: { type: { type: 'string', minLength: 2 }, v: { type: 'string' } } }, T],
  ['a type where a number is declared', { properties: { type: { type: 'number' }, v: { type: 'string' } } }, T],
  ['an undeclared type where all is closed', { additionalProperties: false, properties: { v: { type: 'string' } } }, T],
  ['a number where text is declared', { properties: { v: { type: 'string' } } }, '{"type":"t","v":1}'],
  ['text where an object is declared', { properties: { v: { type: 'object', properties: {} } } }, T],
  ['an object where text is declared', { properties: { v: { type: 'string' } } }, '{"type":"t","v":{}}'],
  [
    'a key that reaches into prototypes',
    { properties: { prototype: { type: 'string' } } },
    '{"type":"t","prototype":"a"}',
  ],
  ['a key that all objects inherit', { properties: { toString: { type: 'string' } } }, '{"type":"t","toString":"a"}'],
  ['a key that is an index: it would move', { properties: { 1: { type: 'string' } } }, '{"type":"t","1":"a"}'],
]
for (const [name, t, text] of refused) {
  test(`not learned, whatever a caller says: ${name}`, () => {
    const reader = createMessageReader(policyFor({ t: { type: 'object', ...t } }))!
    for (let i = 0; i < 1000; i++) reader.learn(text, 't', ...twice(JSON.parse(text)))
    assert.equal(read(reader, text), null)
  })
}

test('not learned: a value that is not the one that was parsed', () => {
  const { reader } = pairOf(policyFor({ chat: Chat }))
  for (let i = 0; i < 1000; i++) reader.learn(CHAT, 'chat', JSON.parse(CHAT), JSON.parse(CHAT))
  assert.equal(read(reader, CHAT), null)
})

test('not learned: a text whose own value is refused, though another would pass', () => {
  const t = { type: 'object', properties: { n: { type: 'number', maximum: 3 } } }
  const reader = createMessageReader(policyFor({ t }))!
  for (let i = 0; i < 1000; i++) reader.learn('{"type":"t","n":4}', 't', ...twice({ type: 't', n: 4 }))
  assert.equal(read(reader, '{"type":"t","n":2}'), null)
})

const bounded: readonly [name: string, text: string, learned: boolean, depth?: number, width?: number][] = [
  ['depth: at the bound', '{"type":"d","a":{"b":{}}}', true, 3],
  ['depth: one above', '{"type":"d","a":{"b":{}}}', false, 2],
  ['width: at the bound', '{"type":"d","a":{},"s":""}', true, 32, 3],
  ['width: one above', '{"type":"d","a":{},"s":""}', false, 32, 2],
  ['literals: 1 KiB', `{"type":"d","s":""${' '.repeat(1024 - 19)}}`, true],
  ['literals: a byte more', `{"type":"d","s":""${' '.repeat(1024 - 18)}}`, false],
  ['leaves: 64', wide(64), true],
  ['leaves: 65', wide(65), false],
  ['a long text', `{"type":"d","s":"${'x'.repeat(256 * 1024 - 19)}"}`, true],
  ['too long a text', `{"type":"d","s":"${'x'.repeat(256 * 1024 - 18)}"}`, false],
]
function wide(count: number): string {
  return `{"type":"d",${Array.from({ length: count }, (_, i) => `"n${i}":${i}`).join()}}`
}
for (const [name, text, learned, depth = 32, width = 1000] of bounded) {
  test(`bound: ${name}`, () => {
    const numbers = Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`n${i}`, { type: 'number' }]))
    const inner = { type: 'object', properties: { b: { type: 'object', properties: {} } } }
    const d = { type: 'object', properties: { s: { type: 'string' }, a: inner, ...numbers } }
    const { reader } = pairOf(policyFor({ d }, { format: { depth, width } }))
    const value: unknown = JSON.parse(text)
    reader.learn(text, 'd', value, value)
    assert.equal(read(reader, text) !== null, learned)
  })
}
