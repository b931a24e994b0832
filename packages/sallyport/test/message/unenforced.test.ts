import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { Compile as CompileSchema } from 'typebox/schema'
import { compileSchema } from '../../src/controls/message/compile-schema.ts'
import type { JsonSchema, Schema } from '../../src/model/schema-kinds.ts'

const compile = (schema: Schema) => compileSchema('t', schema, { discriminator: 'type', unknownFields: 'strip' })

const unenforced: readonly [keyword: string, value: unknown][] = [
  ['contentEncoding', 'base64'],
  ['contentMediaType', 'application/json'],
  ['contentSchema', { type: 'object' }],
  ['format', 'phone'],
  ['$dynamicRef', '#x'],
  ['maxLenght', 3],
]
const places: readonly [name: string, at: (keyword: object) => JsonSchema][] = [
  ['in a field', keyword => ({ properties: { a: { type: 'string', ...keyword } } })],
  ['in an element of a list', keyword => ({ properties: { a: { items: keyword } } })],
  ['in $defs that nothing refers to', keyword => ({ properties: { a: {} }, $defs: { d: keyword } })],
  ['in a branch', keyword => ({ properties: { a: {} }, anyOf: [{ if: keyword }] })],
  ['in dependentSchemas', keyword => ({ properties: { a: {} }, dependentSchemas: { a: { not: keyword } } })],
]
for (const [keyword, said] of unenforced) {
  for (const [place, at] of places) {
    test(`an error at start: ${keyword} ${place}`, () => {
      assert.throws(
        () => compile(at({ [keyword]: said })),
        (error: Error & { code?: string }) => {
          assert.equal(error.code, 'SALLY_SCHEMA_INVALID')
          assert.match(error.message, new RegExp(`^schema of "t": #/.*${keyword.replace('$', '\\$')}`))
          return true
        },
      )
    })
  }
}

test('content keywords in a compiled Ajv function are errors too: Ajv ignores them', () => {
  const validate = new Ajv2020().compile({
    type: 'object',
    properties: { a: { type: 'string', contentEncoding: 'base64' } },
  })
  assert.throws(() => compile(validate), /contentEncoding is not supported/)
})

for (const [name, compiled] of [
  ['typebox/schema', CompileSchema({ type: 'object', properties: { a: { type: 'string', format: 'phone' } } })],
  ['typebox/compile', Compile(Type.Object({ a: Type.Array(Type.String({ format: 'phone' })) }))],
] as const) {
  test(`an unknown format in a compiled validator is an error too: ${name} ignores it`, () => {
    assert.throws(() => compile(compiled), /the format "phone" is unknown and would be ignored/)
  })
}

test('annotations ask for nothing, and fields may have the names of keywords', () => {
  const annotated = {
    title: 't',
    description: 'd',
    default: 1,
    examples: [1],
    deprecated: true,
    readOnly: true,
    writeOnly: false,
    $comment: 'c',
  }
  const check = compile({
    ...annotated,
    type: 'object',
    properties: { contentEncoding: annotated, format: {}, type: {} },
  })
  const sent = { type: 't', contentEncoding: 'x', format: 'y' }
  assert.deepEqual(check(sent), { ok: true, value: sent })
})
