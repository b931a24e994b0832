/* eslint-disable unicorn/no-thenable -- a keyword of JSON Schema */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc } from '../../../../test/support/fast-check.ts'
import { compileSchema } from '../../src/controls/message/compile-schema.ts'
import type { JsonSchema } from '../../src/model/schema-kinds.ts'

const compile = (schema: JsonSchema, unknownFields: 'strip' | 'refuse' = 'strip') =>
  compileSchema('t', schema, { discriminator: 'type', unknownFields })

function strip(schema: JsonSchema, value: object): unknown {
  const result = compile(schema)(value)
  assert.ok(!(result instanceof Promise) && result.ok, 'the value is valid')
  return result.value
}

const NODE = {
  type: 'object',
  properties: {
    v: { type: 'number' },
    next: { $ref: '#/$defs/node' },
    all: { type: 'array', items: { $ref: '#/$defs/node' } },
  },
}
const KINDS = {
  type: 'object',
  properties: { kind: { type: 'string' } },
  required: ['kind'],
  oneOf: [
    { properties: { kind: { const: 'a' }, text: { type: 'string' } }, required: ['text'] },
    {
      properties: { kind: { const: 'b' }, data: { type: 'object', properties: { n: { type: 'number' } } } },
      required: ['data'],
    },
  ],
}
const secret = { hash: 'S3CRET' }

