/* eslint-disable unicorn/no-thenable -- a keyword of JSON Schema */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { compileSchema } from '../../src/controls/message/compile-schema.ts'
import type { Schema } from '../../src/model/schema-kinds.ts'
import type { SchemaResult } from '../../src/schema/schema-result.ts'

const compile = (schema: Schema) => compileSchema('t', schema, { discriminator: 'type', unknownFields: 'strip' })
const run = (check: ReturnType<typeof compile>, value: object): SchemaResult => {
  const result = check(value)
  assert.ok(!(result instanceof Promise))
  return result
}

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
