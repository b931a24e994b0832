import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { Compile as CompileSchema } from 'typebox/schema'
import * as z from 'zod'
import type { Schema } from '../../src/message/schema-kinds.ts'
import { createMessageReader } from '../../src/message/skeleton.ts'
import { policyFor, type Pair, pairOf, read, taught, taughtLeaf } from './skeleton-fixtures.ts'

const Chat = Type.Object({
  type: Type.Literal('chat'),
  message: Type.String({ maxLength: 100_000 }),
  roomId: Type.Optional(Type.String()),
})
const CHAT = '{"type":"chat","message":"hello","roomId":"lobby"}'
const chat = (message: string): string => `{"type":"chat","message":"${message}","roomId":"lobby"}`

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

const leaves: readonly [
  name: string,
  leaf: Schema,
  taught: string,
  read: readonly string[],
  passes: readonly string[],
  denied: readonly string[],
][] = [
  [
    'minLength',
    { type: 'string', minLength: 2 },
    '"abc"',
    ['"ab"', '"abcd"'],
    ['"\\u0061b"'],
    ['"a"', '""', '"\\u0061"'],
  ],
  ['minLength 2.5', { type: 'string', minLength: 2.5 }, '"abcd"', ['"abc"'], [], ['"ab"']],
  [
    'maxLength',
    { type: 'string', maxLength: 2 },
    '"a"',
    ['"ab"', '""'],
    ['"\\u0061b"'],
    ['"abc"', `"${'x'.repeat(99)}"`],
  ],
  ['maxLength 2.5', { type: 'string', maxLength: 2.5 }, '"a"', ['"ab"'], [], ['"abc"']],
  ['maxLength 0', { type: 'string', maxLength: 0 }, '""', ['""'], [], ['"a"']],
  ['both lengths', { type: 'string', minLength: 2, maxLength: 2 }, '"ab"', ['"cd"'], [], ['"a"', '"abc"']],
  ['a length beyond 2^31', { type: 'string', maxLength: 2 ** 40 }, '"ab"', ['""', '"abc"'], [], ['1']],
  ['a pattern with a table', { type: 'string', pattern: '^[a-f]{2}$' }, '"ab"', ['"ff"'], [], ['"a"', '"abc"', '"ag"']],
  [
    'a table and lengths',
    { type: 'string', pattern: '^[a-f]*$', minLength: 1, maxLength: 3 },
    '"ab"',
    ['"a"', '"abc"'],
    [],
    ['""', '"abcd"', '"g"'],
  ],
  ['a pattern without a table', { type: 'string', pattern: 'a|b' }, '"a"', ['"xbx"'], ['"\\u0061"'], ['"c"', '""']],
  ['a pattern by code points', { type: 'string', pattern: '^.(x|y)$' }, '"ax"', ['"by"'], [], ['"abx"']],
  ['minimum', { type: 'number', minimum: 1.5 }, '2', ['1.5', '1.6'], ['1.5e0'], ['1.4', '1', '-2', '0']],
  ['maximum', { type: 'number', maximum: 1.5 }, '1', ['1.5', '1.4', '-9', '0'], ['-0', '1e-9'], ['1.6', '2']],
  ['exclusiveMinimum', { type: 'number', exclusiveMinimum: 0 }, '1', ['0.1'], ['1e-300'], ['0', '-0', '0.0', '-1']],
  ['exclusiveMaximum', { type: 'number', exclusiveMaximum: 0 }, '-1', ['-0.1'], [], ['0', '-0', '1']],
  ['integer', { type: 'integer', minimum: 1, maximum: 3 }, '2', ['1', '3', '1.0'], ['1e0'], ['0', '4', '1.5', '"1"']],
  [
    'number',
    { type: 'number' },
    '1',
    ['0', '-1', '0.5', '0.10', '-0.000001', '999999999999999', '-999999999999999', '0.00000000000001'],
    ['-0', '-0.0', '1e2', '1E+2', '9999999999999999', '1.234567890123456', '0.000000000000001'],
    ['01', '-01', '.5', '5.', '+1', '1e999', '-', '', 'NaN', '1_0', '"1"', 'true', 'null', '00', '0x1', '1.2.3', '--1'],
  ],
  [
    'boolean',
    { type: 'boolean' },
    'true',
    ['true', 'false'],
    [' true'],
    ['tru', 'truee', '1', '"true"', 'null', 'TRUE'],
  ],
  ['null', { type: 'null' }, 'null', ['null'], [' null'], ['nul', 'nulll', '0', '"null"']],
  ['const text', { const: 'a' }, '"a"', ['"a"'], ['"\\u0061"'], ['"b"', '""', 'a', '"aa"']],
  ['const number', { type: 'integer', const: 1 }, '1', ['1'], ['1.0', '1e0'], ['2', '11', '"1"']],
  ['enum of text', { enum: ['a', 'ab', 'abc'] }, '"ab"', ['"a"', '"abc"'], ['"\\u0061"'], ['"abcd"', '""', '"A"']],
  ['enum of numbers', { enum: [1, 12, -1, 0.5] }, '12', ['1', '-1', '0.5'], ['1.0', '5e-1'], ['123', '2', '-', '"1"']],
  [
    'enum of all kinds',
    { enum: ['1', 1, true, null] },
    '1',
    ['"1"', 'true', 'null'],
    [],
    ['false', '11', 'nul', '"true"'],
  ],
  ['enum, of one type only', { type: 'string', enum: ['1', '2', 1] }, '"1"', ['"2"'], [], ['1']],
  ['enum beyond ASCII', { enum: ['é', 'e', 'f'] }, '"e"', ['"f"'], ['"\\u00e9"'], ['"g"']],
  ['enum beyond Latin-1, cut to a letter', { enum: ['\u0161', 'e', 'f'] }, '"e"', ['"f"'], ['"\\u0161"'], ['"a"']],
  ['TypeBox: a literal', Type.Literal('x'), '"x"', ['"x"'], [], ['"y"']],
  ['TypeBox: an enum', Type.Enum(['x', 'y']), '"x"', ['"y"'], [], ['"z"']],
]
for (const [name, leaf, token, yes, passes, no] of leaves) {
  test(`leaf: ${name}`, () => {
    const judge = taughtLeaf(leaf, token)
    for (const one of yes) assert.equal(judge(one), 'read', one)
    for (const one of passes) assert.equal(judge(one), 'asked, passes', one)
    for (const one of no) assert.equal(judge(one), 'asked, denied', one)
  })
}

