import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { acceptAnswer, acceptKey, refuseAnswer } from '../../src/wire/index.ts'

const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='

test('the example of RFC 6455 §1.3', () => assert.equal(acceptKey(KEY), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='))

test('a handshake is accepted', () => {
  assert.equal(
    acceptAnswer(KEY, { 'Sec-WebSocket-Protocol': 'chat' }),
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\n\r\n',
  )
})

test('a handshake is refused', () => {
  assert.equal(
    refuseAnswer(426, { 'Sec-WebSocket-Version': '13' }, 'é\n'),
    'HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13\r\nConnection: close\r\nContent-Length: 3\r\n\r\né\n',
  )
  assert.equal(refuseAnswer(499, {}, ''), 'HTTP/1.1 499 Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
  assert.match(refuseAnswer(403, { connection: 'close' }, ''), /\r\nconnection: close\r\nContent-Length: 0\r\n\r\n$/)
})

test('a second Content-Length, which proxies would read another way, cannot be sent', () => {
  assert.throws(() => refuseAnswer(403, { 'content-LENGTH': '5' }, ''), { name: 'TypeError', message: /leave it out/ })
})

describe('no answer can be split', () => {
  const rows = [
    ['CRLF in a value', { X: 'a\r\nSet-Cookie: b' }],
    ['LF in a value', { X: 'a\nb' }],
    ['NUL in a value', { X: 'a\0' }],
    ['above ASCII in a value', { X: 'é' }],
    ['CRLF in a name', { 'X\r\nY': 'a' }],
    ['a colon in a name', { 'X:Y': 'a' }],
    ['an empty name', { '': 'a' }],
  ] as const
  for (const [name, headers] of rows) {
    test(name, () => {
      assert.throws(() => acceptAnswer(KEY, headers), TypeError)
      assert.throws(() => refuseAnswer(403, headers, ''), { name: 'TypeError', message: /cannot be sent as one line/ })
    })
  }
})
