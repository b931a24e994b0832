import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fc } from '../../../../test/support/fast-check.ts'
import { MAX_UPGRADE_BYTES, MAX_UPGRADE_HEADERS, readUpgrade } from '../../src/wire/index.ts'

const HEADERS = [
  'Host: app.test',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
  'Origin: https://app.test',
]
const raw = (line: string, headers: readonly string[], tail = ''): Buffer =>
  Buffer.from(`${line}\r\n${headers.map(header => `${header}\r\n`).join('')}\r\n${tail}`, 'latin1')
const CLEAN = raw('GET /chat?room=1 HTTP/1.1', HEADERS)
/** The clean request with one header replaced, or dropped. */
const but = (name: string, ...lines: readonly string[]): Buffer =>
  raw('GET / HTTP/1.1', [...HEADERS.filter(header => !header.startsWith(`${name}:`)), ...lines])
const plus = (...lines: readonly string[]): Buffer => raw('GET / HTTP/1.1', [...HEADERS, ...lines])

describe('a clean handshake is read', () => {
  test('target, key and headers, as sent and by lower-case name', () => {
    const upgrade = readUpgrade(CLEAN)!
    assert.equal(upgrade.target, '/chat?room=1')
    assert.equal(upgrade.key, 'dGhlIHNhbXBsZSBub25jZQ==')
    const sent = HEADERS.map(header => header.split(': ') as [string, string])
    assert.deepEqual(
      [...upgrade.headers],
      sent.map(([name, value]) => [name.toLowerCase(), value]),
    )
    assert.deepEqual(upgrade.rawHeaders, sent.flat())
  })

  test('names that are not known, and known ones in other letters, stay as sent', () => {
    const { headers, rawHeaders } = readUpgrade(plus('X-Own: 1', 'aCCEPT: 2'))!
    assert.deepEqual(rawHeaders.slice(-4), ['X-Own', '1', 'aCCEPT', '2'])
    assert.deepEqual([headers.get('x-own'), headers.get('accept')], ['1', '2'])
  })

  test('a value begins behind the colon, and is trimmed of blanks and tabs alone', () => {
    for (const line of ['Host:app.test', 'Host: app.test', 'Host: \t app.test \t']) {
      assert.equal(readUpgrade(but('Host', line))?.headers.get('host'), 'app.test')
    }
  })

  const rows: readonly (readonly [string, Buffer])[] = [
    ['Firefox: Connection: keep-alive, Upgrade', but('Connection', 'Connection: keep-alive, Upgrade')],
    ['the tokens turned round', but('Connection', 'Connection: upgrade,keep-alive')],
    ['Upgrade in capitals', but('Upgrade', 'Upgrade: WebSocket')],
    ['no blank after the colon', but('Host', 'Host:app.test')],
    ['blanks and tabs around a value', but('Host', 'Host: \t app.test \t')],
    ['an empty value of a header that may be empty', plus('X-Empty:')],
    ['an empty value of a known one that may be empty', plus('Cookie:')],
    [
      'offers of extensions and subprotocols',
      plus('Sec-WebSocket-Extensions: permessage-deflate', 'Sec-WebSocket-Protocol: a, b'),
    ],
    ['every letter of a target', raw("GET /a-Z0.9_~!$&'()*+,;=:@/?%20 HTTP/1.1", HEADERS)],
    [
      `${MAX_UPGRADE_HEADERS} headers`,
      plus(...Array.from({ length: MAX_UPGRADE_HEADERS - 6 }, (_, index) => `X-${index}: 1`)),
    ],
    [`${MAX_UPGRADE_BYTES} bytes`, plus(`X-Pad: ${'a'.repeat(MAX_UPGRADE_BYTES - plus('X-Pad: ').length)}`)],
    ['a body is named inside a value', plus('X-Note: Transfer-Encoding: chunked')],
  ]
  for (const [name, bytes] of rows) test(name, () => assert.notEqual(readUpgrade(bytes), null))
})

