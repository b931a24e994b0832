// What the app sends may hold code of its own: a getter, a toJSON, a proxy. What leaves is what was checked.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc } from '../../../../test/support/fast-check.ts'
import { Ajv } from 'ajv'
import * as z from 'zod'
import { textOf } from '../../src/connection/outbound-text.ts'
import { compileOutbound } from '../../src/controls/message/outbound.ts'
import { dataKindOf } from '../../src/schema/plain-data.ts'
import type { SchemaMap } from '../../src/model/schema-kinds.ts'
import { policyWith } from './door-fixtures.ts'

const compile = (types: SchemaMap) =>
  compileOutbound(policyWith({ outbound: { types, discriminator: 'type' } }), textOf)!

/** What would leave, as text; null where nothing does. */
function sent(types: SchemaMap, message: object): string | null {
  const result = compile(types)(message)
  return result.ok ? written(result.value) : null
}

const written = (value: object | string): string => (typeof value === 'string' ? value : textOf(value))

const NAME = { type: 'object', properties: { type: {}, name: { type: 'string' } }, required: ['name'] }
const USERS: SchemaMap = {
  user: NAME,
  list: { type: 'object', properties: { type: {}, users: { type: 'array', items: NAME } } },
}
const SECRET = '$argon2id$SECRET'

class Row {
  readonly type = 'user'
  readonly name = 'ann'
  toJSON(): object {
    return { type: 'user', name: 'ann', hash: SECRET }
  }
}

/** Answers the checked name first, and the secret to whoever asks again. */
function turning(): object {
  let asked = 0
  return {
    type: 'user',
    get name() {
      return asked++ === 0 ? 'ann' : SECRET
    },
  }
}

const inherited = (message: object, toJSON: () => unknown): object =>
  Object.setPrototypeOf(message, { toJSON }) as object

const LEAKS: readonly (readonly [name: string, message: () => object])[] = [
  ['toJSON of a class', () => new Row()],
  ['toJSON of an element', () => ({ type: 'list', users: [new Row()] })],
  [
    'toJSON of its own',
    () => ({ type: 'user', name: 'ann', toJSON: () => ({ type: 'user', name: 'ann', hash: SECRET }) }),
  ],
  [
    'toJSON that answers by its key',
    () => ({ type: 'list', users: [{ name: 'ann', toJSON: (key: string) => ({ name: 'a', [key]: SECRET }) }] }),
  ],
  [
    'toJSON of a prototype',
    () => inherited({ type: 'user', name: 'ann' }, () => ({ type: 'user', name: 'a', hash: SECRET })),
  ],
  [
    'toJSON of an array',
    () => ({
      type: 'list',
      users: Object.assign([{ name: 'ann' }], { toJSON: () => [{ name: 'ann', hash: SECRET }] }),
    }),
  ],
  ['toJSON that answers text', () => ({ type: 'user', name: 'ann', toJSON: () => SECRET })],
  [
    'toJSON that answers another type',
    () => ({ type: 'user', name: 'ann', toJSON: () => ({ type: 'admin', hash: SECRET }) }),
  ],
  ['a getter that answers differently each time', turning],
  [
    'a proxy that shows another object to each reader',
    () => {
      let asked = 0
      return new Proxy(
        { type: 'user', name: 'ann' },
        { get: (target, key) => (key === 'name' && asked++ > 0 ? SECRET : Reflect.get(target, key)) },
      )
    },
  ],
  [
    'a proxy with keys that come later',
    () => {
      let asked = 0
      const rows = [
        { type: 'user', name: 'ann' },
        { type: 'user', name: 'ann', hash: SECRET },
      ]
      return new Proxy(
        { type: 'user', name: 'ann', hash: SECRET },
        { ownKeys: () => Object.keys(rows[Math.min(1, asked++)]!) },
      )
    },
  ],
  [
    'a date that writes a secret',
    () => ({ type: 'user', name: Object.assign(new Date(0), { toISOString: () => SECRET, hash: 1 }) }),
  ],
  [
    'raw JSON',
    () => ({
      type: 'user',
      name: 'ann',
      hash: (JSON as unknown as { rawJSON(text: string): object }).rawJSON(`"${SECRET}"`),
    }),
  ],
  [
    'a boxed text',
    () => ({ type: 'user', name: Object.assign(new String('ann'), { toString: () => SECRET }), hash: SECRET }),
  ],
]
for (const [name, message] of LEAKS) {
  test(`${name}: no field that was not checked leaves`, () => {
    const text = sent(USERS, message())
    // Text in a declared field is what the schema has seen.
    assert.doesNotMatch(text ?? '', /hash|admin/)
    const checked = text === null ? null : compile(USERS)(JSON.parse(text) as object)
    assert.ok(
      checked === null || (checked.ok && written(checked.value) === text),
      'what leaves is what a check of it leaves',
    )
  })
}

