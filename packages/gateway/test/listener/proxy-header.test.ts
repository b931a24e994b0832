import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fc } from '../../../../test/support/fast-check.ts'
import { readProxyHeader } from '../../src/listener/proxy-header.ts'

const SIGNATURE = '0d0a0d0a000d0a515549540a'
const v2 = (rest: string): Buffer => Buffer.from(SIGNATURE + rest, 'hex')

const whole: readonly [name: string, bytes: Buffer, address: string | null][] = [
  ['TCP4', Buffer.from('PROXY TCP4 203.0.113.7 198.51.100.1 56324 443\r\n'), '203.0.113.7'],
  ['TCP4 at its bounds', Buffer.from('PROXY TCP4 255.255.255.255 0.0.0.0 65535 0\r\n'), '255.255.255.255'],
  ['TCP6 mapped', Buffer.from('PROXY TCP6 ::ffff:1.2.3.4 ::1 1 2\r\n'), '::ffff:1.2.3.4'],
  ['TCP6', Buffer.from('PROXY TCP6 2001:db8::7 2001:db8::1 56324 443\r\n'), '2001:db8::7'],
  ['UNKNOWN', Buffer.from('PROXY UNKNOWN\r\n'), null],
  ['UNKNOWN with addresses', Buffer.from('PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n'), null],
  ['v2 TCP4', v2('2111000ccb007107c6336401dc0401bb'), '203.0.113.7'],
  ['v2 TCP4 with a TLV', v2('2111000fcb007107c6336401dc0401bb040000'), '203.0.113.7'],
  [
    'v2 TCP6',
    v2('21210024' + '20010db8000000000000000000000007' + '20010db8000000000000000000000001' + 'dc0401bb'),
    '2001:db8:0:0:0:0:0:7',
  ],
  ['v2 LOCAL', v2('20000000'), null],
  ['v2 of a unix socket', v2('21310000'), null],
]
const broken: readonly [name: string, bytes: Buffer][] = [
  ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ['a TLS hello', Buffer.from('1603010200', 'hex')],
  ['lower case', Buffer.from('proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n')],
  ['LF alone', Buffer.from(`PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n${'x'.repeat(107)}`)],
  ['two spaces', Buffer.from('PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n')],
  ['no port', Buffer.from('PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n')],
  ['a port beyond 65535', Buffer.from('PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n')],
  ['an IPv6 address for TCP4', Buffer.from('PROXY TCP4 ::1 1.2.3.4 1 2\r\n')],
  ...[
    'TCP4 999.8.7.6 198.51.100.1',
    'TCP4 256.1.1.1 198.51.100.1',
    'TCP4 1.2.3 198.51.100.1',
    'TCP4 1.2.3.4.5 198.51.100.1',
    'TCP4 01.2.3.4 198.51.100.1',
    'TCP4 1.2.3.4 999.8.7.6',
    'TCP4 cafe 198.51.100.1',
    'TCP4 ... 198.51.100.1',
    'TCP4 ::ffff:1.2.3.4 198.51.100.1',
    'TCP6 1.2.3.4 2001:db8::1',
    'TCP6 2001:db8::1::2 2001:db8::1',
    'TCP6 12345::1 2001:db8::1',
    'TCP6 : 2001:db8::1',
    'TCP6 1:2:3:4:5:6:7 2001:db8::1',
    'TCP6 1:2:3:4:5:6:7:8:9 2001:db8::1',
    'TCP6 ::ffff:999.1.1.1 2001:db8::1',
    'TCP6 2001:db8::1 2001:db8::g',
    'TCP6 2001:db8::1 1.2.3.4',
  ].map((text): [string, Buffer] => [text, Buffer.from(`PROXY ${text} 56324 443\r\n`)]),
  ['a port with a leading zero', Buffer.from('PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n')],
  ['a port of the proxy beyond 65535', Buffer.from('PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n')],
  ['a header of 108 bytes', Buffer.from(`PROXY UNKNOWN ${'x'.repeat(92)}\r\n`)],
  ['v2 of version 1', v2('1111000ccb007107c6336401dc0401bb')],
  ['v2 with an unknown command', v2('2211000ccb007107c6336401dc0401bb')],
  ['v2 shorter than its addresses', v2('2111000bcb007107c6336401dc0401')],
  ['v2 that announces 64 KiB', v2('2111ffff')],
]

describe('PROXY protocol header', () => {
  for (const [name, bytes, address] of whole) {
    test(`${name} names the client, and what is behind is not touched`, () => {
      assert.deepEqual(readProxyHeader(Buffer.concat([bytes, Buffer.from('GET /')])), {
        address,
        length: bytes.length,
      })
    })
    test(`${name} in parts: more is awaited until it is whole`, () => {
      for (let end = 0; end < bytes.length; end++)
        assert.equal(readProxyHeader(bytes.subarray(0, end)), 'more', String(end))
    })
  }
  for (const [name, bytes] of broken) test(`${name} is refused`, () => assert.equal(readProxyHeader(bytes), 'broken'))

  test('any bytes: it never throws, and never waits for more than its bounds', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.constantFrom('', 'PROXY ', 'PROXY TCP4 ', SIGNATURE),
        (bytes, prefix) => {
          const start = prefix === SIGNATURE ? Buffer.from(prefix, 'hex') : Buffer.from(prefix)
          const reading = readProxyHeader(Buffer.concat([start, bytes]))
          if (reading === 'more' && prefix !== SIGNATURE) assert.ok(start.length + bytes.length < 107)
        },
      ),
    )
  })
})