test('numbers are those of JSON.parse, to the last bit', () => {
  const { take } = taught({ n: Type.Object({ type: Type.Literal('n'), n: Type.Number() }) }, '{"type":"n","n":1}')
  let random = 1
  const digits = (count: number): string => {
    let text = ''
    for (let i = 0; i < count; i++) text += (random = (random * 48_271) % 2_147_483_647) % 10
    return text
  }
  for (let whole = 1; whole <= 15; whole++) {
    for (let fraction = 0; fraction <= 15 - whole; fraction++) {
      for (let i = 0; i < 40; i++) {
        const number = `${String(Number(digits(whole)))}${fraction === 0 ? '' : `.${digits(fraction)}`}`
        if (Number(number) !== 0) assert.ok(take(`{"type":"n","n":-${number}}`) !== null, number)
        assert.ok(take(`{"type":"n","n":${number}}`) !== null, number)
      }
    }
  }
})

const objectOf = (rest: object, properties: object = { v: { type: 'string' } }): Schema => ({
  type: 'object',
  properties: { type: { const: 't' }, ...properties },
  ...rest,
})
const T = '{"type":"t","v":"a"}'
const readable: readonly [name: string, schema: Schema, text?: string][] = [
  ['JSON Schema', objectOf({})],
  ['annotations', objectOf({ $id: 'x', $schema: 'y', title: 't', 'x-own': 1, $comment: 'c', $defs: { a: {} } })],
  ['additionalProperties: false', objectOf({ additionalProperties: false })],
  ['additionalProperties: true', objectOf({ additionalProperties: true })],
  ['bounds on the number of fields', objectOf({ minProperties: 2, maxProperties: 2 })],
  ['a TypeBox type', Type.Object({ type: Type.Literal('t'), v: Type.Optional(Type.Readonly(Type.String())) })],
  ['compiled by typebox/compile', Compile(Type.Object({ type: Type.Literal('t'), v: Type.String() }))],
  ['compiled by typebox/schema', CompileSchema({ ...(objectOf({}) as object) })],
  ['a field that is not readable, left out', objectOf({}, { v: { type: 'string' }, w: { type: 'array' } })],
  ['an undeclared type', { type: 'object', properties: { v: { type: 'string' } } }],
]
for (const [name, schema, text = T] of readable) {
  test(`readable: ${name}`, () => assert.ok(taught({ t: schema }, text).take(text) !== null))
}

