import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { type } from 'arktype'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { Compile as CompileSchema } from 'typebox/schema'
import * as v from 'valibot'
import * as z from 'zod'
import { sentenceOf } from '../../src/policy/denials.ts'
import { compileSchema } from '../../src/controls/message/compile-schema.ts'
import { schema } from '../../src/controls/message/schema.ts'
import type { Schema } from '../../src/model/schema-kinds.ts'
import type { SchemaMap } from '../../src/model/schema-kinds.ts'
import { PASS } from '../../src/model/verdict.ts'
import { atOnce, codeOf, connectionOf, parsed, policyWith } from './door-fixtures.ts'

const compile = (types: SchemaMap, more: { discriminator?: string; unknownFields?: 'strip' | 'refuse' } = {}) =>
  schema.compile(policyWith({ schema: { types, discriminator: 'type', unknownFields: 'strip', ...more } }))!

const standard = (validate: (value: unknown) => unknown): Schema => ({
  '~standard': { version: 1, vendor: 'test', validate },
})

test('off: nothing is compiled', () => assert.equal(schema.compile(policyWith()), null))

for (const [name, value] of [
  ['undefined', undefined],
  ['null', null],
  ['an array', [{ type: 'a' }]],
  ['text', 'a'],
  ['bytes', new Uint8Array(2)],
  ['an inherited type', Object.create({ type: 'a' })],
] as const) {
  test(`${name} names no type`, () => {
    const subject = Object.assign(parsed({}), { value })
    assert.equal(codeOf(atOnce(compile({ a: z.looseObject({}) })(subject, connectionOf()))), 'SALLY_MESSAGE_TYPE')
    assert.equal(subject.type, null)
  })
}

test('a type named __proto__ can be declared, and then it is one', () => {
  const types = JSON.parse('{"__proto__":{"type":"object","properties":{"a":{}}}}') as SchemaMap
  const subject = parsed({ type: '__proto__', a: 1 })
  assert.equal(compile(types)(subject, connectionOf()), PASS)
  assert.equal(subject.type, '__proto__')
})

test('another discriminator', () => {
  const subject = parsed({ kind: 'a', type: 'b', x: 1 })
  assert.equal(compile({ a: z.object({ x: z.number() }) }, { discriminator: 'kind' })(subject, connectionOf()), PASS)
  assert.deepEqual(subject.value, { kind: 'a', x: 1 })
})

test('report mode: a refused message keeps its value and has its type', () => {
  const subject = parsed({ type: 'a', x: 'text', more: 1 })
  const verdict = atOnce(compile({ a: z.object({ x: z.number() }) })(subject, connectionOf()))
  assert.equal(codeOf(verdict), 'SALLY_MESSAGE_INVALID')
  assert.deepEqual([subject.type, subject.value], ['a', { type: 'a', x: 'text', more: 1 }])
})

test('an asynchronous schema is awaited, a synchronous one is not', async () => {
  const check = compile({ a: z.object({ x: z.number().refine(async x => x > 1) }) })
  const good = parsed({ type: 'a', x: 2, more: 1 })
  const verdict = check(good, connectionOf())
  assert.ok(verdict instanceof Promise)
  assert.equal(await verdict, PASS)
  assert.deepEqual(good.value, { type: 'a', x: 2 })
  assert.equal(codeOf(await check(parsed({ type: 'a', x: 1 }), connectionOf())), 'SALLY_MESSAGE_INVALID')
})

test('Zod: an asynchronous schema is run once a message after the first', async () => {
  let runs = 0
  const check = compile({
    a: z.object({
      x: z.number().refine(async x => {
        runs++
        return x > 1
      }),
    }),
  })
  await check(parsed({ type: 'a', x: 2 }), connectionOf())
  runs = 0
  assert.equal(await check(parsed({ type: 'a', x: 2 }), connectionOf()), PASS)
  const bad = await check(parsed({ type: 'a', x: 1 }), connectionOf())
  assert.ok(!bad.pass)
  assert.equal(sentenceOf(bad), 'a: /x custom')
  assert.equal(runs, 2)
})

const odd: readonly [name: string, validate: (value: unknown) => unknown, code: string][] = [
  [
    'throws',
    () => {
      throw new Error('x')
    },
    'throws',
  ],
  ['rejects', () => Promise.reject(new Error('x')), 'throws'],
  ['answers undefined', () => undefined, 'throws'],
  ['answers neither value nor issues', () => ({}), 'SALLY_MESSAGE_INVALID'],
  ['answers issues beside a value', value => ({ value, issues: [{ message: 'no' }] }), 'SALLY_MESSAGE_INVALID'],
  ['answers an empty list of issues', () => ({ issues: [] }), 'SALLY_MESSAGE_INVALID'],
]
for (const [name, validate, code] of odd) {
  test(`a validator that ${name}`, async () => {
    const run = async () => compile({ a: standard(validate) })(parsed({ type: 'a' }), connectionOf())
    if (code === 'throws') await assert.rejects(run)
    else assert.equal(codeOf(await run()), code)
  })
}

