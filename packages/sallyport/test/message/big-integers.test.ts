import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { Type } from 'typebox'
import { format } from '../../src/controls/message/format.ts'
import { schema } from '../../src/controls/message/schema.ts'
import type { Schema } from '../../src/model/schema-kinds.ts'
import type { BigIntegers } from '../../src/model/schema-kinds.ts'
import { atOnce, connectionOf, policyWith, textOf } from './door-fixtures.ts'
import { ask, FORMAT, sent } from './numbers-fixtures.ts'

const bigs: readonly [token: string, is: bigint | null][] = [
  ['9007199254740992', 9007199254740992n],
  ['9007199254740993', 9007199254740993n],
  ['-9007199254740993', -9007199254740993n],
  ['9223372036854775807', 9223372036854775807n],
  ['-9223372036854775808', -9223372036854775808n],
  ['-9223372036854775809', null],
  ['18446744073709551615', 18446744073709551615n],
  ['18446744073709551616', null],
  ['99999999999999999999', null],
  ['1'.padEnd(60_000, '7'), null],
]
for (const [token, is] of bigs) {
  test(`a big integer arrives as it was sent, or is refused: ${token.slice(0, 24)}`, () => {
    const asBigint = ask(sent(token), {}, 'bigint')
    const asText = ask(sent(token), {}, 'text')
    const code = is === null ? 'SALLY_MESSAGE_NUMBER' : 'PASS'
    assert.deepEqual([asBigint.code, asText.code], [code, code])
    if (is === null) return
    assert.deepEqual(asBigint.subject.value, { type: 't', v: is })
    assert.deepEqual(asText.subject.value, { type: 't', v: token })
  })
}

test('integers that a number holds stay numbers, whatever becomes of big ones', () => {
  for (const mode of ['text', 'bigint'] as const)
    assert.deepEqual(ask(sent('[5,-7]'), {}, mode).subject.value, { type: 't', v: [5, -7] })
})

test('a big integer below __proto__ is an own field', () => {
  const subject = textOf('{"__proto__":9007199254740993}')
  const policy = policyWith({ format: { ...FORMAT, allowKeys: ['__proto__'], bigIntegers: 'bigint' } })
  assert.equal(atOnce(format.compile(policy)!(subject, connectionOf())).pass, true)
  assert.deepEqual(Object.entries(subject.value as object), [['__proto__', 9007199254740993n]])
})

const bigJudged: readonly [name: string, field: Schema, token: string, passes: boolean][] = [
  ['type integer', { type: 'integer' }, '9007199254740993', true],
  ['type number', { type: 'number' }, '9007199254740993', true],
  ['type text', { type: 'string' }, '9007199254740993', false],
  ['a maximum that its double would satisfy', { maximum: 9007199254740992n }, '9007199254740993', false],
  ['a maximum', { type: 'integer', maximum: 9223372036854775807n }, '9223372036854775807', true],
  ['a maximum, one above', { type: 'integer', maximum: 9223372036854775807n }, '9223372036854775808', false],
  ['a constant', { const: 9007199254740993n }, '9007199254740993', true],
  ['a constant, one beside', { const: 9007199254740993n }, '9007199254740992', false],
  ['an enumeration', { enum: [1, 9007199254740993n] }, '9007199254740993', true],
  ['an enumeration, one beside', { enum: [1, 9007199254740993n] }, '9007199254740994', false],
  ['a multiple', { multipleOf: 3 }, '9007199254740993', true],
  ['no multiple', { multipleOf: 2 }, '9007199254740993', false],
  ['a multiple of a half', { multipleOf: 0.5 }, '9007199254740993', true],
  ['an exclusive minimum', { exclusiveMinimum: 9007199254740993n }, '9007199254740993', false],
]
for (const [name, field, token, passes] of bigJudged) {
  test(`a big integer is judged as sent: ${name}`, () => {
    for (const mode of ['text', 'bigint'] as const)
      assert.equal(ask(sent(token), field, mode).code, passes ? 'PASS' : 'SALLY_MESSAGE_INVALID', mode)
  })
}

