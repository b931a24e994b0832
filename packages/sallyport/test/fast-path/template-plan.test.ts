import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { Compile as CompileSchema } from 'typebox/schema'
import * as z from 'zod'
import type { Schema } from '../../src/model/schema-kinds.ts'
import { createMessageReader } from '../../src/fast-path/template.ts'
import { Chat, policyFor, pairOf, read, taught } from './template-fixtures.ts'

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
