import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc } from '../../../../test/support/fast-check.ts'
import { format } from '../../src/controls/message/format.ts'
import { keyTokens, keyWeight } from '../../src/schema/key-tokens.ts'
import type { Policy } from '../../src/policy/types.ts'
import { PASS } from '../../src/model/verdict.ts'
import { atOnce, binaryOf, codeOf, connectionOf, policyWith, textOf } from './door-fixtures.ts'
import { scan } from './strict-json.ts'

type Format = NonNullable<Policy['message']['format']>
const JSON_FORMAT: Format = { data: 'json', depth: 4, width: 5, allowKeys: [], bigIntegers: 'refuse' }

const compile = (change: Partial<Format> | null = {}) =>
  format.compile(policyWith({ format: change === null ? null : { ...JSON_FORMAT, ...change } }))!

function run(text: string, change: Partial<Format> | null = {}) {
  const subject = textOf(text)
  return { code: codeOf(atOnce(compile(change)(subject, connectionOf()))), value: subject.value }
}

const keys = (count: number): string =>
  JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 0])))

const rows: readonly [name: string, text: string, code: string, change?: Partial<Format>][] = [
  ['a plain message', '{"type":"chat","n":[1,{"a":null}]}', 'PASS'],
  ['an empty object', '{}', 'PASS'],
  ['whitespace of every kind', ' \t\r\n{ \n"a" \t:\r1 , "b"\n:\t{ } }\n', 'PASS'],
  ['no text', '', 'SALLY_MESSAGE_NOT_JSON'],
  ['no JSON', '{type:1}', 'SALLY_MESSAGE_NOT_JSON'],
  ['a trailing comma', '{"a":1,}', 'SALLY_MESSAGE_NOT_JSON'],
  ['a comment', '{"a":1}//', 'SALLY_MESSAGE_NOT_JSON'],
  ['two values', '{}{}', 'SALLY_MESSAGE_NOT_JSON'],
  ['a byte order mark', '\ufeff{}', 'SALLY_MESSAGE_NOT_JSON'],
  ['a no-break space is no whitespace', '{"a"\u00a0:1}', 'SALLY_MESSAGE_NOT_JSON'],
  ['NaN', '{"a":NaN}', 'SALLY_MESSAGE_NOT_JSON'],
  ['an array at the top', '[]', 'SALLY_MESSAGE_NOT_JSON'],
  ['null at the top', 'null', 'SALLY_MESSAGE_NOT_JSON'],
  ['a string at the top', '"x"', 'SALLY_MESSAGE_NOT_JSON'],
  ['a number at the top', '1', 'SALLY_MESSAGE_NOT_JSON'],
  ['depth: one below the bound', '{"a":{"b":{}}}', 'PASS'],
  ['depth: at the bound', '{"a":{"b":[{}]}}', 'PASS'],
  ['depth: one above, object', '{"a":{"b":[{"c":{}}]}}', 'SALLY_MESSAGE_SHAPE'],
  ['depth: one above, array', '{"a":{"b":[[[]]]}}', 'SALLY_MESSAGE_SHAPE'],
  ['depth: scalars do not count', '{"a":{"b":[{"c":1}]}}', 'PASS'],
  ['width: one below the bound', keys(4), 'PASS'],
  ['width: at the bound', keys(5), 'PASS'],
  ['width: one above, keys', keys(6), 'SALLY_MESSAGE_SHAPE'],
  ['width: at the bound, elements', '{"a":[1,2,3,4,5]}', 'PASS'],
  ['width: one above, elements', '{"a":[1,2,3,4,5,6]}', 'SALLY_MESSAGE_SHAPE'],
  ['a number beyond doubles', '{"a":1e999}', 'SALLY_MESSAGE_NUMBER'],
  ['a negative number beyond doubles, deep', '{"a":[{"b":-1e999}]}', 'SALLY_MESSAGE_NUMBER'],
  ['the greatest double', '{"a":1.7976931348623157e308}', 'PASS'],
  ['__proto__', '{"__proto__":{"isAdmin":true}}', 'SALLY_MESSAGE_KEY'],
  ['__proto__, escaped', '{"\\u005f_proto__":{"isAdmin":true}}', 'SALLY_MESSAGE_KEY'],
  ['__proto__, deep in an array', '{"a":[{"__proto__":1}]}', 'SALLY_MESSAGE_KEY'],
  ['__proto__, twice', '{"__proto__":1,"__proto__":2}', 'SALLY_MESSAGE_KEY'],
  ['constructor.prototype', '{"constructor":{"prototype":{"isAdmin":true}}}', 'SALLY_MESSAGE_KEY'],
  ['prototype', '{"prototype":1}', 'SALLY_MESSAGE_KEY'],
  ['a value may be such a word', '{"a":"__proto__"}', 'PASS'],
  ['constructor where it is allowed', '{"constructor":"Ferrari"}', 'PASS', { allowKeys: ['constructor'] }],
  [
    'prototype where only constructor is allowed',
    '{"prototype":1}',
    'SALLY_MESSAGE_KEY',
    { allowKeys: ['constructor'] },
  ],
  ['__proto__ where it is allowed is an own key', '{"__proto__":1}', 'PASS', { allowKeys: ['__proto__'] }],
  [
    '__proto__ where it is allowed, twice',
    '{"__proto__":1,"__proto__":2}',
    'SALLY_MESSAGE_KEY',
    { allowKeys: ['__proto__'] },
  ],
  ['a key twice: the first parser wins, the second loses', '{"role":"user","role":"admin"}', 'SALLY_MESSAGE_KEY'],
  ['a key twice, the same value', '{"a":1,"a":1}', 'SALLY_MESSAGE_KEY'],
  ['a key twice, once escaped', '{"a":1,"\\u0061":2}', 'SALLY_MESSAGE_KEY'],
  ['a key twice, deep', '{"x":[{"a":1,"b":2,"a":3}]}', 'SALLY_MESSAGE_KEY'],
  ['a key twice, with space before the colon', '{"a" \n\t\r :1,"a":2}', 'SALLY_MESSAGE_KEY'],
  ['an empty key twice', '{"":1,"":2}', 'SALLY_MESSAGE_KEY'],
  ['a key twice hidden in the value that is lost', '{"a":{"b":1},"a":{}}', 'SALLY_MESSAGE_KEY'],
  ['the same key in two objects', '{"a":{"a":1},"b":{"a":2}}', 'PASS'],
  ['a string that looks like keys', '{"a":"{\\"a\\":1,\\"a\\":2}"}', 'PASS'],
  ['a string that ends in backslashes', '{"a":"\\\\","b":"\\\\\\\\"}', 'PASS'],
  ['a key that ends in backslashes', '{"a\\\\":1,"a\\\\\\\\":2}', 'PASS'],
  ['a key with an escaped quote', '{"a\\":":1,"b":":"}', 'PASS'],
  ['integer-like keys', '{"1":1,"01":1,"1.0":1}', 'PASS'],
  ['an integer-like key twice', '{"1":1,"1":2}', 'SALLY_MESSAGE_KEY'],
  ['a raw lone surrogate', '{"a":"\ud800"}', 'SALLY_MESSAGE_NOT_UTF8'],
  ['an escaped lone surrogate', '{"a":"\\ud800"}', 'SALLY_MESSAGE_NOT_UTF8'],
  ['an escaped lone low surrogate, deep', '{"a":[{"b":"x\\uDC00"}]}', 'SALLY_MESSAGE_NOT_UTF8'],
  ['a lone surrogate in a key', '{"\\udfff":1}', 'SALLY_MESSAGE_NOT_UTF8'],
  ['an escaped pair', '{"a":"\\ud83d\\ude00"}', 'PASS'],
  ['half raw, half escaped', '{"a":"\ud83d\\ude00"}', 'SALLY_MESSAGE_NOT_UTF8'],
  ['an emoji', '{"a":"😀","😀":1}', 'PASS'],
  ['NUL, escaped', '{"a":"\\u0000"}', 'PASS'],
]
for (const [name, text, code, change] of rows) test(name, () => assert.equal(run(text, change).code, code))