const rounded: readonly [name: string, field: Schema, modes: readonly BigIntegers[], text: RegExp][] = [
  [
    'a constant',
    { const: 2 ** 53 },
    ['refuse', 'text', 'bigint'],
    /v\/const: 9007199254740992 is beyond ±\(2\^53 − 1\)/,
  ],
  [
    'one of several constants',
    { enum: ['x', -(2 ** 60)] },
    ['refuse', 'bigint'],
    /v\/enum: -1152921504606847000 is beyond/,
  ],
  [
    'a bound',
    { maximum: 2 ** 63 },
    ['text', 'bigint'],
    /v\/maximum: 9223372036854776000 is beyond .* Write a bigint, such as 9007199254740993n/,
  ],
  [
    'a constant within an object',
    { const: { id: 2 ** 53 } },
    ['refuse', 'text', 'bigint'],
    /v\/const: 9007199254740992 /,
  ],
  ['a constant within lists', { enum: [[[1, { id: -(2 ** 60) }]]] }, ['refuse', 'bigint'], /v\/enum: -115292150460/],
  ['a step of nothing', { multipleOf: 0 }, ['refuse', 'bigint'], /v\/multipleOf is 0\. Write a number above 0/],
  ['a step below nothing', { multipleOf: -2 }, ['refuse', 'bigint'], /v\/multipleOf is -2/],
]
for (const [name, field, modes, text] of rounded) {
  test(`an error at start: ${name} that is not the number that was written`, () => {
    for (const mode of modes)
      assert.throws(() => ask(sent('1'), field, mode), { code: 'SALLY_SCHEMA_INVALID', message: text })
  })
}

test('a bound beyond all integers of 64 bits is fine, and so is any bound where big integers are refused', () => {
  assert.equal(ask(sent('1'), { maximum: Number.MAX_VALUE }, 'bigint').code, 'PASS')
  assert.equal(ask(sent('1'), { maximum: 2 ** 63 }).code, 'PASS')
})

test('a compiled Ajv function cannot judge bigints, and says so at start', () => {
  const validate = new Ajv2020().compile({ type: 'object', properties: { type: {}, v: { maximum: 5 } } })
  const policy = (bigIntegers: BigIntegers) =>
    policyWith({
      format: { ...FORMAT, bigIntegers },
      schema: { types: { t: validate }, discriminator: 'type', unknownFields: 'strip' },
    })
  assert.throws(() => schema.compile(policy('text')), /compiled Ajv function.*Give the JSON Schema itself/)
  assert.ok(schema.compile(policy('refuse')))
})

test('a frozen schema, a recursive one, and one with hidden keywords are judged exactly too', () => {
  const inner = Object.freeze({ type: 'integer', multipleOf: 3, maximum: 9007199254740993n })
  for (const field of [
    Object.freeze({ properties: Object.freeze({ n: inner }) }),
    { properties: { n: { $ref: '#/properties/v/$defs/n' } }, $defs: { n: inner } },
    Type.Object({ n: Type.Integer({ ...inner }) }),
  ]) {
    assert.equal(ask(sent('{"n":9007199254740993}'), field as Schema, 'bigint').code, 'PASS')
    assert.equal(ask(sent('{"n":9007199254740992}'), field as Schema, 'bigint').code, 'SALLY_MESSAGE_INVALID')
    assert.equal(ask(sent('{"n":9007199254740996}'), field as Schema, 'bigint').code, 'SALLY_MESSAGE_INVALID')
  }
})

test('branches are told apart by the number that was sent', () => {
  const field = {
    anyOf: [
      { properties: { kind: { const: 9007199254740993n }, a: {} }, required: ['kind'] },
      { properties: { kind: { const: 9007199254740995n }, b: {} }, required: ['kind'] },
    ],
  }
  const { subject } = ask(sent('{"kind":9007199254740995,"a":1,"b":2}'), field, 'bigint')
  assert.deepEqual(subject.value, { type: 't', v: { kind: 9007199254740995n, b: 2 } })
})
