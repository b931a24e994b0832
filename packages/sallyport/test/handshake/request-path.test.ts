import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc } from '../../../../test/support/fast-check.ts'
import { isCanonicalPath } from '../../src/request/request-path.ts'

const CANONICAL = [
  '/',
  '/ws',
  '/ws/',
  '/a/b.c/~d',
  '/r%20m',
  '/%C3%A9',
  '/%c3%a9',
  "/!$&'()*+,;=:@-_",
  '/a...b',
  '/...',
  '/.ws',
  '/ws;v=1',
]
const OTHER: readonly [name: string, path: string][] = [
  ['empty', ''],
  ['no slash', 'ws'],
  ['asterisk', '*'],
  ['absolute-form', 'http://app.company.com/ws'],
  ['authority-form', 'app.company.com:443'],
  ['two slashes', '//ws'],
  ['two slashes within', '/a//ws'],
  ['dot', '/./ws'],
  ['dot at the end', '/ws/.'],
  ['dot dot', '/a/../ws'],
  ['dot dot at the end', '/a/..'],
  ['dot dot with a parameter', '/a/..;x=1/ws'],
  ['dot dot with an escaped parameter', '/a/..%3bx/ws'],
  ['dot with an escaped parameter', '/.%3B/ws'],
  ['dot with a parameter', '/.;/ws'],
  ['encoded letter', '/%77s'],
  ['encoded letter, capitals', '/%57S'],
  ['encoded digit', '/%31'],
  ['encoded dot', '/%2e%2e/ws'],
  ['encoded dot, capitals', '/%2E/ws'],
  ['encoded tilde', '/%7Ews'],
  ['encoded slash', '/a%2fws'],
  ['encoded slash, capitals', '/a%2Fws'],
  ['encoded backslash', '/a%5cws'],
  ['backslash', '/a\\ws'],
  ['encoded percent', '/%2577s'],
  ['NUL', '/ws%00'],
  ['encoded line end', '/ws%0d%0a'],
  ['encoded delete', '/ws%7f'],
  ['encoded C1 control', '/ws%c2%85'],
  ['overlong dot', '/%c0%ae%c0%ae/ws'],
  ['overlong slash', '/a%c0%afws'],
  ['half a character', '/%c3'],
  ['a surrogate', '/%ed%a0%80'],
  ['a percent sign of nothing', '/ws%'],
  ['a percent sign of no hexadecimal', '/ws%zz'],
  ['query', '/ws?x'],
  ['fragment', '/ws#x'],
  ['space', '/w s'],
  ['no ASCII', '/wß'],
  ['a line end behind it', '/ws\n'],
]
for (const path of CANONICAL) test(`canonical: ${path}`, () => assert.ok(isCanonicalPath(path)))
for (const [name, path] of OTHER) test(`refused: ${name}`, () => assert.ok(!isCanonicalPath(path)))

test('property: what passes is what WHATWG URL reads, byte for byte', () => {
  const pieces = fc.array(
    fc.constantFrom(
      '/',
      '.',
      '..',
      ';',
      '%',
      '%2',
      '2e',
      '%c3%a9',
      '%c0%ae',
      '5c',
      '\\',
      'ws',
      ':',
      '@',
      '?',
      '#',
      '\t',
    ),
    { maxLength: 8 },
  )
  fc.assert(
    fc.property(pieces, parts => {
      const path = `/${parts.join('')}`
      if (isCanonicalPath(path)) assert.equal(new URL(path, 'https://app.company.com').pathname, path)
    }),
    { numRuns: 3000 },
  )
})
