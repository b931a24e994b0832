/* eslint-disable unicorn/no-thenable -- a keyword of JSON Schema */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { type } from 'arktype'
import { Type } from 'typebox'
import { Compile as CompileSchema } from 'typebox/schema'
import { fc } from '../../../../test/support/fast-check.ts'
import { compileSchema } from '../../src/controls/message/compile-schema.ts'
import { readDocument } from '../../src/schema/json-document.ts'
import type { JsonSchema, Schema } from '../../src/model/schema-kinds.ts'
import type { SchemaResult } from '../../src/schema/schema-result.ts'
import { keepsValid } from '../../src/schema/strip-proof.ts'

const compile = (schema: Schema) => compileSchema('t', schema, { discriminator: 'type', unknownFields: 'strip' })
const run = (check: ReturnType<typeof compile>, value: object): SchemaResult => {
  const result = check(value)
  assert.ok(!(result instanceof Promise))
  return result
}

const object = { type: 'object', properties: { type: {}, a: {} } }
const refused: readonly [name: string, schema: JsonSchema, message: object][] = [
  ['minProperties counts a field that goes', { ...object, minProperties: 3 }, { type: 't', a: 1, x: 1 }],
  ['required names a field that is not declared', { ...object, required: ['x'] }, { type: 't', x: 1 }],
  ['dependentRequired asks for it', { ...object, dependentRequired: { a: ['x'] } }, { type: 't', a: 1, x: 1 }],
  ['oneOf is told apart by it', { ...object, oneOf: [{ required: ['x'] }, { required: ['b'] }] }, { type: 't', x: 1 }],
  ['oneOf held alone because of it', { ...object, oneOf: [{ not: { required: ['x'] } }, true] }, { type: 't', x: 1 }],
  ['if holds no more', { ...object, if: { required: ['x'] }, else: { required: ['b'] } }, { type: 't', x: 1 }],
  ['not holds again', { ...object, not: { not: { required: ['x'] } } }, { type: 't', x: 1 }],
  [
    'elements that differed by it are equal',
    { properties: { type: {}, l: { uniqueItems: true, items: { properties: { a: {} } } } } },
    {
      type: 't',
      l: [
        { a: 1, x: 1 },
        { a: 1, x: 2 },
      ],
    },
  ],
  [
    'contains found it',
    { properties: { type: {}, l: { contains: { required: ['x'] }, items: { properties: { a: {} } } } } },
    { type: 't', l: [{ a: 1, x: 1 }] },
  ],
  [
    'a constant object that another schema strips',
    { properties: { type: {}, o: { const: { a: 1, x: 1 }, properties: { a: {} } } } },
    { type: 't', o: { a: 1, x: 1 } },
  ],
  [
    'deep in a definition',
    {
      properties: { type: {}, o: { $ref: '#/$defs/o' } },
      $defs: { o: { properties: { a: {} }, minProperties: 2 } },
    },
    { type: 't', o: { a: 1, x: 1 } },
  ],
]
for (const [name, schema, message] of refused) {
  for (const kind of ['JSON Schema', 'Ajv'] as const) {
    test(`what no longer matches once it is stripped is refused: ${name} (${kind})`, () => {
      const check = compile(kind === 'Ajv' ? new Ajv2020({ strict: false }).compile(schema) : schema)
      const result = run(check, message)
      assert.ok(!result.ok)
      assert.match(result.detail, /once undeclared fields are stripped$/)
    })
  }
}

test('ArkType: predicates hold for what is left, and a transform is not asked twice', () => {
  const counts = type({ a: 'number' }).narrow(value => Object.keys(value).length === 3)
  const differ = type({
    l: type({ a: 'number' })
      .array()
      .narrow(list => new Set(list.map(one => JSON.stringify(one))).size === list.length),
  })
  const dated = type({ at: 'string.date.parse' })
  const rows: readonly [schema: Schema, message: object, left: object | null][] = [
    [counts, { type: 't', a: 1, x: 1 }, null],
    [
      differ,
      {
        type: 't',
        l: [
          { a: 1, x: 1 },
          { a: 1, x: 2 },
        ],
      },
      null,
    ],
    [differ, { type: 't', l: [{ a: 1, x: 1 }, { a: 2 }] }, { type: 't', l: [{ a: 1 }, { a: 2 }] }],
    [type({ a: 'number' }), { type: 't', a: 1, x: 1 }, { type: 't', a: 1 }],
    [dated, { type: 't', at: '2026-01-01', x: 1 }, { type: 't', at: new Date('2026-01-01') }],
  ]
  for (const [schema, message, left] of rows) {
    const result = run(compile(schema), message)
    assert.deepEqual(result.ok ? result.value : null, left)
  }
})

