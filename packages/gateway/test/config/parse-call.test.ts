import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stringify } from 'yaml'
import { ConfigError, formatProblems } from '../../src/config/config-error.ts'
import { parseConfig, parseConfigFully } from '../../src/config/parse.ts'
import { goodConfig } from './good-config.ts'

const text = stringify(goodConfig())
const file = 'gateway.yaml'

const MISTAKES: readonly (readonly [
  name: string,
  call: readonly [text: unknown, options?: unknown],
  message: RegExp,
])[] = [
  ['no text', [undefined, { file }], /the text is nothing, not text; write parseConfig\(readFileSync\(file, 'utf8'\)/],
  ['null', [null, { file }], /the text is null/],
  ['bytes', [Buffer.from(text), { file }], /the text is bytes/],
  ['what the text says', [goodConfig(), { file }], /the text is an object/],
  ['a text that is still to come', [Promise.resolve(text), { file }], /the text is a Promise/],
  [
    'no options',
    [text],
    /the options are nothing, not an object; write parseConfig\(text, \{ file: 'gateway\.yaml' \}\)/,
  ],
  ['the bare name of the file', [text, file], /the options are a string/],
  ['no file', [text, {}], /file is nothing; write the name of the file/],
  ['an empty name', [text, { file: '' }], /file is an empty text/],
  ['a misspelt option', [text, { file, envs: {} }], /unknown option 'envs'; did you mean env\?/],
  ['an invalid environment', [text, { file, env: null }], /env is null; write an object of names and values/],
  ['an environment that is still to come', [text, { file, env: Promise.resolve({}) }], /env is a Promise/],
  ['an invalid reader', [text, { file, readFile: 'a.json' }], /readFile is a string, not a function; write readFile/],
]

for (const [name, [given, options], message] of MISTAKES) {
  for (const parse of [parseConfig, parseConfigFully])
    test(`${parse.name}: ${name} is an error of the caller`, () => {
      assert.throws(() => parse(given as never, options as never), { name: 'TypeError', message })
    })
}

for (const [name, problems] of [
  ['nothing', undefined],
  ['the error itself', new Error('broken')],
  ['a text', 'broken'],
] as const) {
  test(`formatProblems and ConfigError: ${name} is no list of problems`, () => {
    assert.throws(() => formatProblems(problems as never), {
      name: 'TypeError',
      message: /write formatProblems\(error\.problems\)/,
    })
    assert.throws(() => new ConfigError(problems as never), {
      name: 'TypeError',
      message: /not a list of what is wrong/,
    })
  })
}

test('a ConfigError of no problem is none', () => {
  assert.throws(() => new ConfigError([]), { name: 'TypeError', message: /an empty list, not a list of what is wrong/ })
})
