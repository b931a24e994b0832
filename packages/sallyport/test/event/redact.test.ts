import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fc } from '../../../../test/support/fast-check.ts'
import { clean, cleanOrigin, cleanPath, createRedactor } from '../../src/event/redact.ts'
import { systemRuntime } from '../../src/model/system-runtime.ts'

describe('clean', () => {
  for (const { row, text, expected } of [
    { row: 'CR LF starts no second line', text: 'a\r\nlevel=info msg=ok', expected: 'a�level=info msg=ok' },
    { row: 'an ANSI escape paints nothing', text: '\u001b[2J\u001b[31mok', expected: '�[2J�[31mok' },
    { row: 'an 8-bit CSI paints nothing', text: '\u009b31mok', expected: '�31mok' },
    { row: 'U+2028 and U+2029 are no line ends', text: 'a\u2028b\u2029c', expected: 'a�b�c' },
    { row: 'U+0085 is no line end', text: 'a\u0085b', expected: 'a�b' },
    { row: 'a bidi override turns nothing around', text: 'evil\u202egpj.exe', expected: 'evil�gpj.exe' },
    { row: 'a bidi isolate turns nothing around', text: 'a\u2066b\u2069', expected: 'a�b�' },
    { row: 'a zero-width mark hides nothing', text: 'ad\u200bmin\ufeff', expected: 'ad�min�' },
    { row: 'NUL ends nothing', text: 'a\u0000b', expected: 'a�b' },
    { row: 'a lone surrogate breaks no encoder', text: 'a\ud800b', expected: 'a�b' },
    { row: 'plain text of any script stays', text: 'zażółć 漢字 🏰', expected: 'zażółć 漢字 🏰' },
  ])
    it(row, () => assert.equal(clean(text, 100), expected))

  for (const { row, length, expected } of [
    { row: 'one below the bound stays', length: 9, expected: 'x'.repeat(9) },
    { row: 'at the bound stays', length: 10, expected: 'x'.repeat(10) },
    { row: 'one above the bound is cut', length: 11, expected: `${'x'.repeat(9)}…` },
    { row: 'a megabyte is cut', length: 1_000_000, expected: `${'x'.repeat(9)}…` },
  ])
    it(row, () => assert.equal(clean('x'.repeat(length), 10), expected))

  it('a pair of surrogates that the bound cuts in two leaves no half', () => {
    assert.equal(clean(`aaa🏰bbb`, 5), 'aaa�…')
  })

  it('never leaves a control, a mark or more than the bound, and is its own fixed point', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.integer({ min: 1, max: 300 }), (text, max) => {
        const shown = clean(text, max)
        assert.ok(shown.length <= max)
        assert.doesNotMatch(shown, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u)
        assert.equal(clean(shown, max), shown)
      }),
    )
  })
})

describe('cleanPath', () => {
  for (const { row, target, expected } of [
    { row: 'a plain path stays', target: '/chat/room-1', expected: '/chat/room-1' },
    { row: 'the query goes', target: '/ws?ticket=SECRET', expected: '/ws' },
    { row: 'an encoded query goes', target: '/ws%3Fticket=SECRET', expected: '/ws' },
    { row: 'a fragment goes', target: '/ws#SECRET', expected: '/ws' },
    { row: 'a path parameter goes', target: '/ws;jsessionid=SECRET', expected: '/ws' },
    { row: 'an encoded path parameter goes', target: '/ws%3bjsessionid=SECRET', expected: '/ws' },
    { row: 'user and host of the absolute form go', target: 'https://user:SECRET@host/ws?x', expected: '/ws' },
    { row: 'an empty path is the root', target: '', expected: '/' },
    { row: 'a line end in a path shows', target: '/a\r\nb', expected: '/a�b' },
    { row: 'a query after a line end goes', target: '/a\n?SECRET', expected: '/a�' },
  ])
    it(row, () => assert.equal(cleanPath(target), expected))

  it('a long path is cut', () => assert.equal(cleanPath(`/${'x'.repeat(5000)}`).length, 200))
})

describe('cleanOrigin', () => {
  for (const { row, origin, expected } of [
    { row: 'an origin stays', origin: 'https://app.company.com:8443', expected: 'https://app.company.com:8443' },
    { row: 'null stays', origin: 'null', expected: 'null' },
    { row: 'a user goes, and shows', origin: 'https://user:SECRET@evil.example', expected: 'https://…@evil.example' },
    { row: 'a user without a scheme goes', origin: 'user:SECRET@evil.example', expected: 'user:…@evil.example' },
    { row: 'a query goes', origin: 'https://evil.example?SECRET', expected: 'https://evil.example' },
    { row: 'a fragment goes', origin: 'https://evil.example#SECRET', expected: 'https://evil.example' },
  ])
    it(row, () => assert.equal(cleanOrigin(origin), expected))

  it('is cut at 200', () => {
    for (const [length, expected] of [
      [199, 199],
      [200, 200],
      [201, 200],
    ] as const)
      assert.equal(cleanOrigin('x'.repeat(length)).length, expected)
  })
})

describe('createRedactor', () => {
  it('hashes the same to the same, with the same key in another process too', () => {
    const [one, two] = [createRedactor('key', systemRuntime), createRedactor('key', systemRuntime)]
    assert.equal(one.user('alice'), two.user('alice'))
    assert.match(one.user('alice'), /^[\da-f]{16}$/)
    assert.notEqual(one.user('alice'), one.user('bob'))
    assert.notEqual(createRedactor('other', systemRuntime).user('alice'), one.user('alice'))
  })

  it('a session and a user of one name have different hashes', () => {
    const redactor = createRedactor('key', systemRuntime)
    assert.notEqual(redactor.session('same'), redactor.user('same'))
    assert.notEqual(redactor.session('a'), redactor.user('session\0a'))
  })

  for (const key of [null, ''])
    it(`a key of ${JSON.stringify(key)} becomes a random one: names cannot be tried`, () => {
      assert.notEqual(
        createRedactor(key, systemRuntime).user('alice'),
        createRedactor(key, systemRuntime).user('alice'),
      )
    })
})