test('a branch that goes takes what it declared with it, and the rest is stripped again', () => {
  const schema = {
    ...object,
    anyOf: [{ required: ['x'], properties: { secret: { type: 'string' } } }, { required: ['a'] }],
  }
  assert.deepEqual(run(compile(schema), { type: 't', a: 1, x: 1, secret: 's' }), {
    ok: true,
    value: { type: 't', a: 1 },
  })
})

test('an honest message with a field too many passes without it', () => {
  const rows: readonly [schema: JsonSchema, message: object, left: object][] = [
    [
      { ...object, minProperties: 2 },
      { type: 't', a: 1, x: 1 },
      { type: 't', a: 1 },
    ],
    [
      { ...object, dependentRequired: { a: ['type'] } },
      { type: 't', a: 1, x: 1 },
      { type: 't', a: 1 },
    ],
    [
      { ...object, oneOf: [{ required: ['a'] }, { required: ['b'] }] },
      { type: 't', a: 1, x: 1 },
      { type: 't', a: 1 },
    ],
  ]
  for (const [schema, message, left] of rows) assert.deepEqual(run(compile(schema), message), { ok: true, value: left })
})

// ——— random schemas × random messages; Ajv judges independently ———

const KEYS = ['a', 'b', 'c', 'd']

/** Draws from a seed: fast-check shrinks the seed's list, and the depth bounds the size. */
class Draw {
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  below(bound: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((this.#state / 2 ** 32) * bound)
  }

  of<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!
  }

  list<T>(most: number, one: () => T): T[] {
    return Array.from({ length: this.below(most + 1) }, one)
  }

  fields(one: () => unknown, least = 0): Record<string, unknown> {
    const picked = KEYS.filter(() => this.below(2) === 0)
    return Object.fromEntries((picked.length < least ? KEYS : picked).map(name => [name, one()]))
  }

  schema(depth: number): JsonSchema {
    const child = (): unknown =>
      depth === 0 || this.below(3) === 0
        ? this.of<unknown>([{ type: 'number' }, { const: 1 }, {}, true])
        : this.schema(depth - 1)
    const names = (): string[] => KEYS.filter(() => this.below(4) === 0)
    const some = (): unknown[] => [child(), ...this.list(1, child)]
    const keywords: Readonly<Record<string, () => unknown>> = {
      properties: () => this.fields(child),
      type: () => this.of<unknown>(['object', ['object', 'number', 'array'], 'array']),
      required: names,
      items: child,
      patternProperties: () => ({ [this.of(['^a', '[bc]'])]: child() }),
      additionalProperties: child,
      minProperties: () => this.below(4),
      maxProperties: () => 1 + this.below(4),
      propertyNames: () => this.of<unknown>([{ enum: KEYS }, { pattern: '^[abc]' }]),
      dependentRequired: () => ({ [this.of(KEYS)]: names() }),
      dependentSchemas: () => ({ [this.of(KEYS)]: child() }),
      prefixItems: some,
      contains: child,
      uniqueItems: () => this.below(2) === 0,
      const: () => this.of<unknown>([1, { a: 1 }, { a: 1, b: 1 }]),
      not: child,
      if: child,
      then: child,
      else: child,
      allOf: some,
      anyOf: some,
      oneOf: some,
    }
    const schema: Record<string, unknown> = this.below(4) === 0 ? {} : { properties: this.fields(child) }
    for (let turn = this.below(4); turn > 0; turn--) {
      const keyword = this.of(Object.keys(keywords))
      schema[keyword] = keywords[keyword]!()
    }
    return schema
  }

  value(depth: number): unknown {
    const kind = depth === 0 ? 0 : this.below(4)
    if (kind === 3) return this.list(3, () => this.value(depth - 1))
    return kind === 0 ? this.of<unknown>([1, 1, 2, 'x']) : this.fields(() => this.value(depth - 1))
  }

  message(): object {
    return this.fields(() => this.value(2), 1)
  }
}

/**
 * The same schema for Ajv 8.20, which can skip `contains` for an empty list where other keywords stand beside it. By the
 * specification (2020-12, core §10.3.1.3) such a list is invalid: it is not so that each element of it fails.
 */
function forAjv(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(forAjv)
  if (typeof schema !== 'object' || schema === null) return schema
  const copy = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, forAjv(value)]))
  if (!('contains' in copy)) return copy
  const { contains, allOf = [], ...rest } = copy
  const without = { type: 'array', items: { not: contains } }
  return { ...rest, allOf: [...(allOf as unknown[]), { not: without }] }
}