const HONEST: readonly (readonly [name: string, types: SchemaMap, message: object, text: string])[] = [
  ['plain fields', USERS, { type: 'user', name: 'ann' }, '{"type":"user","name":"ann"}'],
  ['a field that is undefined', USERS, { type: 'user', name: 'ann', nick: undefined }, '{"type":"user","name":"ann"}'],
  [
    'an instance of a class',
    USERS,
    new (class {
      type = 'user'
      name = 'ann'
      #hash = SECRET
      hash() {
        return this.#hash
      }
    })(),
    '{"type":"user","name":"ann"}',
  ],
  [
    'a toJSON that leaves the secret out',
    USERS,
    { hash: SECRET, toJSON: () => ({ type: 'user', name: 'ann' }) },
    '{"type":"user","name":"ann"}',
  ],
  [
    'a date under a schema of text',
    { at: { type: 'object', properties: { type: {}, at: { type: 'string', format: 'date-time' } } } },
    { type: 'at', at: new Date(0) },
    '{"type":"at","at":"1970-01-01T00:00:00.000Z"}',
  ],
  [
    'a date under a schema of dates',
    { at: z.object({ type: z.literal('at'), at: z.date() }) },
    { type: 'at', at: new Date(0) },
    '{"type":"at","at":"1970-01-01T00:00:00.000Z"}',
  ],
  [
    'a URL under a schema of text',
    { at: z.object({ type: z.literal('at'), href: z.url() }) },
    { type: 'at', href: new URL('https://a.example/') },
    '{"type":"at","href":"https://a.example/"}',
  ],
  [
    'an object without a prototype',
    USERS,
    Object.assign(Object.create(null) as object, { type: 'user', name: 'ann' }),
    '{"type":"user","name":"ann"}',
  ],
]
for (const [name, types, message, text] of HONEST)
  test(`${name} is sent`, () => assert.equal(sent(types, message), text))

test('a schema whose transform answers an object with code sends nothing, and says why', () => {
  const result = compile({ user: z.object({ type: z.literal('user') }).transform(() => new Row()) })({ type: 'user' })
  assert.ok(!result.ok)
  assert.match(result.detail, /^user: the schema answers no plain data/)
})

test('NaN, which JSON writes as null, is no number that was checked', () => {
  const types = { n: { type: 'object', properties: { type: {}, n: { type: 'number' } } } }
  for (const n of [Number.NaN, Infinity, -Infinity]) assert.equal(sent(types, { type: 'n', n }), null)
  assert.equal(sent(types, { type: 'n', n: -0 }), '{"type":"n","n":0}')
})

test('code of a message runs once', () => {
  let runs = 0
  const message = { type: 'user', name: 'ann', toJSON: () => (runs++, { type: 'user', name: 'ann' }) }
  assert.equal(sent(USERS, message), '{"type":"user","name":"ann"}')
  assert.equal(runs, 1)
})

test('in report mode what is refused is sent as it was written then, and its code runs once', () => {
  let runs = 0
  const result = compile(USERS)({ toJSON: () => ({ type: 'admin', runs: ++runs }) })
  assert.ok(!result.ok)
  assert.equal(result.given, '{"type":"admin","runs":1}')
  assert.equal(runs, 1)
})

test('plain data is what JSON gives back as it was, whatever it is', () => {
  fc.assert(
    fc.property(
      fc.anything({
        withBigInt: true,
        withBoxedValues: true,
        withDate: true,
        withMap: true,
        withNullPrototype: true,
        withSparseArray: true,
        withTypedArray: true,
        maxDepth: 4,
      }),
      value => {
        if (dataKindOf(value) !== 'plain' || typeof value === 'bigint' || holdsBigint(value)) return
        assert.deepEqual(JSON.parse(JSON.stringify(value)), withPrototypes(value))
      },
    ),
    { numRuns: 3000 },
  )
})

function holdsBigint(value: unknown): boolean {
  if (typeof value === 'bigint') return true
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsBigint)
}

