import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc } from '../../../../test/support/fast-check.ts'
import { format } from '../../src/message/format.ts'
import { judgeNumber } from '../../src/message/number-literal.ts'
import { schema } from '../../src/message/schema.ts'
import type { Schema } from '../../src/message/schema-kinds.ts'
import type { BigIntegers } from '../../src/policy/types.ts'
import { pairOf, policyFor } from './skeleton-fixtures.ts'
import { atOnce, connectionOf, partsWith, policyWith, textOf } from './door-fixtures.ts'

const FORMAT = { data: 'json', depth: 32, width: 1000, allowKeys: [] } as const

/** What the doors of format and schema answer, and what passes on. */
function ask(text: string, field: Schema = {}, bigIntegers: BigIntegers = 'refuse', takesBytes = false) {
  const types = { t: { type: 'object', properties: { type: { const: 't' }, v: field } } }
  const policy = policyWith({
    format: { ...FORMAT, bigIntegers },
    schema: { types, discriminator: 'type', unknownFields: 'strip' },
  })
  const subject = textOf(text)
  const connection = { ...connectionOf(), judgedAt: 0, takesBytes }
  for (const control of [format, schema]) {
    const verdict = atOnce(control.compile(policy, partsWith().parts)!(subject, connection))
    if (!verdict.pass) return { code: verdict.code, detail: verdict.detail, subject }
  }
  return { code: 'PASS', detail: '', subject }
}
const sent = (token: string): string => `{"type":"t","v":${token}}`

const literals: readonly [token: string, code: string, why: string][] = [
  ['9007199254740991', 'PASS', 'the greatest safe integer'],
  ['9007199254740992', 'SALLY_MESSAGE_NUMBER', 'an even integer beyond: a neighbour is read as it'],
  ['9007199254740993', 'SALLY_MESSAGE_NUMBER', 'a 64-bit id that becomes ...992'],
  ['-9007199254740991', 'PASS', 'the least safe integer'],
  ['-9007199254740992', 'SALLY_MESSAGE_NUMBER', 'below it'],
  ['1152921504606846976', 'SALLY_MESSAGE_NUMBER', 'a power of two that a double holds'],
  ['18446744073709551615', 'SALLY_MESSAGE_NUMBER', 'the greatest integer of 64 bits'],
  ['1'.padEnd(400, '0'), 'SALLY_MESSAGE_NUMBER', 'an integer beyond doubles'],
  ['-0', 'PASS', 'negative zero'],
  ['1.0', 'PASS', 'a fraction that is none'],
  ['1e3', 'PASS', 'an exponent'],
  ['1E+0003', 'PASS', 'leading zeros in the exponent'],
  ['1e22', 'PASS', 'an exponent beyond 2^53'],
  ['9007199254740992.0', 'PASS', 'a fraction beyond 2^53'],
  ['0.30000000000000004', 'PASS', '17 digits'],
  ['0.10000000000000001', 'PASS', '17 digits, as C writes 0.1'],
  ['0.100000000000000001', 'SALLY_MESSAGE_NUMBER', '18 digits'],
  ['0.1000000000000000055511151231257827', 'SALLY_MESSAGE_NUMBER', 'the exact value of the double 0.1, cut'],
  ['1.00000000000000000000', 'PASS', 'zeros at the end are no digits'],
  ['1.00000000000000000001', 'SALLY_MESSAGE_NUMBER', '21 digits that are read as 1'],
  ['123456789012345678e-5', 'SALLY_MESSAGE_NUMBER', '18 digits before an exponent'],
  ['1.7976931348623157e308', 'PASS', 'the greatest double'],
  ['1.7976931348623159e308', 'SALLY_MESSAGE_NUMBER', 'beyond it'],
  ['1E400', 'SALLY_MESSAGE_NUMBER', 'infinite'],
  ['-1e999999999999', 'SALLY_MESSAGE_NUMBER', 'an exponent beyond all'],
  ['5e-324', 'PASS', 'the least double'],
  ['4.9406564584124654e-324', 'PASS', 'the least double, as C writes it'],
  ['5e-325', 'SALLY_MESSAGE_NUMBER', 'read as 0'],
  ['3e-324', 'SALLY_MESSAGE_NUMBER', 'read as 5e-324'],
  ['1.23456789e-315', 'PASS', 'a subnormal that keeps its digits'],
  ['1.2345678901e-315', 'SALLY_MESSAGE_NUMBER', 'a subnormal that loses digits'],
  ['0e999999', 'PASS', 'zero, whatever the exponent'],
  ['0.000e-999', 'PASS', 'zero, whatever the exponent'],
]
for (const [token, code, why] of literals) {
  test(`${why}: ${token.slice(0, 40)} ${code === 'PASS' ? 'passes' : 'is refused'}`, () => {
    for (const text of [sent(token), `{"type":"t","v":[${token}]}`, `{"type":"t", "v" : {"x":[0,${token} ]}}`])
      assert.equal(ask(text).code, code, text)
  })
}

