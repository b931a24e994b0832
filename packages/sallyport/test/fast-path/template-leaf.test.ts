import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type } from 'typebox'
import type { Schema } from '../../src/model/schema-kinds.ts'
import { taught, taughtLeaf } from './template-fixtures.ts'

const leaves: readonly [
  name: string,
  leaf: Schema,
  taught: string,
  read: readonly string[],
  passes: readonly string[],
  denied: readonly string[],
][] = [
  [
    'minLength',
    { type: 'string', minLength: 2 },
    '"abc"',
    ['"ab"', '"abcd"'],
    ['"\\u0061b"'],
    ['"a"', '""', '"\\u0061"'],
  ],
  ['minLength 2.5', { type: 'string', minLength: 2.5 }, '"abcd"', ['"abc"'], [], ['"ab"']],
  [
    'maxLength',
    { type: 'string', maxLength: 2 },
    '"a"',
    ['"ab"', '""'],
    ['"\\u0061b"'],
    ['"abc"', `"${'x'.repeat(99)}"`],
  ],
  ['maxLength 2.5', { type: 'string', maxLength: 2.5 }, '"a"', ['"ab"'], [], ['"abc"']],
  ['maxLength 0', { type: 'string', maxLength: 0 }, '""', ['""'], [], ['"a"']],
  ['both lengths', { type: 'string', minLength: 2, maxLength: 2 }, '"ab"', ['"cd"'], [], ['"a"', '"abc"']],
  ['a length beyond 2^31', { type: 'string', maxLength: 2 ** 40 }, '"ab"', ['""', '"abc"'], [], ['1']],
  ['a pattern with a table', { type: 'string', pattern: '^[a-f]{2}$' }, '"ab"', ['"ff"'], [], ['"a"', '"abc"', '"ag"']],
  [
    'a table and lengths',
    { type: 'string', pattern: '^[a-f]*$', minLength: 1, maxLength: 3 },
    '"ab"',
    ['"a"', '"abc"'],
    [],
    ['""', '"abcd"', '"g"'],
  ],
  ['a pattern without a table', { type: 'string', pattern: 'a|b' }, '"a"', ['"xbx"'], ['"\\u0061"'], ['"c"', '""']],
  ['a pattern by code points', { type: 'string', pattern: '^.(x|y)$' }, '"ax"', ['"by"'], [], ['"abx"']],
  ['minimum', { type: 'number', minimum: 1.5 }, '2', ['1.5', '1.6'], ['1.5e0'], ['1.4', '1', '-2', '0']],
  ['maximum', { type: 'number', maximum: 1.5 }, '1', ['1.5', '1.4', '-9', '0'], ['-0', '1e-9'], ['1.6', '2']],
  ['exclusiveMinimum', { type: 'number', exclusiveMinimum: 0 }, '1', ['0.1'], ['1e-300'], ['0', '-0', '0.0', '-1']],
  ['exclusiveMaximum', { type: 'number', exclusiveMaximum: 0 }, '-1', ['-0.1'], [], ['0', '-0', '1']],
  ['integer', { type: 'integer', minimum: 1, maximum: 3 }, '2', ['1', '3', '1.0'], ['1e0'], ['0', '4', '1.5', '"1"']],
  [
    'number',
    { type: 'number' },
    '1',
    ['0', '-1', '0.5', '0.10', '-0.000001', '999999999999999', '-999999999999999', '0.00000000000001'],
    ['-0', '-0.0', '1e2', '1E+2', '9007199254740991', '1.234567890123456', '0.000000000000001'],
    [
      '9007199254740992',
      '9999999999999999',
      '1.23456789012345678',
      '1e-400',
      '01',
      '-01',
      '.5',
      '5.',
      '+1',
      '1e999',
      '-',
      '',
      'NaN',
      '1_0',
      '"1"',
      'true',
      'null',
      '00',
      '0x1',
      '1.2.3',
      '--1',
    ],
  ],
  [
    'boolean',
    { type: 'boolean' },
    'true',
    ['true', 'false'],
    [' true'],
    ['tru', 'truee', '1', '"true"', 'null', 'TRUE'],
  ],
  ['null', { type: 'null' }, 'null', ['null'], [' null'], ['nul', 'nulll', '0', '"null"']],
  ['const text', { const: 'a' }, '"a"', ['"a"'], ['"\\u0061"'], ['"b"', '""', 'a', '"aa"']],
  ['const number', { type: 'integer', const: 1 }, '1', ['1'], ['1.0', '1e0'], ['2', '11', '"1"']],
  ['enum of text', { enum: ['a', 'ab', 'abc'] }, '"ab"', ['"a"', '"abc"'], ['"\\u0061"'], ['"abcd"', '""', '"A"']],
  ['enum of numbers', { enum: [1, 12, -1, 0.5] }, '12', ['1', '-1', '0.5'], ['1.0', '5e-1'], ['123', '2', '-', '"1"']],
  [
    'enum of all kinds',
    { enum: ['1', 1, true, null] },
    '1',
    ['"1"', 'true', 'null'],
    [],
    ['false', '11', 'nul', '"true"'],
  ],
  ['enum, of one type only', { type: 'string', enum: ['1', '2', 1] }, '"1"', ['"2"'], [], ['1']],
  ['enum beyond ASCII', { enum: ['é', 'e', 'f'] }, '"e"', ['"f"'], ['"\\u00e9"'], ['"g"']],
  ['enum beyond Latin-1, cut to a letter', { enum: ['\u0161', 'e', 'f'] }, '"e"', ['"f"'], ['"\\u0161"'], ['"a"']],
  ['TypeBox: a literal', Type.Literal('x'), '"x"', ['"x"'], [], ['"y"']],
  ['TypeBox: an enum', Type.Enum(['x', 'y']), '"x"', ['"y"'], [], ['"z"']],
]
for (const [name, leaf, token, yes, passes, no] of leaves) {
  test(`leaf: ${name}`, () => {
    const judge = taughtLeaf(leaf, token)
    for (const one of yes) assert.equal(judge(one), 'read', one)
    for (const one of passes) assert.equal(judge(one), 'asked, passes', one)
    for (const one of no) assert.equal(judge(one), 'asked, denied', one)
  })
}

test('numbers are those of JSON.parse, to the last bit', () => {
  const { take } = taught({ n: Type.Object({ type: Type.Literal('n'), n: Type.Number() }) }, '{"type":"n","n":1}')
  let random = 1
  const digits = (count: number): string => {
    let text = ''
    for (let i = 0; i < count; i++) text += (random = (random * 48_271) % 2_147_483_647) % 10
    return text
  }
  for (let whole = 1; whole <= 15; whole++) {
    for (let fraction = 0; fraction <= 15 - whole; fraction++) {
      for (let i = 0; i < 40; i++) {
        const number = `${String(Number(digits(whole)))}${fraction === 0 ? '' : `.${digits(fraction)}`}`
        if (Number(number) !== 0) assert.ok(take(`{"type":"n","n":-${number}}`) !== null, number)
        assert.ok(take(`{"type":"n","n":${number}}`) !== null, number)
      }
    }
  }
})
