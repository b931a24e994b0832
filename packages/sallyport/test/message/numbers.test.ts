import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc } from '../../../../test/support/fast-check.ts'
import { judgeNumber } from '../../src/schema/number-literal.ts'
import { ask, sent, tenTo } from './numbers-fixtures.ts'

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
  ['1.0', 'PASS', 'a fraction of zero'],
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