test('a list without elements holds nothing that contains asks for, whatever stands beside it', () => {
  for (const beside of [{}, { prefixItems: [{ type: 'number' }] }, { items: {} }, { items: { type: 'number' } }]) {
    const list = { type: 'array', contains: {}, ...beside }
    const check = compile({ type: 'object', properties: { type: {}, l: list } })
    assert.equal(run(check, { type: 't', l: [] }).ok, false, JSON.stringify(list))
    assert.equal(run(check, { type: 't', l: [1] }).ok, true, JSON.stringify(list))
    const isValid = new Ajv2020({ strict: false }).compile(forAjv(list) as JsonSchema)
    assert.deepEqual([isValid([]), isValid([1])], [false, true], 'so says Ajv')
  }
})

test('property: what passes matches the schema, whatever was stripped from it', () => {
  const seen = { passed: 0, stripped: 0, refused: 0, proven: 0 }
  fc.assert(
    fc.property(fc.nat(), seed => {
      const draw = new Draw(seed)
      const whole: JsonSchema = { ...draw.schema(2), type: 'object' }
      const messages = Array.from({ length: 40 }, () => draw.message())
      let check: ReturnType<typeof compile>
      try {
        check = compile(whole)
      } catch {
        return
      }
      const isValid = new Ajv2020({ strict: false, logger: false }).compile(forAjv(whole) as JsonSchema)
      const typebox = CompileSchema(whole)
      const isProven = keepsValid(readDocument('t', whole))
      for (const one of messages) {
        const before = structuredClone(one)
        const result = run(check, one)
        assert.deepEqual(one, before, 'the input is not changed')
        let valid: boolean
        try {
          valid = isValid(one)
        } catch {
          // Ajv 8.20 cannot follow what it has evaluated through some dependentSchemas.
          return
        }
        assert.equal(typebox.Check(one), valid, JSON.stringify(one))
        if (!valid) {
          assert.equal(result.ok, false)
          continue
        }
        if (!result.ok) {
          assert.match(result.detail, /once undeclared fields are stripped$|unsettled$/)
          assert.equal(isProven, false, 'what is proven is never refused')
          seen.refused++
          continue
        }
        seen.passed++
        if (result.value !== one) seen.stripped++
        if (isProven) seen.proven++
        assert.ok(isValid(result.value), JSON.stringify({ one, left: result.value }))
        assert.deepEqual(
          run(check, result.value as object),
          { ok: true, value: result.value },
          'nothing more is stripped',
        )
      }
    }),
    { numRuns: 300 },
  )
  assert.ok(seen.passed > 1000 && seen.stripped > 200 && seen.refused > 20 && seen.proven > 100, JSON.stringify(seen))
})

// ——— what is proven ———

const proofs: readonly [name: string, schema: JsonSchema, isProven: boolean][] = [
  ['properties and required', { ...object, required: ['type', 'a'] }, true],
  [
    'a TypeBox type',
    { ...Type.Object({ type: Type.Literal('t'), l: Type.Array(Type.Integer({ multipleOf: 2 })) }) },
    true,
  ],
  ['a list of different texts', { properties: { l: { uniqueItems: true, items: { type: 'string' } } } }, true],
  ['a list of different objects', { properties: { l: { uniqueItems: true, items: { type: 'object' } } } }, false],
  ['a list of different things', { properties: { l: { uniqueItems: true } } }, false],
  ['required of what another schema declares', { properties: { a: {} }, allOf: [{ required: ['a'] }] }, false],
  ['a constant object', { properties: { a: { const: { b: 1 } } } }, false],
  ['an enumeration of scalars', { properties: { a: { enum: [1, 'x', null] } } }, true],
  ['minProperties', { properties: { a: {} }, minProperties: 1 }, false],
  ['anyOf', { properties: { a: { anyOf: [{}, {}] } } }, false],
  ['a check of one’s own', { properties: { a: { '~refine': [] } } }, false],
  ['a keyword of Ajv', { properties: { a: { even: true } } }, false],
  ['a recursive tree', { properties: { a: { $ref: '#' } }, additionalProperties: false }, true],
]
for (const [name, declared, isProven] of proofs) {
  test(`a second validation is ${isProven ? 'left out' : 'made'}: ${name}`, () =>
    assert.equal(keepsValid(readDocument('t', declared)), isProven))
}
