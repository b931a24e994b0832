import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc } from '../../../../test/support/fast-check.ts'
import { judgeNumber } from '../../src/schema/number-literal.ts'
import type { Schema } from '../../src/model/schema-kinds.ts'
import { ask, sent, tenTo } from './numbers-fixtures.ts'
import { pairOf, policyFor } from '../fast-path/template-fixtures.ts'

const judged: readonly [name: string, field: Schema, token: string, passes: boolean][] = [
  ['a maximum of 0.1 and C’s 0.1', { maximum: 0.1 }, '0.10000000000000001', false],
  ['a maximum of 0.3 and a little less', { maximum: 0.3 }, '0.29999999999999999', true],
  ['a minimum of 0.3 and a little less', { minimum: 0.3 }, '0.29999999999999999', false],
  ['a minimum of 0.1 and a little more', { minimum: 0.1 }, '0.10000000000000001', true],
  ['a constant and a number beside it', { const: 0.1 }, '0.10000000000000001', false],
  ['a constant, written otherwise', { const: 0.1 }, '1.0e-1', true],
  ['an enumeration and a number beside it', { enum: [1, 0.3] }, '0.29999999999999999', false],
  ['a fraction next to an integer', { type: 'integer' }, '1.0000000000000001', false],
  ['an integer with a fraction of zeros', { type: 'integer' }, '1.0', true],
  ['2^53 and a number beside it', { const: 1, maximum: 9007199254740991 }, '9007199254740991.5', false],
  ['a negative minimum and a little less', { minimum: -0.1 }, '-0.10000000000000001', false],
  ['a negative maximum and a little less', { maximum: -0.1 }, '-0.10000000000000001', true],
  ['cents', { multipleOf: 0.01 }, '0.07', true],
  ['cents of a large sum', { multipleOf: 0.01 }, '1234567890.29', true],
  ['a fraction of a cent', { multipleOf: 0.01 }, '0.0700000001', false],
  ['next to nothing is no multiple of 1', { multipleOf: 1 }, '0.00000000001', false],
  ['zero', { multipleOf: 0.01 }, '0', true],
  ['a multiple of a large step', { multipleOf: 1e20 }, '3e20', true],
  ['no multiple of it', { multipleOf: 1e20 }, '35e19', false],
  ['text beside multipleOf', { multipleOf: 2 }, '"x"', true],
]
for (const [name, field, token, passes] of judged)
  test(`judged as sent: ${name}`, () =>
    assert.equal(ask(sent(token), field).code, passes ? 'PASS' : 'SALLY_MESSAGE_INVALID'))

/** A decimal of few digits as units of 10^-20, exactly. */
function units(token: string): bigint {
  const [mantissa = '', exponent = '0'] = token.toLowerCase().split('e')
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.')
  const all = BigInt(whole + fraction) * tenTo(20 + Number(exponent) - fraction.length)
  return mantissa.startsWith('-') ? -all : all
}

const bound = fc.tuple(fc.integer({ min: -999, max: 999 }), fc.nat(4)).map(([all, point]) => all / 10 ** point)
/** A number near the bound, in one of the ways to write it. */
const nearby = (value: number): fc.Arbitrary<string> =>
  fc.oneof(
    fc.constantFrom(
      String(value),
      value.toFixed(6),
      value.toExponential(),
      value.toPrecision(17),
      value.toPrecision(16),
    ),
    fc.integer({ min: -3, max: 3 }).map(step => (value + step * 1e-4).toFixed(6)),
    // The last of 17 digits, one up or down.
    fc.constantFrom(-1n, 1n).map(step => {
      const [mantissa = '', exponent = '0'] = (value === 0 ? 1 : value).toExponential(16).split('e')
      const all = BigInt(mantissa.replace('.', '')) + (mantissa.startsWith('-') ? -step : step)
      return `${all}e${Number(exponent) - 16}`
    }),
  )
type Bounds = Readonly<Record<string, (value: bigint, bound: bigint) => boolean>>
const BOUNDS: Bounds = {
  minimum: (value, least) => value >= least,
  maximum: (value, most) => value <= most,
  exclusiveMinimum: (value, least) => value > least,
  exclusiveMaximum: (value, most) => value < most,
  const: (value, constant) => value === constant,
  enum: (value, constant) => value === constant,
  multipleOf: (value, divisor) => value % divisor === 0n,
}

test('property: bounds and constants hold for the number that was sent, cold and on the fast path', () => {
  const seen = { passed: 0, refused: 0, read: 0 }
  const keyword = fc.constantFrom(...Object.keys(BOUNDS))
  const asked = fc.tuple(keyword, bound).chain(([key, value]) => {
    const limit = key === 'multipleOf' ? Math.max(0.0001, Math.abs(value)) : value
    return fc.tuple(fc.constant(key), fc.constant(limit), fc.array(nearby(value), { minLength: 6, maxLength: 6 }))
  })
  fc.assert(
    fc.property(asked, ([key, limit, tokens]) => {
      const field = { type: 'number', [key]: key === 'enum' ? [limit] : limit }
      const pair = pairOf(policyFor({ t: { type: 'object', properties: { type: { const: 't' }, v: field } } }))
      for (const token of [String(limit), ...tokens, ...tokens]) {
        const text = sent(token)
        const isRead = pair.take(text) !== null
        const passes = pair.ask(text).passes
        if (isRead) seen.read++
        seen[passes ? 'passed' : 'refused']++
        const holds = BOUNDS[key]!(units(token), units(String(limit)))
        // An exclusive bound or a multiple must hold for both doubles beside a number, of which one is delivered.
        if (judgeNumber(token) === 'near' && /^exclusive|^multiple/.test(key))
          assert.ok(!passes || holds, `${key} ${limit}: ${token}`)
        else assert.equal(passes, holds, `${key} ${limit}: ${token}`)
      }
    }),
    { numRuns: 400 },
  )
  assert.ok(seen.passed > 500 && seen.refused > 500 && seen.read > 300, JSON.stringify(seen))
})