test('the field is named, the number never', () => {
  const { detail } = ask('{"type":"t","v":{"a/b":[1,{"c~d":9007199254740993}]}}')
  assert.match(
    detail,
    /^\/v\/a~1b\/1\/c~0d: an integer beyond ±\(2\^53 − 1\); send it as text, or set message\.format\.big/,
  )
  assert.ok(!detail.includes('9007'))
})

test('a path that the peer chose is cut, and what is not printable replaced', () => {
  const { detail } = ask(`{"type":"t","v":{"\\u202e${'x'.repeat(500)}":1e999}}`)
  assert.match(detail, /^\/v\/\?x{100,}: a number beyond/)
  assert.ok(detail.length < 200)
})

test('digits within strings and keys are no numbers', () => {
  const text = String.raw`{"type":"t","v":{"9007199254740993":"1e999","a\"9007199254740993":"\\","b":"\",9007199254740993"}}`
  assert.equal(ask(text).code, 'PASS')
})

test('a flood of digits is judged in linear time', { timeout: 5000 }, () => {
  for (const text of [
    sent('9'.repeat(60_000)),
    sent(`0.${'0'.repeat(60_000)}1`),
    sent(`1e${'9'.repeat(60_000)}`),
    sent(`[${'1e1,'.repeat(15_000)}1]`),
    sent(`"${String.raw`\"1e1`.repeat(12_000)}"`),
    sent(`"${'1234567890123456'.repeat(4000)}"`),
  ])
    ask(text)
})

// ——— an exact reference: a number is `units × 10^power`, and a double a fraction of integers ———

/** The value of a double as an exact fraction. */
function exactly(value: number): { readonly over: bigint; readonly under: bigint } {
  let [scaled, under] = [value, 1n]
  while (!Number.isInteger(scaled)) {
    scaled *= 2
    under *= 2n
  }
  return { over: BigInt(scaled), under }
}
const tenTo = (power: number): bigint => 10n ** BigInt(power)

/** How far a decimal lies from a double, in units that make it an integer, and how large the decimal is in them. */
function distance(units: bigint, power: number, value: number): { readonly off: bigint; readonly size: bigint } {
  const { over, under } = exactly(value)
  const size = units * under * (power > 0 ? tenTo(power) : 1n)
  const read = over * (power < 0 ? tenTo(-power) : 1n)
  return { off: size > read ? size - read : read - size, size }
}

const digits = fc.stringMatching(/^[1-9][0-9]{0,24}$/)
const literal = fc
  .tuple(
    fc.boolean(),
    digits,
    fc.option(fc.nat(30), { nil: null }),
    fc.option(fc.integer({ min: -345, max: 320 }), { nil: null }),
  )
  .map(([negative, all, point, exponent]) => {
    const whole = point === null ? all : point >= all.length ? '0' : all.slice(0, all.length - point)
    const fraction = point === null || point === 0 ? '' : `.${all.slice(-point).padStart(point, '0')}`
    const token = `${negative ? '-' : ''}${whole}${fraction}${exponent === null ? '' : `e${exponent}`}`
    return {
      token,
      units: BigInt(all) * (negative ? -1n : 1n),
      power: (exponent ?? 0) - (fraction.length > 0 ? point! : 0),
    }
  })

test('property: a number passes exactly where an exact reference says that its digits survive', () => {
  const seen = { passes: 0, refused: 0 }
  fc.assert(
    fc.property(literal, ({ token, units, power }) => {
      const passes = ask(sent(token)).code === 'PASS'
      seen[passes ? 'passes' : 'refused']++
      const value = Number(token)
      if (!/[.e]/.test(token)) return assert.equal(passes, units >= -(2n ** 53n - 1n) && units <= 2n ** 53n - 1n)
      const significant = String(units).replace('-', '').replace(/0+$/, '').length
      if (!Number.isFinite(value) || value === 0 || significant > 17) return assert.equal(passes, false)
      if (Math.abs(value) >= 2 ** -1022) return assert.equal(passes, true)
      // A subnormal: half a unit of the last digit bounds what may be lost.
      const { off } = distance(units, power, value)
      const last = distance(tenTo(String(units).replace('-', '').length - significant), power, value).size
      assert.equal(passes, off * 2n <= (last < 0n ? -last : last))
    }),
    { numRuns: 3000 },
  )
  assert.ok(seen.passes > 300 && seen.refused > 300, JSON.stringify(seen))
})

test('property: what is judged exact is what JSON.stringify writes, and the rest is near its double', () => {
  fc.assert(
    fc.property(literal, ({ token, units, power }) => {
      const kind = judgeNumber(token)
      if (kind !== 'exact' && kind !== 'near') return
      const [mantissa = '', exponent = '0'] = String(Number(token)).split('e')
      const [whole = '', fraction = ''] = mantissa.split('.')
      const [a, b] = [power, Number(exponent) - fraction.length]
      const low = Math.min(a, b)
      const same = units * tenTo(a - low) === BigInt(whole + fraction) * tenTo(b - low)
      assert.equal(kind === 'exact', same)
    }),
    { numRuns: 2000 },
  )
})

// ——— const, enum and bounds judge the number that was sent ———

const judged: readonly [name: string, field: Schema, token: string, passes: boolean][] = [
  ['a maximum of 0.1 and C’s 0.1', { maximum: 0.1 }, '0.10000000000000001', false],
  ['a maximum of 0.3 and a little less', { maximum: 0.3 }, '0.29999999999999999', true],
  ['a minimum of 0.3 and a little less', { minimum: 0.3 }, '0.29999999999999999', false],
  ['a minimum of 0.1 and a little more', { minimum: 0.1 }, '0.10000000000000001', true],
  ['a constant and a number beside it', { const: 0.1 }, '0.10000000000000001', false],
  ['a constant, written otherwise', { const: 0.1 }, '1.0e-1', true],
  ['an enumeration and a number beside it', { enum: [1, 0.3] }, '0.29999999999999999', false],
  ['an integer that is none', { type: 'integer' }, '1.0000000000000001', false],
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

// ——— big integers ———

const bigs: readonly [token: string, is: bigint | null][] = [
  ['9007199254740992', 9007199254740992n],
  ['9007199254740993', 9007199254740993n],
  ['-9007199254740993', -9007199254740993n],
  ['9223372036854775807', 9223372036854775807n],
  ['-9223372036854775808', -9223372036854775808n],
  ['-9223372036854775809', null],
  ['18446744073709551615', 18446744073709551615n],
  ['18446744073709551616', null],
  ['99999999999999999999', null],
  ['1'.padEnd(60_000, '7'), null],
]
for (const [token, is] of bigs) {
  test(`a big integer arrives as it was sent, or is refused: ${token.slice(0, 24)}`, () => {
    const asBigint = ask(sent(token), {}, 'bigint')
    const asText = ask(sent(token), {}, 'text')
    const code = is === null ? 'SALLY_MESSAGE_NUMBER' : 'PASS'
    assert.deepEqual([asBigint.code, asText.code], [code, code])
    if (is === null) return
    assert.deepEqual(asBigint.subject.value, { type: 't', v: is })
    assert.deepEqual(asText.subject.value, { type: 't', v: token })
  })
}

test('integers that a number holds stay numbers, whatever becomes of big ones', () => {
  for (const mode of ['text', 'bigint'] as const)
    assert.deepEqual(ask(sent('[5,-7]'), {}, mode).subject.value, { type: 't', v: [5, -7] })
})

test('a big integer below __proto__ is an own field', () => {
  const subject = textOf('{"__proto__":9007199254740993}')
  const policy = policyWith({ format: { ...FORMAT, allowKeys: ['__proto__'], bigIntegers: 'bigint' } })
  assert.equal(atOnce(format.compile(policy, partsWith().parts)!(subject, connectionOf())).pass, true)
  assert.deepEqual(Object.entries(subject.value as object), [['__proto__', 9007199254740993n]])
})

const bigJudged: readonly [name: string, field: Schema, token: string, passes: boolean][] = [
  ['type integer', { type: 'integer' }, '9007199254740993', true],
  ['type number', { type: 'number' }, '9007199254740993', true],
  ['type text', { type: 'string' }, '9007199254740993', false],
  ['a maximum that its double would satisfy', { maximum: 9007199254740992n }, '9007199254740993', false],
  ['a maximum', { type: 'integer', maximum: 9223372036854775807n }, '9223372036854775807', true],
  ['a maximum, one above', { type: 'integer', maximum: 9223372036854775807n }, '9223372036854775808', false],
  ['a constant', { const: 9007199254740993n }, '9007199254740993', true],
  ['a constant, one beside', { const: 9007199254740993n }, '9007199254740992', false],
  ['an enumeration', { enum: [1, 9007199254740993n] }, '9007199254740993', true],
  ['an enumeration, one beside', { enum: [1, 9007199254740993n] }, '9007199254740994', false],
  ['a multiple', { multipleOf: 3 }, '9007199254740993', true],
  ['no multiple', { multipleOf: 2 }, '9007199254740993', false],
  ['a multiple of a half', { multipleOf: 0.5 }, '9007199254740993', true],
  ['an exclusive minimum', { exclusiveMinimum: 9007199254740993n }, '9007199254740993', false],
]
for (const [name, field, token, passes] of bigJudged) {
  test(`a big integer is judged as sent: ${name}`, () => {
    for (const mode of ['text', 'bigint'] as const)
      assert.equal(ask(sent(token), field, mode).code, passes ? 'PASS' : 'SALLY_MESSAGE_INVALID', mode)
  })
}

// ——— cold and on the fast path, beside exact arithmetic ———

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
