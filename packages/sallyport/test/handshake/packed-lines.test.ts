import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { ownString, packLines, unpackLines } from '../../src/handshake/packed-lines.ts'

const CHROME = [
  ['Host', 'app.test'],
  ['Connection', 'Upgrade'],
  ['Pragma', 'no-cache'],
  ['Cache-Control', 'no-cache'],
  ['User-Agent', 'Mozilla/5.0 (X11; Linux x86_64)'],
  ['Upgrade', 'websocket'],
  ['Origin', 'https://app.test'],
  ['Sec-WebSocket-Version', '13'],
  ['Accept-Encoding', 'gzip, deflate, br, zstd'],
  ['Accept-Language', 'en-GB,en;q=0.9'],
  ['Cookie', 'sid=0123456789abcdef; theme=dark'],
  ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
  ['Sec-WebSocket-Extensions', 'permessage-deflate; client_max_window_bits'],
].flat()

describe('packed lines', () => {
  const rows: readonly (readonly [name: string, lines: readonly string[]])[] = [
    ['none', []],
    ['what Chrome sends', CHROME],
    ['an empty value', ['Cookie', '', 'X-Empty', '', 'Host', 'a']],
    ['names in another case', ['hOST', 'a', 'upgrade', 'websocket', 'Upgrade', 'WebSocket']],
    ['a value that is a line of another name', ['Pragma', 'websocket', 'Upgrade', 'no-cache']],
    ['colons, tabs and quotes in a value', ['X-A', 'a:b:c', 'X-B', '\t"', 'Host', ':1']],
    ['a name twice', ['Cookie', 'a=1', 'Cookie', 'a=2']],
  ]
  for (const [name, lines] of rows) {
    it(`${name}: come out as they went in`, () => {
      const packed = packLines(lines)
      assert.deepEqual(unpackLines(packed!), lines)
    })
  }

  it('any names and values come out as they went in, or are not packed', () => {
    const token = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,12}$/)
    const known = fc.constantFrom(...CHROME)
    const value = fc.oneof(fc.string({ unit: 'binary', maxLength: 20 }), fc.stringMatching(/^[\t -~]{0,20}$/), known)
    const line = fc.tuple(fc.oneof(token, known, fc.string({ maxLength: 5 })), value)
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), pairs => {
        const lines = pairs.flat()
        const packed = packLines(lines)
        if (packed !== null) assert.deepEqual(unpackLines(packed), lines)
        else
          assert.ok(
            lines.some(part => !/^[\t -~]*$/.test(part)) ||
              lines.some((part, nth) => nth % 2 === 0 && !/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(part)),
          )
      }),
      { numRuns: 500 },
    )
  })

  const refused: readonly (readonly [name: string, lines: readonly string[]])[] = [
    ['a line break that would begin a line of its own', ['X-A', 'a\nOrigin:https://evil.example']],
    ['a carriage return', ['X-A', 'a\r']],
    ['a character that stands for a line', ['X-A', '\x80']],
    ['a name that stands for a line', ['\x80', 'a']],
    ['a character beyond latin1', ['X-A', '\u0141']],
    ['a colon in a name', ['X:A', 'a']],
    ['an empty name', ['', 'a']],
    ['a NUL', ['X-A', '\0']],
  ]
  for (const [name, lines] of refused) {
    it(`${name}: is not packed`, () => assert.equal(packLines(lines), null))
  }

  it('what Chrome sends comes to less than half', () => {
    const sent = CHROME.reduce((bytes, part) => bytes + part.length + 2, 0)
    assert.ok(packLines(CHROME)!.length * 2 < sent)
  })

  it('an own string is the same text', () => {
    const text = `${'x'.repeat(100)}\xff`
    assert.equal(ownString(text.slice(50)), text.slice(50))
  })
})