const Ajv = createRequire(import.meta.url)('ajv').Ajv2020 ?? createRequire(import.meta.url)('ajv/dist/2020.js').default
const unreadable: readonly [name: string, schema: Schema][] = [
  ['a Standard Schema', z.object({ type: z.literal('t'), v: z.string() })],
  ['Ajv', new Ajv().compile(objectOf({}))],
  ['$ref at the root', { $ref: '#/$defs/t', $defs: { t: objectOf({}) } }],
  ['allOf', objectOf({ allOf: [{ type: 'object', properties: { v: { minLength: 1 } } }] })],
  ['anyOf', objectOf({ anyOf: [{ required: ['v'] }] })],
  ['if', objectOf({ if: { required: ['w'] }, else: { properties: { v: { maxLength: 1 } } } })],
  ['not', objectOf({ not: { required: ['w'] } })],
  ['dependentRequired', objectOf({ dependentRequired: { v: ['type'] } })],
  ['patternProperties', objectOf({ patternProperties: { '^v': { maxLength: 1 } } })],
  ['propertyNames', objectOf({ propertyNames: { maxLength: 5 } })],
  ['additionalProperties with a schema', objectOf({ additionalProperties: { type: 'string' } })],
  ['unevaluatedProperties', objectOf({ unevaluatedProperties: false })],
  ['refined by TypeBox', Type.Refine(Type.Object({ type: Type.Literal('t'), v: Type.String() }), () => true)],
  ['an array type', objectOf({ type: ['object'] })],
  ['a schema with a prototype', Object.assign(Object.create({ maxProperties: 9 }), objectOf({}))],
]
for (const [name, schema] of unreadable) {
  test(`no reader: ${name}`, () => {
    assert.equal(createMessageReader(policyFor({ t: schema })), null)
    const { ask, reader } = pairOf(policyFor({ t: schema, chat: Chat }))
    const { passes, input, subject } = ask(T)
    assert.ok(passes)
    reader.learn(T, 't', input, subject.value)
    assert.equal(read(reader, T), null)
  })
}

const fields: readonly [name: string, field: Schema, token: string][] = [
  ['format', { type: 'string', format: 'email' }, '"a@b.example"'],
  ['multipleOf', { type: 'number', multipleOf: 2 }, '2'],
  ['anyOf', { anyOf: [{ type: 'string' }, { type: 'null' }] }, '"a"'],
  ['$ref', { $ref: '#/$defs/v' }, '"a"'],
  ['a list of types', { type: ['string', 'null'] }, '"a"'],
  ['anything', { title: 'anything' }, '"a"'],
  ['an array', { type: 'array', items: { type: 'string' } }, '["a"]'],
  ['a keyword of another type', { type: 'string', minimum: 2 }, '"a"'],
  ['lengths without a type', { maxLength: 2 }, '"a"'],
  ['a pattern with flags', { type: 'string', pattern: /^A/i }, '"a"'],
  ['const that is an object', { const: { a: 1 } }, '{"a":1}'],
  ['enum with an object', { enum: ['a', { a: 1 }] }, '"a"'],
  ['enum and const', { enum: ['a', 'b'], const: 'a' }, '"a"'],
  ['more choices than are tried', { enum: Array.from({ length: 65 }, (_, i) => `${i}`) }, '"1"'],
  ['refined by TypeBox', Type.Refine(Type.String(), value => value !== 'b'), '"a"'],
  ['inherited keywords', Object.assign(Object.create({ maxLength: 1 }), { type: 'string' }), '"a"'],
]
for (const [name, field, token] of fields) {
  test(`a message with a field that is not readable is never learned: ${name}`, () => {
    const schema = { ...(objectOf({}, { v: field }) as object), $defs: { v: { type: 'string' } } }
    const text = `{"type":"t","v":${token}}`
    const { take } = taught({ t: schema }, text)
    for (let i = 0; i < 600; i++) assert.equal(take(text), null)
  })
}