describe('what is not clean is handed on', () => {
  const one = (from: string, to: string): Buffer => Buffer.from(CLEAN.toString('latin1').replace(from, to), 'latin1')
  const rows: readonly (readonly [string, Buffer])[] = [
    // Smuggling: bytes that a second parser could read as something else.
    ['smuggling: Content-Length: 0', plus('Content-Length: 0')],
    ['smuggling: Content-Length: 5', plus('Content-Length: 5')],
    ['smuggling: Transfer-Encoding: chunked', plus('Transfer-Encoding: chunked')],
    ['smuggling: transfer-encoding in other letters', plus('tRANSFER-eNCODING: chunked')],
    ['smuggling: Trailer', plus('Trailer: X')],
    ['smuggling: TE', plus('TE: trailers')],
    ['smuggling: Expect', plus('Expect: 100-continue')],
    ['smuggling: HTTP2-Settings', plus('HTTP2-Settings: AAMAAABkAAQAAP__')],
    [
      'smuggling: a second request behind it',
      Buffer.concat([CLEAN, Buffer.from('GET /admin HTTP/1.1\r\nHost: a\r\n\r\n')]),
    ],
    ['smuggling: a whole second handshake', Buffer.concat([CLEAN, CLEAN])],
    ['smuggling: one byte behind it', Buffer.concat([CLEAN, Buffer.from('\n')])],
    ['smuggling: frames before the answer', Buffer.concat([CLEAN, Buffer.from('8180', 'hex')])],
    ['smuggling: an empty line before it', Buffer.concat([Buffer.from('\r\n'), CLEAN])],
    ['smuggling: a bare LF ends a line', one('app.test\r\nUpgrade', 'app.test\nUpgrade')],
    ['smuggling: a bare CR inside a value', plus('X: a\rb')],
    ['smuggling: a folded line', plus('X: a\r\n b')],
    ['smuggling: a folded line by tab', plus('X: a\r\n\tb')],
    ['smuggling: a blank before the colon', plus('X : a')],
    ['smuggling: a tab before the colon', plus('X\t: a')],
    ['smuggling: a blank before the name', plus(' X: a')],
    ['smuggling: NUL in a value', plus('X: a\0b')],
    ['smuggling: DEL in a value', plus('X: a\x7f')],
    ['smuggling: a byte above ASCII in a value', plus('X: \xff')],
    ['smuggling: a byte above ASCII in a name', plus('X\xff: a')],
    ['smuggling: a line without a colon', plus('X')],
    ['smuggling: a line with no name', plus(': a')],
    ['smuggling: a bracket in a name', plus('X(: a')],
    ['smuggling: a repeated header', plus('Origin: https://evil.test')],
    ['smuggling: repeated in other letters', plus('oRIGIN: https://evil.test')],
    ['smuggling: a repeated header of no known name', plus('X-Own: 1', 'X-Own: 2')],
    ['smuggling: that too, in other letters', plus('X-Own: 1', 'Accept: 1', 'x-oWN: 2')],
    ['smuggling: two hosts', plus('Host: evil.test')],
    ['smuggling: two keys', plus('Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==')],
    ['smuggling: headers that the connection drops', but('Connection', 'Connection: Upgrade, Origin')],
    ['smuggling: Connection: close, Upgrade', but('Connection', 'Connection: close, Upgrade')],
    // No WebSocket handshake of ours, or one for the HTTP server to answer.
    ['another method', one('GET', 'POST')],
    ['method in small letters', one('GET', 'get')],
    ['HTTP/1.0', one('HTTP/1.1', 'HTTP/1.0')],
    ['HTTP/1.10', one('HTTP/1.1', 'HTTP/1.10')],
    ['HTTP/2.0', one('HTTP/1.1', 'HTTP/2.0')],
    ['two blanks in the request line', one('GET /', 'GET  /')],
    ['a tab in the request line', one('GET /', 'GET\t/')],
    ['a blank at its end', one('HTTP/1.1\r', 'HTTP/1.1 \r')],
    ['absolute-form', one('/chat', 'http://app.test/chat')],
    ['authority-form', one('/chat?room=1', 'app.test:443')],
    ['asterisk-form', one('/chat?room=1', '*')],
    ['a fragment in the target', one('room=1', 'room=1#x')],
    ['a backslash in the target', one('/chat', '/\\chat')],
    ['a quote in the target', one('room=1', 'room="1"')],
    ['a byte above ASCII in the target', one('room=1', 'room=\xe9')],
    ['no Host', but('Host')],
    ['an empty Host', but('Host', 'Host:')],
    ['no Upgrade', but('Upgrade')],
    ['another protocol', but('Upgrade', 'Upgrade: h2c')],
    ['a list of protocols', but('Upgrade', 'Upgrade: websocket, h2c')],
    ['no Connection', but('Connection')],
    ['Connection without upgrade', but('Connection', 'Connection: keep-alive')],
    ['a tab beside the tokens of Connection', but('Connection', 'Connection:\tUpgrade')],
    ['a tab behind the tokens of Connection', but('Connection', 'Connection: keep-alive, Upgrade\t')],
    ['upgrade inside another token', but('Connection', 'Connection: xupgrade')],
    ['upgrade before another token', but('Connection', 'Connection: upgradex')],
    ['no key', but('Sec-WebSocket-Key')],
    ['an empty key', but('Sec-WebSocket-Key', 'Sec-WebSocket-Key:')],
    ['a key of 15 bytes', but('Sec-WebSocket-Key', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAA')],
    ['a key of 17 bytes', but('Sec-WebSocket-Key', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAAA=')],
    [
      'a key whose last character has spare bits',
      but('Sec-WebSocket-Key', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR=='),
    ],
    ['a key with a letter before it', but('Sec-WebSocket-Key', 'Sec-WebSocket-Key: xdGhlIHNhbXBsZSBub25jZQ==')],
    ['a key with a letter after it', but('Sec-WebSocket-Key', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==x')],
    ['no version', but('Sec-WebSocket-Version')],
    ['version 8', but('Sec-WebSocket-Version', 'Sec-WebSocket-Version: 8')],
    ['version 13 in a list', but('Sec-WebSocket-Version', 'Sec-WebSocket-Version: 13, 8')],
    ['version 013', but('Sec-WebSocket-Version', 'Sec-WebSocket-Version: 013')],
    ['no headers at all', raw('GET / HTTP/1.1', [])],
    ['TLS by mistake', Buffer.from('16030100', 'hex')],
    ['nothing', Buffer.alloc(0)],
    [
      `${MAX_UPGRADE_HEADERS + 1} headers`,
      plus(...Array.from({ length: MAX_UPGRADE_HEADERS - 5 }, (_, index) => `X-${index}: 1`)),
    ],
    [`${MAX_UPGRADE_BYTES + 1} bytes`, plus(`X-Pad: ${'a'.repeat(MAX_UPGRADE_BYTES + 1 - plus('X-Pad: ').length)}`)],
  ]
  for (const [name, bytes] of rows) {
    test(name, () => {
      const before = bytes.toString('hex')
      assert.equal(readUpgrade(bytes), null)
      assert.equal(bytes.toString('hex'), before, 'untouched')
    })
  }

  test('cut short anywhere', () => {
    for (let length = 0; length < CLEAN.length; length++) assert.equal(readUpgrade(CLEAN.subarray(0, length)), null)
  })

  test('any one byte made a control character, DEL or beyond ASCII', () => {
    fc.assert(
      fc.property(fc.nat(CLEAN.length - 1), fc.oneof(fc.nat(31), fc.integer({ min: 127, max: 255 })), (place, byte) => {
        const bytes = Buffer.from(CLEAN)
        fc.pre(bytes[place] !== byte)
        bytes[place] = byte
        // A tab is a blank inside a value, and is trimmed at its ends.
        fc.pre(byte !== 9)
        assert.equal(readUpgrade(bytes), null)
      }),
      { numRuns: 5000 },
    )
  })

  test('hostile bytes never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), bytes => assert.equal(readUpgrade(Buffer.from(bytes)), null)),
    )
  })
})