for (const [name, sent, detail] of [
  ['at the top', { x: 1 }, 'a: /x additionalProperties'],
  ['within a field', { u: { y: 1 } }, 'a: /u/y additionalProperties'],
] as const) {
  test(`JSON Schema: a field that is not declared, ${name}, is told by its name and why`, () => {
    const closed = { type: 'object', additionalProperties: false, properties: {} } as const
    const check = compile({ a: { ...closed, properties: { type: { const: 'a' }, u: closed } } })
    const verdict = atOnce(check(parsed({ type: 'a', ...sent }), connectionOf()))
    assert.ok(!verdict.pass)
    assert.equal(sentenceOf(verdict), detail)
  })
}

test('the detail is bounded and printable, and never has the message of an issue', () => {
  const path = ['a\n\u202e', { key: 'x'.repeat(500) }]
  const check = compile({ a: standard(() => ({ issues: [{ message: 'S3CRET', path, code: 'S3CRET value' }] })) })
  const verdict = atOnce(check(parsed({ type: 'a' }), connectionOf()))
  assert.ok(!verdict.pass)
  assert.match(sentenceOf(verdict), /^a: \/a\?\?\/x{100,} invalid$/)
  assert.ok(sentenceOf(verdict).length < 150)
})

const nested = { type: 'a', u: { x: 1, secret: 1 }, l: [{ x: 1, secret: 1 }], more: 1 }
const kinds: Readonly<Record<string, Schema>> = {
  Zod: z.object({ u: z.object({ x: z.number() }), l: z.array(z.object({ x: z.number() })) }),
  Valibot: v.object({ u: v.object({ x: v.number() }), l: v.array(v.object({ x: v.number() })) }),
  ArkType: type({ u: { x: 'number' }, l: type({ x: 'number' }).array() }),
  TypeBox: Type.Object({ u: Type.Object({ x: Type.Number() }), l: Type.Array(Type.Object({ x: Type.Number() })) }),
  'TypeBox compiled': Compile(
    Type.Object({ u: Type.Object({ x: Type.Number() }), l: Type.Array(Type.Object({ x: Type.Number() })) }),
  ),
  'TypeBox schema compiled': CompileSchema({
    type: 'object',
    properties: { u: { properties: { x: {} } }, l: { items: { properties: { x: {} } } } },
  }),
  Ajv: new Ajv2020({ strict: false }).compile({
    properties: { u: { properties: { x: {} } }, l: { items: { properties: { x: {} } } } },
  }),
}
for (const [kind, declared] of Object.entries(kinds)) {
  test(`${kind}: unknown fields go at every depth; an undeclared discriminator stays; the input is not changed`, async () => {
    const input = structuredClone(nested)
    const subject = parsed(input)
    assert.equal(await compile({ a: declared })(subject, connectionOf()), PASS)
    assert.deepEqual(subject.value, { type: 'a', u: { x: 1 }, l: [{ x: 1 }] })
    assert.deepEqual(input, nested)
  })
  test(`${kind}: refuse: a field deep in an array is a denial`, async () => {
    const check = compile({ a: declared }, { unknownFields: 'refuse' })
    const deep = parsed({ type: 'a', u: { x: 1 }, l: [{ x: 1, secret: 1 }] })
    assert.equal(codeOf(await check(deep, connectionOf())), 'SALLY_MESSAGE_INVALID')
    assert.equal(await check(parsed({ type: 'a', u: { x: 1 }, l: [{ x: 1 }] }), connectionOf()), PASS)
  })
}

test('a loose object is the author’s choice', () => {
  const subject = parsed({ type: 'a', more: 1 })
  assert.equal(compile({ a: z.looseObject({}) }, { unknownFields: 'refuse' })(subject, connectionOf()), PASS)
  assert.deepEqual(subject.value, { type: 'a', more: 1 })
})

test('a transform passes on its output, dates and class instances whole', () => {
  const subject = parsed({ type: 'a', at: '2026-01-01' })
  const dated = z.object({ at: z.string().transform(text => new Date(text)) })
  assert.equal(compile({ a: dated }, { unknownFields: 'refuse' })(subject, connectionOf()), PASS)
  assert.deepEqual(subject.value, { type: 'a', at: new Date('2026-01-01') })
})

