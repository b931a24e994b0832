import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ajv } from 'ajv'
import { type } from 'arktype'
import { pino } from 'pino'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import * as v from 'valibot'
import { z } from 'zod'
import { parsePolicy } from '../../src/policy/parse.ts'
import { faultOfSchema } from '../../src/controls/message/schema-value.ts'
import { policyWith } from './honest-policy.ts'

const JSON_SCHEMA = { type: 'object', properties: { text: { type: 'string' } } }

/** What the libraries really give, of the versions that are installed. */
const GOOD: readonly (readonly [string, unknown])[] = [
  ['Zod', z.object({ text: z.string() })],
  ['Zod union', z.union([z.object({}), z.object({ a: z.string() })])],
  ['Valibot', v.object({ text: v.string() })],
  ['ArkType (a function)', type({ text: 'string' })],
  ['Ajv, compiled', new Ajv().compile(JSON_SCHEMA)],
  ['TypeBox type', Type.Object({ text: Type.String() })],
  ['TypeBox union', Type.Union([Type.Object({}), Type.Object({ a: Type.String() })])],
  ['TypeBox, compiled', Compile(Type.Object({ text: Type.String() }))],
  ['JSON Schema', JSON_SCHEMA],
  ['JSON Schema without prototype', Object.assign(Object.create(null), JSON_SCHEMA)],
  ['JSON Schema of several types', { type: ['object', 'null'] }],
  ['JSON Schema by reference', { $ref: '#/$defs/a', $defs: { a: JSON_SCHEMA } }],
  ['JSON Schema by const', { const: 1 }],
  ['Joi 18, by its mark', { $_root: {}, validate() {}, '~standard': { version: 1, vendor: 'joi', validate() {} } }],
]
for (const [name, schema] of GOOD) {
  test(`a schema: ${name}`, () => {
    assert.equal(faultOfSchema(schema), null)
    const { types } = parsePolicy(policyWith({ 'message.schema': { chat: schema } })).message.schema!
    assert.equal(types['chat'], schema)
  })
}

const BAD: readonly (readonly [string, unknown])[] = [
  ['fields of Zod without an object', { text: z.string() }],
  ['fields of Zod, one named type', { type: z.literal('chat'), text: z.string() }],
  ['fields of TypeBox, one named type', { type: Type.Literal('chat'), text: Type.String() }],
  ['Ajv itself', new Ajv()],
  ['no type in the list of types', { type: [] }],
  ['an invalid type among JSON types', { type: ['object', 'undefined'] }],
  ['a Map', new Map([['type', 'object']])],
  ['a RegExp', /chat/],
  ['a Promise', Promise.resolve(JSON_SCHEMA)],
  ['text', 'object'],
  ['an annotation alone', { title: 'Chat', description: 'a message' }],
]
for (const [name, schema] of BAD) {
  test(`no schema: ${name}`, () => {
    const fault = faultOfSchema(schema)
    assert.ok(fault !== null && fault.message !== '' && fault.remedy !== '')
  })
}

test('real loggers are loggers', () => {
  const quiet = pino({ enabled: false })
  for (const log of [console, quiet]) assert.equal(parsePolicy(policyWith({ events: { log } })).events.log, log)
})
