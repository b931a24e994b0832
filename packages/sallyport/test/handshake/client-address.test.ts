import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc } from '../../../../test/support/fast-check.ts'
import { createAddressReader } from '../../src/request/client-address.ts'
import { addressKey } from '../../src/store/address-key.ts'

type Headers = Readonly<Record<string, string>>
const read = (
  remote: string,
  headers: Headers = {},
  trust: readonly string[] = [],
  header: 'x-forwarded-for' | 'forwarded' = 'x-forwarded-for',
  encrypted = false,
) => createAddressReader({ trust, header })(remote, encrypted, name => headers[name])

const PROXY = '10.0.0.5'
const TRUST = ['10.0.0.0/24', '2001:db8:aaaa::/48']

const sockets: readonly [name: string, remote: string, headers: Headers, expected: object][] = [
  ['a peer from outside', '192.0.2.7', {}, { ip: '192.0.2.7', secure: false, loopback: false }],
  ['IPv4 mapped into IPv6', '::ffff:192.0.2.7', {}, { ip: '192.0.2.7', secure: false, loopback: false }],
  ['this machine', '127.0.0.1', {}, { ip: '127.0.0.1', secure: false, loopback: true }],
  ['this machine, mapped', '::ffff:127.0.0.1', {}, { ip: '127.0.0.1', secure: false, loopback: true }],
  ['this machine, IPv6', '::1', {}, { ip: '::1', secure: false, loopback: true }],
  ['a socket that has gone', '', {}, { ip: 'unknown', secure: false, loopback: false }],
  [
    'an unnamed proxy on this machine is no local client',
    '127.0.0.1',
    { 'x-forwarded-for': '127.0.0.1' },
    { ip: '127.0.0.1', secure: false, loopback: false },
  ],
  [
    'it is none by x-forwarded-proto either',
    '127.0.0.1',
    { 'x-forwarded-proto': 'https' },
    { ip: '127.0.0.1', secure: false, loopback: false },
  ],
  [
    'forged: an untrusted peer speaks of another',
    '192.0.2.7',
    { 'x-forwarded-for': '198.51.100.1', 'x-forwarded-proto': 'https' },
    { ip: '192.0.2.7', secure: false, loopback: false },
  ],
  [
    'forged: an untrusted peer calls itself local',
    '192.0.2.7',
    { forwarded: 'for=127.0.0.1;proto=https' },
    { ip: '192.0.2.7', secure: false, loopback: false },
  ],
]
for (const [name, remote, headers, expected] of sockets) {
  test(name, () => assert.deepEqual(read(remote, headers), expected))
}

const UNIX = ['unix:'] as const
const unix: readonly [name: string, headers: Headers, trust: readonly string[], expected: object][] = [
  ['a local client', {}, [], { ip: 'unix:', secure: false, loopback: true }],
  ['a local client beside a trusted proxy', {}, UNIX, { ip: 'unix:', secure: false, loopback: true }],
  [
    'an unnamed proxy is no local client',
    { 'x-forwarded-for': '198.51.100.1', 'x-forwarded-proto': 'https' },
    ['127.0.0.1', '::1'],
    { ip: 'unix:', secure: false, loopback: false },
  ],
  [
    'an unnamed proxy, by proto alone',
    { 'x-forwarded-proto': 'https' },
    [],
    { ip: 'unix:', secure: false, loopback: false },
  ],
  [
    'a trusted proxy over TLS',
    { 'x-forwarded-for': '198.51.100.1', 'x-forwarded-proto': 'https' },
    UNIX,
    { ip: '198.51.100.1', secure: true, loopback: false },
  ],
  [
    'forged: what the client wrote before the proxy’s own',
    { 'x-forwarded-for': '127.0.0.1, 198.51.100.1', 'x-forwarded-proto': 'https, http' },
    UNIX,
    { ip: '198.51.100.1', secure: false, loopback: false },
  ],
  [
    'a trusted proxy that says nothing of TLS',
    { 'x-forwarded-for': '198.51.100.1' },
    UNIX,
    { ip: '198.51.100.1', secure: false, loopback: false },
  ],
  [
    'a trusted proxy that names nobody',
    { 'x-forwarded-for': 'unix:', 'x-forwarded-proto': 'https' },
    UNIX,
    { ip: 'unix:', secure: true, loopback: false },
  ],
]
for (const [name, headers, trust, expected] of unix) {
  test(`a unix socket: ${name}`, () => assert.deepEqual(read('unix:', headers, trust), expected))
}

test('forged: trust in a unix socket is none in who writes its name', () => {
  const headers = { 'x-forwarded-for': '127.0.0.1, unix:', 'x-forwarded-proto': 'https' }
  assert.deepEqual(read('192.0.2.7', headers, UNIX), { ip: '192.0.2.7', secure: false, loopback: false })
  assert.equal(read(PROXY, headers, [...UNIX, PROXY]).ip, PROXY)
})

