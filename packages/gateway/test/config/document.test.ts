import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readDocument } from '../../src/config/document.ts'

const read = (text: string, env: Record<string, string> = {}): ReturnType<typeof readDocument> =>
  readDocument(text, { file: 'f.yaml', env })

describe('texts that are no configuration', () => {
  const bomb = [
    'a: &a [x, x]',
    ...Array.from(
      { length: 8 },
      (_, n) =>
        `${'bcdefghi'[n]}: &${'bcdefghi'[n]} [${Array.from({ length: 9 }, () => `*${'abcdefgh'[n]}`).join(', ')}]`,
    ),
  ].join('\n')
  const nested = (depth: number): string => `${'['.repeat(depth)}1${']'.repeat(depth)}`
  const rows: readonly [name: string, text: string, line: number, told: RegExp][] = [
    ['empty', '', 1, /empty/],
    ['a key twice', 'a: 1\nb: 2\na: 3', 3, /unique/],
    ['a tab as indentation', 'a:\n\tb: 1', 2, /./],
    ['an open quote', 'a: "x', 1, /./],
    ['two documents', 'a: 1\n---\nb: 2', 2, /second document/],
    ['a tag of a class', 'a: !!js/function "x"', 1, /./],
    ['a key that reaches into prototypes', '__proto__: { a: 1 }', 1, /not a key/],
    ['a merge key', 'a: &a { b: 1 }\nc: { <<: *a }', 2, /not a key/],
    ['a billion laughs', bomb, 1, /aliases/],
    ['a circle', 'a: &a [*a]', 1, /./],
    ['an alias of nothing', 'a: *nobody', 1, /./],
    ['65 levels', nested(66), 1, /deeper/],
    ['more than 4 MiB', `a: ${'x'.repeat(4 * 1024 * 1024)}`, 1, /more than/],
  ]
  for (const [name, text, line, told] of rows) {
    test(name, () => {
      const problems = read(text)
      assert.ok(!('value' in problems), 'it was read')
      assert.match(problems.map(problem => problem.message).join('\n'), told)
      if (name !== 'a billion laughs') assert.equal(problems[0]?.line, line)
    })
  }
  for (const [name, text, column] of [
    ['in a map', 'a: { b: ${NAME} }', 9],
    ['in a list', 'a: [${NAME}]', 5],
    ['with a default, in a list', 'a: [x, ${NAME:-y}]', 8],
    ['behind other text', 'a: { b: x-${NAME} }', 11],
  ] as const) {
    test(`a reference without quotes ${name}: that is told, once, and what to write`, () => {
      const problems = read(`${text}\nc: 1\nd: { e: 2 }\n`)
      assert.ok(!('value' in problems))
      assert.deepEqual(
        problems.map(problem => [problem.line, problem.column, problem.remedy]),
        [[1, column, "write '${NAME}'"]],
      )
    })
  }
  test('of what breaks the syntax the first is told, and each key that stands twice', () => {
    const problems = read('a: 1\na: 2\nb: {\n c: ]\n d: }\ne: {')
    assert.ok(!('value' in problems))
    assert.deepEqual(
      problems.map(({ line }) => line),
      [2, 4],
    )
  })
  test('64 levels are read', () => assert.ok('value' in read(nested(64))))
})

describe('references to the environment', () => {
  const env = { NAME: 'value', EMPTY: '', ODD: '${NAME}', TICKET_SECRET: 's' }
  const rows: readonly [name: string, text: string, value: unknown][] = [
    ['a whole value', '${NAME}', 'value'],
    ['inside a text', 'a-${NAME}-${NAME}', 'a-value-value'],
    ['a default that is not needed', '${NAME:-x}', 'value'],
    ['a default of what is unset', '${NONE:-x}', 'x'],
    ['a default of what is empty', '${EMPTY:-x}', 'x'],
    ['an empty default', '${NONE:-}', ''],
    ['empty without a default', '${EMPTY}', ''],
    ['a value is not looked at again', '${ODD}', '${NAME}'],
    ['an escaped reference', '$${NAME}', '${NAME}'],
    ['a lone dollar', '$5 and $NAME', '$5 and $NAME'],
  ]
  for (const [name, text, value] of rows) {
    test(name, () => {
      const document = read(JSON.stringify({ a: text }), env)
      assert.ok('value' in document)
      assert.deepEqual(document.value, { a: value })
    })
  }
  const refused: readonly [name: string, text: string, nearest: string | undefined][] = [
    ['unset', '${NOBODY_SETS_THIS}', undefined],
    ['misspelt', '${TICKET_SECERT}', 'TICKET_SECRET'],
    ['no name', '${}', undefined],
    ['a name with a dash', '${a-b}', undefined],
    ['a name of objects', '${__proto__}', undefined],
    ['another name of objects', '${constructor}', undefined],
  ]
  for (const [name, text, nearest] of refused) {
    test(`refused: ${name}`, () => {
      const problems = read(JSON.stringify({ a: text }), env)
      assert.ok(!('value' in problems))
      assert.equal(problems.length, 1)
      assert.equal(problems[0]?.path, 'a')
      assert.equal(problems[0]?.nearest, nearest)
    })
  }
  const remedies: readonly (readonly [name: string, remedy: string])[] = [
    ['REGION', 'set REGION before the start, or write ${REGION:-default}'],
    ['ADMIN_TOKEN', 'set ADMIN_TOKEN before the start'],
    ['REDIS_PASSWORD', 'set REDIS_PASSWORD before the start'],
  ]
  for (const [name, remedy] of remedies) {
    test(`what to do where ${name} is unset: no secret is advised to stand in the file`, () => {
      const problems = read(JSON.stringify({ a: `\${${name}}` }), {})
      assert.ok(!('value' in problems))
      assert.equal(problems[0]?.remedy, remedy)
    })
  }
})

test('places: of a value, of its key, and of the nearest thing above what is not there', () => {
  const document = read('a:\n  b:\n    - x\n    - y\n')
  assert.ok('value' in document)
  assert.deepEqual(document.at(['a', 'b', 1]), { line: 4, column: 7 })
  assert.deepEqual(document.atKey(['a', 'b']), { line: 2, column: 3 })
  assert.deepEqual(document.at(['a', 'b', 'c', 'd']), { line: 2, column: 3 })
  assert.deepEqual(document.at(['z']), { line: 1, column: 1 })
})