test('what passes is what was parsed, by the shared verdict', () => {
  const subject = textOf('{"a":[1,"x"]}')
  assert.equal(compile()(subject, connectionOf()), PASS)
  assert.deepEqual(subject.value, { a: [1, 'x'] })
})

test('denied values stay readable for report mode', () => {
  assert.deepEqual(run('{"a":1,"a":2}').value, { a: 2 })
  assert.deepEqual(run('[1]').value, [1])
  assert.equal(run('nope').value, 'nope')
})

test('report mode goes on with what JSON.parse made, where one number of several is refused', () => {
  for (const bigIntegers of ['refuse', 'text', 'bigint'] as const)
    assert.deepEqual(run('{"a":9007199254740993,"b":1e999}', { bigIntegers }).value, { a: 2 ** 53, b: Infinity })
})

test('V8 misreads an escaped key after another connection sent a poisoned one: denied, never passed (nodejs/node#63785)', () => {
  for (const poison of ['{"h":[],"\\\\":0}', '{"m":1,"\\\\u005f_pr":0}', '{"é":1,"\\\\":0}']) run(poison)
  for (const victim of ['{"h":[],"\\u0061":0}', '{"h":[],"\\"":0}', '{"m":1,"\\u005f_proto__":0}', '{"é":1,"\\n":0}']) {
    const honest = scan(victim).keys
    const { code, value } = run(victim)
    if (code === 'PASS') assert.deepEqual(Object.keys(value as object), honest)
    else assert.equal(code, 'SALLY_MESSAGE_KEY')
  }
})

