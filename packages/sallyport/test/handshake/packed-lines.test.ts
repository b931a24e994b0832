import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fc } from '../../../../test/support/fast-check.ts'
import { ownString, packLines, unpackLines } from '../../src/request/packed-lines.ts'

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

const KEY = (value: string): readonly string[] => ['Sec-WebSocket-Key', value]
const TICKET = (token: string): readonly string[] => [
  'Sec-WebSocket-Protocol',
  `sallyport.v1, sallyport.ticket.${token}`,
]

describe('packed lines', () => {
  const rows: readonly (readonly [name: string, lines: readonly string[]])[] = [
    ['none', []],
    ['what Chrome sends', CHROME],
    ['an empty value', ['Cookie', '', 'X-Empty', '', 'Host', 'a']],
    ['names in another case', ['hOST', 'a', 'upgrade', 'websocket', 'Upgrade', 'WebSocket']],
    ['a value that is a line of another name', ['Pragma', 'websocket', 'Upgrade', 'no-cache']],
    ['colons, tabs and quotes in a value', ['X-A', 'a:b:c', 'X-B', '\t"', 'Host', ':1']],
    ['a name twice', ['Cookie', 'a=1', 'Cookie', 'a=2']],
    ['a key whose bytes are line breaks', [...KEY('CgoKCgoKCgoKCgoKCgoKCg=='), 'Host', 'a']],
    ['a key whose bytes stand for lines and names', [...KEY('gICAwMDA4ODh4YCAgMDA4A=='), 'Host', 'a']],
    ['a key that is no base64', KEY('not base64 at all')],
    ['a key whose last bits are set, which decode to the same bytes', KEY('CgoKCgoKCgoKCgoKCgoKCh==')],
    ['a key without its padding', KEY('CgoKCgoKCgoKCgoKCgoKCg')],
    ['a key in the letters of URLs', KEY('-_-_-_-_-_-_-_-_-_-_-g==')],
    ['an empty key', KEY('')],
    ['a ticket', TICKET('CgqAwOA-_w')],
    ['a ticket behind another prefix', ['Sec-WebSocket-Protocol', 'sallyport.v1,sallyport.ticket.CgqAwOA-_w']],
    ['a ticket before another protocol', TICKET('CgqAwOA-_w, chat')],
    ['a ticket with padding', TICKET('CgqAwOA-_w==')],
    ['an empty ticket', TICKET('')],
    ['a ticket of 254 bytes', TICKET(Buffer.alloc(254, 10).toString('base64url'))],
    ['a ticket of 255 bytes', TICKET(Buffer.alloc(255, 10).toString('base64url'))],
    ['a ticket of 256 bytes', TICKET(Buffer.alloc(256, 10).toString('base64url'))],
  ]
  for (const [name, lines] of rows) {
    it(`${name}: come out as they went in`, () => {
      const packed = packLines(lines)
      assert.deepEqual(unpackLines(packed!), lines)
    })
  }

  it('a key and a ticket are kept as their bytes', () => {
    const bytes = Buffer.alloc(90, 10)
    assert.equal(packLines(KEY('dGhlIHNhbXBsZSBub25jZQ=='))?.length, 18)
    assert.equal(packLines(TICKET(bytes.toString('base64url')))?.length, 92)
  })

  it('any key and ticket come out as they went in, and so does what stands behind them', () => {
    const key = fc.uint8Array({ minLength: 0, maxLength: 20 }).map(bytes => Buffer.from(bytes).toString('base64'))
    const token = fc.uint8Array({ maxLength: 260 }).map(bytes => Buffer.from(bytes).toString('base64url'))
    fc.assert(
      fc.property(key, token, (some, other) => {
        const lines = [...KEY(some), 'Host', 'a', ...TICKET(other), ...KEY(some.slice(1)), 'Cookie', 'b=1']
        assert.deepEqual(unpackLines(packLines(lines)!), lines)
      }),
      { numRuns: 300 },
    )
  })

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