test('lengths of JSON Schema are code points, as the standard says', () => {
  const check = compile({ a: { properties: { m: { type: 'string', maxLength: 2 } } } })
  assert.equal(check(parsed({ type: 'a', m: '😀😀' }), connectionOf()), PASS)
  assert.equal(codeOf(atOnce(check(parsed({ type: 'a', m: '😀😀x' }), connectionOf()))), 'SALLY_MESSAGE_INVALID')
})

const formats: readonly [format: string, good: string, bad: string][] = [
  ['uuid', '3f2b8c1e-5d6a-4f7b-8c9d-0e1f2a3b4c5d', 'x'],
  ['email', 'ada@example.com', 'ada'],
  ['uri', 'https://example.com/a', 'not a uri'],
  ['date-time', '2026-01-01T00:00:00Z', '2026'],
  ['date', '2026-01-01', '2026-13-01'],
  ['ipv4', '192.0.2.1', '999.0.2.1'],
]
for (const [format, good, bad] of formats) {
  test(`the format ${format} is checked`, () => {
    const check = compile({ a: { properties: { f: { type: 'string', format } } } })
    assert.equal(check(parsed({ type: 'a', f: good }), connectionOf()), PASS)
    assert.equal(codeOf(atOnce(check(parsed({ type: 'a', f: bad }), connectionOf()))), 'SALLY_MESSAGE_INVALID')
  })
}

const errors: readonly [name: string, schema: unknown, text: RegExp][] = [
  [
    'an unknown format',
    { properties: { a: { format: 'phone' } } },
    /#\/properties\/a\/format: the format "phone" is unknown/,
  ],
  ['a misspelt keyword', { propertes: {} }, /#\/propertes: the keyword "propertes" is unknown/],
  ['a misspelt keyword, deep', { properties: { a: { maxLenght: 1 } } }, /maxLenght/],
  ['a bound as text', { properties: { a: { maxLength: '10' } } }, /#\/properties\/a\/maxLength is not a number/],
  ['an invalid type', { type: 'strng', properties: {} }, /#\/type is not a type of JSON Schema/],
  [
    'a remote $ref',
    { $ref: 'https://evil.example/schema.json' },
    /leads nowhere in this schema.*Only local references/,
  ],
  ['a $ref to nothing', { properties: { a: { $ref: '#/$defs/x' } } }, /"#\/\$defs\/x" leads nowhere/],
  ['a $ref into Object.prototype', { properties: { a: { $ref: '#/toString' } } }, /leads nowhere/],
  ['a $ref with a broken escape', { properties: { a: { $ref: '#/%zz' } } }, /leads nowhere/],
  ['a $ref that is no text', { properties: { a: { $ref: 1 } } }, /is not text/],
  ['$dynamicRef', { properties: { a: { $dynamicRef: '#x' } } }, /is not supported/],
  ['a broken pattern', { properties: { a: { pattern: '(' } } }, /typebox refuses it/],
  ['required toString, which {} inherits', { required: ['toString'] }, /names toString, which every object inherits/],
  ['a property named valueOf', { properties: { valueOf: {} } }, /names valueOf/],
  ['an empty schema', {}, /any message would pass/],
  [
    'a schema that no message passes',
    { properties: { a: {} }, additionalProperties: false },
    /type is not declared: no message would pass/,
  ],
  ['properties as a list', { properties: [] }, /#\/properties is not an object/],
  ['a property that is no schema', { properties: { a: 'string' } }, /#\/properties\/a is not a schema/],
  ['allOf as an object', { allOf: {} }, /#\/allOf is not a list/],
  ['null', null, /null is no schema/],
  ['a list', [], /a list is no schema/],
  ['text', 'object', /a string is no schema/],
  ['a function', () => true, /a function is no schema/],
  [
    'an asynchronous Ajv schema',
    new Ajv2020().compile({ $async: true, type: 'object', properties: {} }),
    /asynchronous Ajv/,
  ],
  ['an object with Check alone', { Check: () => true, Errors: () => [] }, /without Schema\(\) or Type\(\)/],
]
for (const [name, bad, text] of errors) {
  test(`an error at start: ${name}`, () => {
    assert.throws(
      () => compileSchema('chat', bad as Schema, { discriminator: 'type', unknownFields: 'strip' }),
      (error: unknown) => {
        assert.ok(error instanceof Error && 'code' in error)
        assert.equal(error.code, 'SALLY_SCHEMA_INVALID')
        assert.match(error.message, /^schema of "chat": /)
        assert.match(error.message, text)
        return true
      },
    )
  })
}