test('a polluted Object.prototype changes no verdict', t => {
  const prototype = Object.prototype as Record<string, unknown>
  prototype['polluted'] = { deep: [[[[]]]] }
  t.after(() => delete prototype['polluted'])
  assert.equal(run('{"a":{}}').code, 'PASS')
  assert.equal(run('{"a":1,"a":2}').code, 'SALLY_MESSAGE_KEY')
})

const bytes = new Uint8Array([1, 2])
const others: readonly [
  name: string,
  change: Partial<Format> | null,
  subject: string | Uint8Array,
  code: string,
  value: unknown,
][] = [
  ['json: binary', {}, bytes, 'SALLY_MESSAGE_NOT_TEXT', bytes],
  ['text: text is not parsed', { data: 'text' }, '{"a":1}', 'PASS', '{"a":1}'],
  ['text: binary', { data: 'text' }, bytes, 'SALLY_MESSAGE_NOT_TEXT', bytes],
  ['text: a lone surrogate', { data: 'text' }, 'x\udc00', 'SALLY_MESSAGE_NOT_UTF8', 'x\udc00'],
  ['binary: bytes', { data: 'binary' }, bytes, 'PASS', bytes],
  ['binary: text', { data: 'binary' }, '{}', 'SALLY_MESSAGE_NOT_TEXT', '{}'],
  ['any: text', { data: 'any' }, '{}', 'PASS', '{}'],
  ['any: bytes', { data: 'any' }, bytes, 'PASS', bytes],
  ['any: a lone surrogate', { data: 'any' }, '\ud800', 'SALLY_MESSAGE_NOT_UTF8', '\ud800'],
  ['off: JSON is parsed', null, '[1]', 'PASS', [1]],
  ['off: other text stays text', null, 'hello', 'PASS', 'hello'],
  ['off: bytes stay bytes', null, bytes, 'PASS', bytes],
]
for (const [name, change, data, code, value] of others) {
  test(name, () => {
    const subject = typeof data === 'string' ? textOf(data) : binaryOf(data)
    assert.equal(codeOf(atOnce(compile(change)(subject, connectionOf()))), code)
    assert.deepEqual(subject.value, value)
  })
}