const rows: readonly [name: string, schema: JsonSchema, value: object, expected: unknown][] = [
  [
    'the discriminator stays',
    { type: 'object', properties: { a: {} } },
    { type: 't', a: 1, b: 2 },
    { type: 't', a: 1 },
  ],
  [
    'nested objects',
    { properties: { u: { properties: { a: {} }, type: 'object' } } },
    { u: { a: 1, secret } },
    { u: { a: 1 } },
  ],
  [
    'an inner discriminator does not stay',
    { properties: { u: { properties: { a: {} } } } },
    { u: { type: 1, a: 1 } },
    { u: { a: 1 } },
  ],
  ['an object without properties', { properties: { u: { type: 'object' } } }, { u: { secret } }, { u: {} }],
  [
    'elements',
    { properties: { l: { items: { properties: { a: {} } } } } },
    { l: [{ a: 1, secret }, 1, { a: 2 }] },
    { l: [{ a: 1 }, 1, { a: 2 }] },
  ],
  [
    'elements without a schema',
    { properties: { l: { type: 'array' } } },
    { l: [{ secret }, [{ secret }], 1] },
    { l: [{}, [{}], 1] },
  ],
  [
    'tuples',
    { properties: { l: { prefixItems: [{ properties: { a: {} } }], items: { properties: { b: {} } } } } },
    {
      l: [
        { a: 1, b: 1 },
        { a: 1, b: 1 },
      ],
    },
    { l: [{ a: 1 }, { b: 1 }] },
  ],
  ['items: true', { properties: { l: { items: true } } }, { l: [{ x: 1 }] }, { l: [{ x: 1 }] }],
  [
    'a field of any value stays whole',
    { properties: { meta: { title: 'anything' } } },
    { meta: { x: { y: 1 } } },
    { meta: { x: { y: 1 } } },
  ],
  [
    'additionalProperties: true',
    { properties: { a: {} }, additionalProperties: true },
    { a: 1, x: { y: 1 } },
    { a: 1, x: { y: 1 } },
  ],
  [
    'additionalProperties: a schema',
    { additionalProperties: { properties: { a: {} } } },
    { x: { a: 1, secret } },
    { x: { a: 1 } },
  ],
  ['patternProperties', { patternProperties: { '^x-': { type: 'number' } } }, { 'x-a': 1, y: 1 }, { 'x-a': 1 }],
  [
    'a pattern beside additionalProperties',
    { patternProperties: { '^x': { properties: { a: {} } } }, additionalProperties: { properties: { b: {} } } },
    { x: { a: 1, b: 1 }, y: { a: 1, b: 1 } },
    { x: { a: 1 }, y: { b: 1 } },
  ],
  [
    'unevaluatedProperties: true',
    { properties: { a: {} }, unevaluatedProperties: true },
    { a: 1, x: 1 },
    { a: 1, x: 1 },
  ],
  [
    'allOf is a union',
    { allOf: [{ properties: { a: {} } }, { properties: { b: {} } }] },
    { a: 1, b: 1, c: 1 },
    { a: 1, b: 1 },
  ],
  [
    'allOf, the same field twice',
    { allOf: [{ properties: { u: { properties: { a: {} } } } }, { properties: { u: { properties: { b: {} } } } }] },
    { u: { a: 1, b: 1, c: 1 } },
    { u: { a: 1, b: 1 } },
  ],
  [
    '$ref',
    { properties: { u: { $ref: '#/$defs/u' } }, $defs: { u: { properties: { a: {} } } } },
    { u: { a: 1, secret } },
    { u: { a: 1 } },
  ],
  [
    '$ref with an escaped pointer',
    { properties: { u: { $ref: '#/$defs/a~1b%20c' } }, $defs: { 'a/b c': { properties: { a: {} } } } },
    { u: { a: 1, secret } },
    { u: { a: 1 } },
  ],
  [
    '$ref to the root',
    { properties: { v: {}, next: { $ref: '#' } } },
    { v: 1, next: { v: 2, secret } },
    { v: 1, next: { v: 2 } },
  ],
  [
    'a recursive schema',
    { properties: { n: { $ref: '#/$defs/node' } }, $defs: { node: NODE } },
    { n: { v: 1, secret, next: { v: 2, secret, all: [{ v: 3, secret }] } } },
    { n: { v: 1, next: { v: 2, all: [{ v: 3 }] } } },
  ],
  ['oneOf: the branch that holds', KINDS, { kind: 'a', text: 'x', data: secret }, { kind: 'a', text: 'x' }],
  [
    'oneOf: the other branch',
    KINDS,
    { kind: 'b', data: { n: 1, secret }, text: secret },
    { kind: 'b', data: { n: 1 } },
  ],
  [
    'anyOf: both branches hold',
    { anyOf: [{ properties: { a: { type: 'number' } } }, { properties: { b: { type: 'number' } } }] },
    { a: 1, b: 1, c: 1 },
    { a: 1, b: 1 },
  ],
  [
    'anyOf: what a branch that does not hold declares was never validated',
    { anyOf: [{ properties: { a: { type: 'number' } } }, { properties: { b: { type: 'number' } }, required: ['b'] }] },
    { a: 1, b: { evil: 1 } },
    { a: 1 },
  ],
  [
    'anyOf with null',
    { properties: { u: { anyOf: [{ type: 'null' }, { properties: { a: {} }, type: 'object' }] } } },
    { u: { a: 1, secret } },
    { u: { a: 1 } },
  ],
  [
    'if, then',
    {
      if: { properties: { k: { const: 1 } }, required: ['k'] },
      then: { properties: { a: {} } },
      else: { properties: { b: {} } },
    },
    { k: 1, a: 1, b: 1 },
    { k: 1, a: 1 },
  ],
  [
    'if, else',
    {
      properties: { k: {} },
      if: { properties: { k: { const: 1 } }, required: ['k'] },
      then: { properties: { a: {} } },
      else: { properties: { b: {} } },
    },
    { k: 2, a: 1, b: 1 },
    { k: 2, b: 1 },
  ],
  [
    'dependentSchemas',
    { properties: { a: {} }, dependentSchemas: { a: { properties: { b: {} } } } },
    { a: 1, b: 1 },
    { a: 1, b: 1 },
  ],
  [
    'dependentSchemas, not met',
    { properties: { a: {} }, dependentSchemas: { a: { properties: { b: {} } } } },
    { b: 1 },
    {},
  ],
  [
    'branches in branches',
    { anyOf: [{ anyOf: [{ properties: { a: { type: 'number' } }, required: ['a'] }] }] },
    { a: 1, b: 1 },
    { a: 1 },
  ],
  [
    'branches by $defs',
    {
      properties: { u: { anyOf: [{ $ref: '#/$defs/a' }, { $ref: '#/$defs/b' }] } },
      $defs: { a: { properties: { a: {} }, required: ['a'] }, b: { properties: { b: {} }, required: ['b'] } },
    },
    { u: { b: 1, c: 1 } },
    { u: { b: 1 } },
  ],
  [
    'const of an object stays whole',
    { properties: { u: { const: { a: { b: 1 } } } } },
    { u: { a: { b: 1 } } },
    { u: { a: { b: 1 } } },
  ],
]
for (const [name, schema, value, expected] of rows) {
  test(name, () => {
    const before = structuredClone(value)
    const first = strip(schema, value)
    assert.deepEqual(first, expected)
    assert.deepEqual(value, before, 'the input is not changed')
    assert.equal(strip(schema, first as object), first, 'nothing is left to strip: the same reference')
    const refused = compile(schema, 'refuse')(value)
    assert.ok(!(refused instanceof Promise))
    assert.equal(refused.ok, first === value)
  })
}

