import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as z from 'zod'
import { textOf } from '../../src/connection/outbound-text.ts'
import { compileOutbound } from '../../src/controls/message/outbound.ts'
import type { Schema } from '../../src/model/schema-kinds.ts'
import type { SchemaMap } from '../../src/model/schema-kinds.ts'
import { policyWith } from './door-fixtures.ts'

const compile = (types: SchemaMap) =>
  compileOutbound(policyWith({ outbound: { types, discriminator: 'type' } }), textOf)!
const USER = {
  type: 'object',
  properties: { type: {}, name: { type: 'string' }, posts: { items: { properties: { id: {} } } } },
  required: ['name'],
}

test('not declared: nothing is compiled', () => assert.equal(compileOutbound(policyWith(), textOf), null))

test('a password hash in a row never leaves, at any depth', () => {
  const row = { type: 'user', name: 'Ada', passwordHash: '$argon2id$…', posts: [{ id: 1, token: 't' }] }
  assert.deepEqual(compile({ user: USER })(row), { ok: true, value: { type: 'user', name: 'Ada', posts: [{ id: 1 }] } })
  assert.equal(row.passwordHash, '$argon2id$…')
})

const standard = (validate: () => unknown): Schema => ({ '~standard': { version: 1, vendor: 'test', validate } })
const thrower = (): never => {
  throw new RangeError('S3CRET')
}

const refused: readonly [name: string, types: SchemaMap, value: object, detail: RegExp][] = [
  ['an unknown type', { user: USER }, { type: 'admin', name: 'x' }, /not declared in message\.outbound/],
  ['no type', { user: USER }, { name: 'x' }, /not declared/],
  ['an inherited type', { user: USER }, Object.create({ type: 'user', name: 'x' }), /not declared/],
  ['a type of Object.prototype', { user: USER }, { type: 'toString' }, /not declared/],
  ['a value of the wrong kind', { user: USER }, { type: 'user', name: 1 }, /^user: \/name type$/],
  [
    'an asynchronous schema',
    { a: z.object({ x: z.number().refine(async () => true) }) },
    { type: 'a', x: 1 },
    /asynchronous/,
  ],
  [
    'a schema that rejects',
    { a: standard(() => Promise.reject(new Error('S3CRET'))) },
    { type: 'a' },
    /^a: the schema is asyn/,
  ],
  ['a schema that throws', { a: standard(thrower) }, { type: 'a' }, /^a: the schema threw RangeError$/],
]
for (const [name, types, value, detail] of refused) {
  test(`${name} is not sent`, () => {
    const result = compile(types)(value)
    assert.ok(!result.ok)
    assert.match(result.detail, detail)
  })
}