const KIB_64 = 65_536
const hostile: readonly [name: string, text: string, code: string][] = [
  ['64 KiB of [', '['.repeat(KIB_64), 'SALLY_MESSAGE_NOT_JSON'],
  ['64 KiB of closed arrays', `{"a":${'['.repeat(30_000)}${']'.repeat(30_000)}}`, 'SALLY_MESSAGE_SHAPE'],
  ['64 KiB of {"a":', '{"a":'.repeat(13_000), 'SALLY_MESSAGE_NOT_JSON'],
  ['closed objects in objects', `${'{"a":'.repeat(10_000)}0${'}'.repeat(10_000)}`, 'SALLY_MESSAGE_SHAPE'],
  ['64 KiB of backslashes', `{"a":"${'\\'.repeat(KIB_64)}"}`, 'PASS'],
  ['an odd number of backslashes', `{"a":"${'\\'.repeat(KIB_64 - 1)}"}`, 'SALLY_MESSAGE_NOT_JSON'],
  ['32 Ki of escaped quotes', `{"a":"${'\\"'.repeat(KIB_64 / 2)}"}`, 'PASS'],
  ['backslashes before each of many quotes', `{"a":"${`${'\\'.repeat(255)}"`.repeat(256)}"}`, 'PASS'],
  ['30 000 keys', keys(30_000), 'SALLY_MESSAGE_SHAPE'],
  ['64 KiB of spaces', `{"a"${' '.repeat(KIB_64)}:1}`, 'PASS'],
  ['16 Ki of empty strings', `{"a":[[${'"",'.repeat(KIB_64 / 4)}""]]}`, 'SALLY_MESSAGE_SHAPE'],
]
for (const [name, text, code] of hostile) {
  test(`hostile: ${name}`, { timeout: 5000 }, () => assert.equal(run(text).code, code))
}

test('hostile: 30 000 keys that the bound allows are all counted', () => {
  assert.equal(run(keys(30_000), { width: 30_000 }).code, 'PASS')
  assert.equal(run(`{"k7":0,${keys(30_000).slice(1)}`, { width: 30_000 }).code, 'SALLY_MESSAGE_KEY')
})

/** JSON text with every liberty of the grammar: escapes, whitespace, repeated keys. */
const space = fc.stringMatching(/^[ \t\n\r]{0,2}$/)
const char = fc.constantFrom(
  ...'ab:,{}[]" \\'.split(''),
  '\\"',
  '\\\\',
  '\\u0061',
  '\\u0022',
  '\\/',
  '\\n',
  'é',
  '😀',
  '\\ud83d\\ude00',
)
const quoted = fc
  .array(char, { maxLength: 4 })
  .map(chars => `"${chars.map(c => (c === '"' || c === '\\' ? `\\${c}` : c)).join('')}"`)
const spaced = (text: fc.Arbitrary<string>) => fc.tuple(space, text, space).map(parts => parts.join(''))
const key = fc.oneof(quoted, fc.constantFrom('"a"', '"\\u0061"', '"b"', '"__proto__"', '"\\u005f_proto__"', '"1"'))
const { object } = fc.letrec<{ value: string; object: string }>(tie => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.oneof(quoted, fc.constantFrom('0', '-1.5e2', 'true', 'null', '{}', '[]')),
    fc.array(spaced(tie('value')), { maxLength: 3 }).map(items => `[${items.join(',')}]`),
    tie('object'),
  ),
  object: fc
    .array(fc.tuple(spaced(key), spaced(tie('value'))), { maxLength: 4 })
    .map(fields => `{${fields.map(([name, value]) => `${name}:${value}`).join(',')}}`),
}))
function keysOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  const own = Array.isArray(value) ? [] : Object.keys(value)
  return own.concat(Object.values(value).flatMap(keysOf))
}
/** Whether JSON.parse itself read other keys than are written: see the test on nodejs/node#63785. */
const misread = (value: unknown, written: readonly string[]): boolean =>
  JSON.stringify(keysOf(value).toSorted()) !== JSON.stringify(written.toSorted())
const ALL = { depth: 100, width: 1000, allowKeys: ['__proto__', 'constructor', 'prototype'] }

test('property: a key is written twice exactly where an independent reader finds it', () => {
  let duplicates = 0
  fc.assert(
    fc.property(object, text => {
      const reference = scan(text)
      if (reference.duplicate) duplicates++
      const weight = reference.keys.reduce((sum, name) => sum + keyWeight(name), 0)
      assert.equal(keyTokens(text), weight)
      const { code, value } = run(text, ALL)
      if (reference.duplicate) assert.equal(code, 'SALLY_MESSAGE_KEY')
      else if (misread(value, reference.keys)) assert.equal(code, 'SALLY_MESSAGE_KEY')
      else assert.equal(code, 'PASS')
    }),
    { numRuns: 3000 },
  )
  assert.ok(duplicates > 100, 'the generator writes repeated keys')
})

test('property: __proto__ is found wherever an independent reader finds it', () => {
  fc.assert(
    fc.property(object, text => {
      const found = scan(text).keys.includes('__proto__')
      if (found) assert.equal(run(text, { ...ALL, allowKeys: [] }).code, 'SALLY_MESSAGE_KEY')
    }),
    { numRuns: 1000 },
  )
})

test('property: depth and width are those of an independent reader', () => {
  fc.assert(
    fc.property(object, text => {
      const { depth, width, duplicate, keys: written } = scan(text)
      if (duplicate || misread(JSON.parse(text), written)) return
      assert.equal(run(text, { ...ALL, depth, width }).code, 'PASS')
      assert.equal(run(text, { ...ALL, depth: depth - 1 }).code, 'SALLY_MESSAGE_SHAPE')
      if (width > 0) assert.equal(run(text, { ...ALL, width: width - 1 }).code, 'SALLY_MESSAGE_SHAPE')
    }),
    { numRuns: 1000 },
  )
})

test('property: any text is denied or passes as JSON.parse reads it; nothing throws', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json(), object), text => {
      const { code, value } = run(text, ALL)
      if (code === 'PASS') assert.deepEqual(value, JSON.parse(text))
    }),
    { numRuns: 1000 },
  )
})