test('a validator that only looks like one of TypeBox has no reader: what it checks besides is not known', () => {
  const inner = Compile(Type.Object({ type: Type.Literal('t'), v: Type.String() }))
  const duck = { Check: (value: unknown) => inner.Check(value), Errors: () => [], Type: () => inner.Type() }
  const owned = Object.assign(Compile(Type.Object({ type: Type.Literal('t'), v: Type.String() })), {
    Check: () => true,
  })
  const both = Object.assign(Compile(Type.Object({ type: Type.Literal('t'), v: Type.String() })), {
    '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) },
  })
  for (const schema of [duck, owned, both]) assert.equal(createMessageReader(policyFor({ t: schema as Schema })), null)
})

const off: readonly [name: string, policy: ReturnType<typeof policyFor>][] = [
  ['format is off', policyFor({ chat: Chat }, { format: null })],
  ['text', policyFor({ chat: Chat }, { format: { data: 'text' } })],
  ['any data', policyFor({ chat: Chat }, { format: { data: 'any' } })],
  ['dangerous keys are allowed', policyFor({ chat: Chat }, { format: { allowKeys: ['constructor'] } })],
  ['no types', policyFor({})],
]
for (const [name, policy] of off) test(`no reader: ${name}`, () => assert.equal(createMessageReader(policy), null))

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

/** Ways to write one message, as many as are asked for. */
const variant = (index: number): string => {
  const space = [0, 1, 2, 3, 4, 5].map(at => ' '.repeat((index >> (2 * at)) & 3))
  return `{${space[0]}"type"${space[1]}:"chat"${space[2]},"message"${space[3]}:"x"${space[4]}}${space[5]}`
}

test('flooding: a peer who never writes twice alike does not drive out what others use', () => {
  const { take } = taught({ chat: Chat }, CHAT)
  let honest = 0
  for (let index = 1; index < 4096; index++) {
    take(variant(index))
    if (index % 40 === 0 && take(CHAT) !== null) honest++
  }
  assert.equal(honest, Math.floor(4095 / 40))
})

test('flooding: who fills every place first cannot keep others out', () => {
  const pair = pairOf(policyFor({ chat: Chat }))
  for (let index = 0; index < 16; index++) pair.take(variant(index))
  for (let round = 0; round < 100; round++)
    for (let index = 0; index < 16; index++) assert.ok(pair.take(variant(index)))
  let asked = 0
  while (pair.take(CHAT) === null) assert.ok(++asked <= 1024, 'learned in the end')
})

test('flooding: what was frequent once gives way to two who come now', () => {
  const pair = pairOf(policyFor({ chat: Chat }))
  for (let index = 0; index < 16; index++) pair.take(variant(index))
  for (let round = 0; round < 10_000; round++) {
    for (let index = 0; index < 16; index++) assert.ok(read(pair.reader, variant(index)))
  }
  for (let round = 0; round < 1500; round++) {
    pair.take(variant(100))
    pair.take(variant(200))
  }
  assert.ok(read(pair.reader, variant(100)))
  assert.ok(read(pair.reader, variant(200)))
})

test('flooding: once all places are taken, one is given away in 257 messages', () => {
  const pair = pairOf(policyFor({ chat: Chat }))
  for (let index = 0; index < 17; index++) pair.take(variant(index))
  assert.ok(read(pair.reader, variant(16)), 'the first newcomer waits for nothing')
  for (let calls = 0; calls < 256; calls++) pair.take(variant(17))
  assert.equal(read(pair.reader, variant(17)), null)
  pair.take(variant(17))
  assert.ok(read(pair.reader, variant(17)))
})