/** The same with ordinary prototypes, and 0 for -0. */
function withPrototypes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withPrototypes)
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withPrototypes(inner)]))
  }
  return value === 0 ? 0 : value
}

test('a cycle is not plain, and ends', () => {
  const cycle: { self?: object } = {}
  cycle.self = cycle
  assert.equal(dataKindOf(cycle), 'code')
})

// ——— what only reports ———

const REPORTS = policyWith(
  { outbound: { types: USERS, discriminator: 'type' } },
  { report: new Set(['message/outbound']) },
)

const reported: readonly (readonly [what: string, message: object | string])[] = [
  ['an object with a field too many', { type: 'user', name: 'ann', hash: 'h' }],
  ['a field too many in a list', { type: 'list', users: [{ name: 'ann', hash: 'h' }] }],
  ['a text with a field too many', '{ "type":"user", "name":"ann", "hash":"h", "n":1.0 }'],
  ['a row whose toJSON says more', new Row()],
]
for (const [what, message] of reported) {
  test(`report mode lets a message leave as it is, and names its fields: ${what}`, () => {
    const result = compileOutbound(REPORTS, textOf)!(message)
    assert.ok(!result.ok)
    assert.equal(written(result.given), written(message))
    assert.match(result.detail, /\/hash\b/)
    assert.doesNotMatch(result.detail, /SECRET/)
  })
}

test('report mode runs code of a message once, and sends what that run wrote', () => {
  const message = turning()
  const result = compileOutbound(REPORTS, textOf)!(message)
  assert.doesNotMatch(written(result.ok ? result.value : result.given), /SECRET/)
})

test('report mode sends what a transform would change as the app wrote it', () => {
  const types: SchemaMap = { user: z.object({ type: z.literal('user'), name: z.string().transform(() => 'x') }) }
  const policy = policyWith({ outbound: { types, discriminator: 'type' } }, { report: 'all' })
  const message = { type: 'user', name: 'ann' }
  assert.deepEqual(compileOutbound(policy, textOf)!(message), { ok: true, value: message })
})

for (const report of [new Set<never>(), 'all'] as const) {
  test(`an Ajv function that removes, fills in and coerces leaves the app's own object alone (${report === 'all' ? 'reports' : 'enforces'})`, () => {
    const ajv = new Ajv({ removeAdditional: 'all', useDefaults: true, coerceTypes: true })
    const validate = ajv.compile({
      type: 'object',
      properties: { type: {}, age: { type: 'number' }, role: { type: 'string', default: 'guest' } },
    })
    const policy = policyWith({ outbound: { types: { user: validate }, discriminator: 'type' } }, { report })
    const row = { type: 'user', age: '5', hash: SECRET }
    const result = compileOutbound(policy, textOf)!(row)
    assert.deepEqual(row, { type: 'user', age: '5', hash: SECRET })
    if (report !== 'all') assert.deepEqual(result, { ok: true, value: { type: 'user', age: 5, role: 'guest' } })
  })
}

test('a list with a hole and a field of its own is no plain data: a hole is written as null', () => {
  const list: unknown[] = []
  list.length = 1
  Object.assign(list, { extra: 1 })
  assert.equal(dataKindOf({ list }), 'code')
  assert.equal(dataKindOf({ list: [1, 2] }), 'plain')
  assert.equal(dataKindOf({ list: [] }), 'plain')
})

test('nested data of the app leaves as it is, however deep a schema lets it be', () => {
  const types: SchemaMap = { tree: { type: 'object', properties: { type: {}, tree: {} } } }
  for (const depth of [60, 65, 300, 900]) {
    const tree: unknown = JSON.parse('['.repeat(depth) + '1.5' + ']'.repeat(depth))
    const message = { type: 'tree', tree }
    assert.equal(sent(types, message), JSON.stringify(message), String(depth))
    const result = compile(types)(JSON.stringify(message))
    assert.deepEqual(result, { ok: true, value: JSON.stringify(message) }, String(depth))
  }
})

for (const deep of ['[', '{"a":']) {
  test(`a text that is nested without end is refused, and nothing throws: ${deep}`, () => {
    const types: SchemaMap = { tree: { type: 'object', properties: { type: {}, tree: {} } } }
    const close = deep === '[' ? ']' : '}'
    const result = compile(types)(`{"type":"tree","tree":${deep.repeat(30_000)}1e5${close.repeat(30_000)}}`)
    assert.ok(!result.ok)
  })
}
