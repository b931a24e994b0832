/* eslint-disable unicorn/no-thenable -- a keyword of JSON Schema */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { Compile as CompileSchema } from 'typebox/schema'
import { fc } from '../../../../test/support/fast-check.ts'
import { compileSchema } from '../../src/message/compile-schema.ts'
import { readDocument } from '../../src/message/json-document.ts'
import type { JsonSchema, Schema } from '../../src/message/schema-kinds.ts'
import type { SchemaResult } from '../../src/message/schema-result.ts'
import { keepsValid } from '../../src/message/strip-proof.ts'

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
      const isValid = new Ajv2020({ strict: false, logger: false }).compile(whole)
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
        // What one of them finds invalid is refused; they differ about some uses of contains.
        if (!valid || !typebox.Check(one)) {
          if (!typebox.Check(one)) assert.equal(result.ok, false)
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

// ——— bounds of memory ———

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Bytes of the heap that are in use. */
function heap(): number {
  collect()
  return process.memoryUsage().heapUsed
}

test('18 conditions on one object: no message makes the stripping remember anything', async () => {
  const flags = Array.from({ length: 18 }, (_, index) => `f${index}`)
  const declared = {
    type: 'object',
    properties: { type: {}, ...Object.fromEntries(flags.map(flag => [flag, { type: 'boolean' }])) },
    allOf: flags.map(flag => ({
      if: { properties: { [flag]: { const: true } }, required: [flag] },
      then: { properties: { [`${flag}x`]: { type: 'object', properties: { n: { type: 'number' } } } } },
      else: { properties: { [`${flag}y`]: {} } },
    })),
  }
  const check = compile(declared)
  const one = (bits: number): object => ({
    type: 't',
    extra: 1,
    ...Object.fromEntries(flags.map((flag, index) => [flag, ((bits >> index) & 1) === 1])),
    f0x: { n: 1, extra: 1 },
    f0y: 1,
  })
  const left = run(check, one(1))
  assert.ok(left.ok)
  assert.deepEqual((left.value as { f0x: unknown }).f0x, { n: 1 })
  assert.ok(!('f0y' in (left.value as object)) && !('extra' in (left.value as object)))
  for (let bits = 0; bits < 1000; bits++) run(check, one(bits))
  const before = heap()
  for (let bits = 1000; bits < 10_000; bits++) run(check, one((bits * 2_654_435_761) % 2 ** 18))
  assert.ok(heap() - before < 8 * 1024 * 1024, `${heap() - before} bytes`)
})

test('overlapping patterns: keys that the peer chooses make nothing grow', () => {
  const letters = [...'ABCDEFGHIJKLMNOP']
  const check = compile({
    type: 'object',
    properties: { type: {} },
    patternProperties: Object.fromEntries(
      letters.map(letter => [letter, { type: 'object', properties: { [letter]: {} } }]),
    ),
  })
  const before = heap()
  for (let bits = 1; bits < 20_000; bits++) {
    const name = letters.filter((_, index) => ((bits >> index) & 1) === 1).join('')
    if (name === '') continue
    const result = run(check, { type: 't', [name]: { [name[0]!]: 1, z: 1 } })
    assert.ok(result.ok)
    if (bits % 1000 === 1) assert.deepEqual(result.value, { type: 't', [name]: { [name[0]!]: 1 } })
  }
  assert.ok(heap() - before < 16 * 1024 * 1024)
})

// ——— keywords that nobody enforces ———

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

test('annotations ask for nothing, and fields may bear the names of keywords', () => {
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
  assert.deepEqual(run(check, sent), { ok: true, value: sent })
})
