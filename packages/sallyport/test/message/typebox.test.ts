import assert from 'node:assert/strict'
import { registerHooks } from 'node:module'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import * as z from 'zod'
import { compileSchema } from '../../src/controls/message/compile-schema.ts'
import type { Schema } from '../../src/model/schema-kinds.ts'

/** As where the optional peer is not installed. */
registerHooks({
  resolve(specifier, context, next) {
    if (specifier.startsWith('typebox')) throw Object.assign(new Error('not found'), { code: 'ERR_MODULE_NOT_FOUND' })
    return next(specifier, context)
  },
})

const compile = (schema: Schema) => compileSchema('chat', schema, { discriminator: 'type', unknownFields: 'strip' })
const PROPERTIES = { properties: { a: { type: 'number' } } }
const UNION = { anyOf: [PROPERTIES, { properties: { b: {} }, required: ['b'] }] }
const ajv = new Ajv2020({ strict: false })

for (const [name, schema] of [
  ['a JSON Schema', PROPERTIES],
  ['an Ajv function whose fields depend on a branch', ajv.compile(UNION)],
] as const) {
  test(`without typebox, ${name} is an error at start that says what to install`, () => {
    assert.throws(() => compile(schema), {
      code: 'SALLY_SCHEMA_INVALID',
      message: /^schema of "chat": .* needs the optional peer typebox.*npm install typebox/,
    })
  })
}

for (const [name, schema] of [
  ['Zod', z.object({ a: z.number() })],
  ['a compiled Ajv function', ajv.compile(PROPERTIES)],
] as const) {
  test(`${name} needs no typebox`, () => {
    assert.deepEqual(compile(schema)({ type: 'chat', a: 1, b: 2 }), { ok: true, value: { a: 1, type: 'chat' } })
  })
}