test('a polluted prototype adds no field', t => {
  const prototype = Object.prototype as Record<string, unknown>
  prototype['isAdmin'] = true
  t.after(() => delete prototype['isAdmin'])
  const out = strip({ properties: { a: {}, isAdmin: {} } }, { a: 1, b: 1 }) as object
  assert.deepEqual(Object.keys(out), ['a'])
})

test('property: what remains is declared, and what is declared remains', () => {
  const keys = fc.constantFrom('a', 'b', 'c', 'type')
  const { schema } = fc.letrec<{ schema: JsonSchema }>(tie => ({
    schema: fc.oneof(
      { maxDepth: 3 },
      fc.constant({ type: ['object', 'array', 'number'], properties: {} }),
      fc.dictionary(keys, tie('schema'), { noNullPrototype: true }).map(properties => ({ properties })),
      tie('schema').map(items => ({ items, properties: {} })),
      fc.tuple(tie('schema'), tie('schema')).map(allOf => ({ allOf })),
    ),
  }))
  const { value } = fc.letrec<{ value: unknown }>(tie => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.integer(),
      fc.dictionary(keys, tie('value'), { noNullPrototype: true }),
      fc.array(tie('value'), { maxLength: 2 }),
    ),
  }))
  /** The declaration, read anew for each value: slow and plain. */
  const reference = (schemas: readonly JsonSchema[], input: unknown): unknown => {
    const flat = schemas.flatMap(function open(one): JsonSchema[] {
      return [one, ...((one['allOf'] as JsonSchema[] | undefined) ?? []).flatMap(open)]
    })
    const of = (keyword: string) =>
      flat.map(one => one[keyword] as JsonSchema | undefined).filter(one => one !== undefined)
    if (Array.isArray(input)) return input.map(item => reference(of('items'), item))
    if (typeof input !== 'object' || input === null) return input
    const fields = Object.entries(input).flatMap(([key, child]) => {
      const declared = of('properties')
        .map(one => one[key] as JsonSchema | undefined)
        .filter(one => one !== undefined)
      return declared.length === 0 ? [] : [[key, reference(declared, child)] as const]
    })
    return Object.fromEntries(fields)
  }
  fc.assert(
    fc.property(schema, fc.dictionary(keys, value, { noNullPrototype: true }), (declared, input) => {
      const root = { allOf: [declared], properties: { type: {} } }
      const result = compile(root)(input)
      assert.ok(!(result instanceof Promise) && result.ok)
      // The root's own `type: {}` keeps the discriminator: here it is a field like others, any value where nothing else says more.
      const { type: _, ...rest } = input
      const { type: __, ...out } = result.value as Record<string, unknown>
      assert.deepEqual(out, reference([declared], rest))
    }),
    { numRuns: 500 },
  )
})