test('flooding: one way of writing takes one place, however often it is taught', () => {
  const pair = pairOf(policyFor({ chat: Chat }))
  const teach = (text: string, times: number): void => {
    for (let i = 0; i < times; i++) pair.reader.learn(text, 'chat', ...twice(JSON.parse(text)))
  }
  teach(variant(0), 20)
  for (let index = 1; index < 16; index++) teach(variant(index), 40)
  for (let index = 0; index < 16; index++) assert.ok(read(pair.reader, variant(index)))
})

test('flooding: no more than 16 are known, however many are taught', () => {
  const pair = pairOf(policyFor({ chat: Chat }))
  for (let index = 0; index < 4096; index++) pair.take(variant(index))
  let known = 0
  for (let index = 0; index < 4096; index++) if (read(pair.reader, variant(index)) !== null) known++
  assert.equal(known, 16)
})

test('flooding: what is never readable is hardly looked at, and what is readable is learned all the same', () => {
  const pair = pairOf(policyFor({ chat: Chat }))
  for (let index = 0; index < 5000; index++) pair.take(chat(String.raw`\u0061`))
  let asked = 0
  while (pair.take(CHAT) === null) assert.ok(++asked <= 257, 'learned in the end')
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
const spellings: readonly [name: string, learned: string, text: string, exact: boolean][] = [
  ['as JSON.stringify writes it', '{"type":"t","s":"a"}', '{"type":"t","s":"b"}', true],
  ['keys in another order', '{"s":"a","type":"t"}', '{"s":"b","type":"t"}', true],
  ['DEL, which is not escaped', '{"type":"t","s":"a"}', '{"type":"t","s":"\x7f"}', true],
  ['spaces', '{"type": "t", "s": "a"}', '{"type": "t", "s": "b"}', false],
  ['a line end behind it', '{"type":"t","s":"a"}\n', '{"type":"t","s":"b"}\n', false],
  ['an integer', '{"type":"t","n":1}', '{"type":"t","n":-999999999999999}', true],
  ['a fraction', '{"type":"t","n":1}', '{"type":"t","n":-10.25}', true],
  ['the least fraction without an exponent', '{"type":"t","n":1}', '{"type":"t","n":0.000001}', true],
  ['a fraction that would have an exponent', '{"type":"t","n":1}', '{"type":"t","n":0.0000001}', false],
  ['another, with many digits', '{"type":"t","n":1}', '{"type":"t","n":0.00000012345678}', false],
  ['a fraction that ends in 0', '{"type":"t","n":1}', '{"type":"t","n":1.50}', false],
  ['a fraction that is none', '{"type":"t","n":1}', '{"type":"t","n":7.0}', false],
  ['learned from a number that is written otherwise', '{"type":"t","n":1.0}', '{"type":"t","n":1}', true],
  ['learned from such a number, and a space', '{"type": "t","n":1.00}', '{"type": "t","n":1}', false],
  ['learned from such a number, and spaced so that it is as long', '{"type": "t","n":1}', '{"type": "t","n":1}', false],
  ['a pattern that only a value can be asked for', '{"type":"t","p":"a"}', '{"type":"t","p":"b"}', false],
]
for (const [name, learned, text, exact] of spellings) {
  test(`${name}: the bytes ${exact ? 'can go on for the value' : 'do not stand for the value, which is made'}`, () => {
    const { reader, take } = taught({ t: EXACT }, learned)
    assert.notEqual(take(text), null)
    assert.deepEqual(read(reader, text, false), { type: 't', value: exact ? null : JSON.parse(text) })
  })
}

test('the bytes of a message do not go on where a pattern refuses its value', () => {
  const { reader } = taught({ t: EXACT }, '{"type":"t","p":"a"}')
  assert.equal(read(reader, '{"type":"t","p":"c"}', false), null)
})

function twice(value: unknown): [unknown, unknown] {
  return [value, value]
}