const forwarded: readonly [name: string, value: string, ip: string][] = [
  ['one hop', '198.51.100.1', '198.51.100.1'],
  ['forged: the client wrote one before', '127.0.0.1, 198.51.100.1', '198.51.100.1'],
  ['two trusted proxies', '198.51.100.1, 10.0.0.9', '198.51.100.1'],
  ['all trusted: the farthest', '10.0.0.8, 10.0.0.9', '10.0.0.8'],
  ['IPv6', '2001:db8::7', '2001:db8::7'],
  ['IPv6 in brackets with a port', '[2001:db8::7]:4711', '2001:db8::7'],
  ['IPv4 with a port', '198.51.100.1:4711', '198.51.100.1'],
  ['mapped', '::ffff:198.51.100.1', '198.51.100.1'],
  ['a trusted IPv6 proxy', '198.51.100.1, 2001:db8:aaaa::1', '198.51.100.1'],
  ['unreadable: the proxy stands for itself', 'unknown', PROXY],
  ['forged behind something unreadable', '198.51.100.1, nonsense', PROXY],
  ['octal', '010.0.0.1', PROXY],
  ['hexadecimal', '0x7f.0.0.1', PROXY],
  ['short form', '127.1', PROXY],
  ['a plain number', '2130706433', PROXY],
  ['brackets with something behind', '[2001:db8::7]evil', PROXY],
  ['IPv4 in brackets', '[198.51.100.1]', PROXY],
  ['an unclosed bracket', '[2001:db8::7', PROXY],
  ['a zone id in brackets', '[fe80::1%25eth0]', PROXY],
  ['empty elements', ' , ,198.51.100.1,', '198.51.100.1'],
]
for (const [name, value, ip] of forwarded) {
  test(`X-Forwarded-For from a trusted proxy: ${name}`, () => {
    assert.deepEqual(read(PROXY, { 'x-forwarded-for': value }, TRUST), { ip, secure: false, loopback: false })
  })
}

const protos: readonly [name: string, proto: string, secure: boolean][] = [
  ['https', 'https', true],
  ['letter case', 'HTTPS', true],
  ['http', 'http', false],
  ['forged: the last word is the proxy’s', 'https, http', false],
  ['wss, the scheme of the socket', 'wss', true],
  ['ws, the scheme of the socket', 'ws', false],
  ['only wss as a whole', 'wsss', false],
]
for (const [name, proto, secure] of protos) {
  test(`X-Forwarded-Proto from a trusted proxy: ${name}`, () => {
    const headers = { 'x-forwarded-for': '198.51.100.1', 'x-forwarded-proto': proto }
    assert.equal(read(PROXY, headers, TRUST).secure, secure)
    assert.equal(read(PROXY, headers, [], 'x-forwarded-for', true).secure, true)
  })
}

const rfc7239: readonly [name: string, value: string, ip: string, secure: boolean][] = [
  ['one hop', 'for=198.51.100.1;proto=https', '198.51.100.1', true],
  ['names in capitals, spaces', 'For=198.51.100.1; Proto=HTTPS ', '198.51.100.1', true],
  ['quoted IPv6 with a port', 'for="[2001:db8::7]:4711";proto=https', '2001:db8::7', true],
  [
    'forged: the client wrote one before',
    'for=127.0.0.1;proto=https, for=198.51.100.1;proto=http',
    '198.51.100.1',
    false,
  ],
  ['forged: TLS in an earlier element alone', 'for=127.0.0.1;proto=https, for=198.51.100.1', '198.51.100.1', false],
  ['commas and semicolons inside quotes', 'for=127.0.0.1;x="a,b;for=9.9.9.9", for=198.51.100.1', '198.51.100.1', false],
  ['obfuscated names', 'for=_hidden;proto=https', PROXY, true],
  [
    'swallow: an open quote before the proxy’s quoted element',
    'for=9.9.9.9;x=", for="[2001:db8::7]";by="[2001:db8::1]"',
    PROXY,
    false,
  ],
  [
    'swallow: an address before the proxy’s quoted element',
    'for="[9.9.9.9], for="[2001:db8::7]";by="[2001:db8::1]"',
    PROXY,
    false,
  ],
  ['swallow: an open quote alone', 'for="evil, for=198.51.100.1;proto=https', PROXY, false],
  ['a pair twice in one element', 'for=9.9.9.9;for=198.51.100.1;proto=https', PROXY, false],
  ['no pairs', '198.51.100.1', PROXY, false],
  ['ends in a semicolon', 'for=198.51.100.1;', PROXY, false],
]
for (const [name, value, ip, secure] of rfc7239) {
  test(`Forwarded from a trusted proxy: ${name}`, () => {
    assert.deepEqual(read(PROXY, { forwarded: value }, TRUST, 'forwarded'), { ip, secure, loopback: false })
  })
}

test('with Forwarded named, X-Forwarded-For is ignored', () => {
  assert.equal(read(PROXY, { 'x-forwarded-for': '198.51.100.1' }, TRUST, 'forwarded').ip, PROXY)
})

test('property: whatever a client writes before it, the proxy’s own element decides, or the proxy stands for itself', () => {
  const texts = fc.oneof(
    fc.string({ maxLength: 40 }),
    fc.string({ unit: fc.constantFrom(...Array.from('for=",;[]9.: \\x')), maxLength: 40 }),
  )
  fc.assert(
    fc.property(
      texts,
      fc.constantFrom('for=198.51.100.1', 'for="198.51.100.1:99";by="[2001:db8::1]"'),
      (client, own) => {
        const { ip } = read(PROXY, { forwarded: `${client}, ${own}` }, TRUST, 'forwarded')
        assert.ok(ip === '198.51.100.1' || ip === PROXY, ip)
      },
    ),
    { numRuns: 2000 },
  )
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(...Array.from('0123456789abcdef.:,[] ')), maxLength: 40 }),
      client => {
        assert.equal(read(PROXY, { 'x-forwarded-for': `${client}, 198.51.100.1` }, TRUST).ip, '198.51.100.1')
      },
    ),
  )
})

const keys: readonly [ip: string, key: string][] = [
  ['192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::', '2001:db8:1:2::/64'],
  ['::1', '0:0:0:0::/64'],
  ['unknown', 'unknown'],
]
for (const [ip, key] of keys) test(`${ip} is counted as ${key}`, () => assert.equal(addressKey(ip), key))
