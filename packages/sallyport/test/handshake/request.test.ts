import assert from 'node:assert/strict'
import { test } from 'node:test'
import { request } from '../../src/controls/handshake/request.ts'
import { type Asked, attemptOf, codeOf, compileControl, HONEST, policyOf } from './door-fixtures.ts'

const MALFORMED = 'SALLY_REQUEST_MALFORMED'
const VERSION = 'SALLY_REQUEST_VERSION'
const check = compileControl(request)
const offering = (extensions: string | string[]): Asked => ({ headers: { 'Sec-WebSocket-Extensions': extensions } })

const rows: readonly [name: string, asked: Asked, code: string][] = [
  ['an honest handshake', {}, 'pass'],
  ['Connection: keep-alive, Upgrade (Firefox)', { headers: { Connection: 'keep-alive, Upgrade' } }, 'pass'],
  ['Connection on two lines', { headers: { Connection: ['keep-alive', 'upgrade'] } }, 'pass'],
  ['Upgrade in another case', { headers: { Upgrade: 'WebSocket' } }, 'pass'],
  ['Content-Length: 0', { headers: { 'Content-Length': '0' } }, 'pass'],
  ['a query', { target: '/ws?a=%2F%2e&b={}' }, 'pass'],
  ...['POST', 'PUT', 'HEAD', 'OPTIONS', 'CONNECT', 'get', ''].map(
    method => [`method ${method}`, { method }, MALFORMED] as [string, Asked, string],
  ),
  ['HTTP/1.0', { httpVersion: '1.0' }, MALFORMED],
  ['Extended CONNECT', { method: 'CONNECT', httpVersion: '2.0', headers: { ':protocol': 'websocket' } }, MALFORMED],
  ['GET over HTTP/2', { httpVersion: '2.0' }, MALFORMED],
  ['no Host', { headers: { Host: null } }, MALFORMED],
  ['Host twice', { headers: { Host: ['app.company.com', 'app.company.com'] } }, MALFORMED],
  ['Cookie twice', { headers: { Cookie: ['sid=a', 'sid=b'] } }, MALFORMED],
  ['Authorization twice', { headers: { Authorization: ['Bearer a', 'Bearer b'] } }, MALFORMED],
  ['a body announced', { headers: { 'Content-Length': '5' } }, MALFORMED],
  ['a body of 00 bytes', { headers: { 'Content-Length': '00' } }, MALFORMED],
  ['chunked', { headers: { 'Transfer-Encoding': 'chunked' } }, MALFORMED],
  ['transfer-encoding identity', { headers: { 'Transfer-Encoding': 'identity' } }, MALFORMED],
  ['no Upgrade', { headers: { Upgrade: null } }, MALFORMED],
  ['Upgrade: h2c', { headers: { Upgrade: 'h2c' } }, MALFORMED],
  ['Upgrade: websocket, h2c', { headers: { Upgrade: 'websocket, h2c' } }, MALFORMED],
  ['Upgrade twice', { headers: { Upgrade: ['websocket', 'websocket'] } }, MALFORMED],
  ['no Connection', { headers: { Connection: null } }, MALFORMED],
  ['Connection without Upgrade', { headers: { Connection: 'keep-alive' } }, MALFORMED],
  ['Connection that takes Origin off', { headers: { Connection: 'Upgrade, Origin' } }, MALFORMED],
  [
    'Connection that takes Cookie off, on a line of its own',
    { headers: { Connection: ['Upgrade', 'Cookie'] } },
    MALFORMED,
  ],
  ['Connection: close, Upgrade', { headers: { Connection: 'close, Upgrade' } }, MALFORMED],
  ['Connection with an empty element', { headers: { Connection: 'Upgrade,,' } }, MALFORMED],
  ['Expect: 100-continue', { headers: { Expect: '100-continue' } }, MALFORMED],
  ['Connection: x-upgrade', { headers: { Connection: 'x-upgrade' } }, MALFORMED],
  ...['8', '0', '7', '14', '13, 8', '013', '', '13.0', '+13', '0xd'].map(
    version =>
      [`version ${version}`, { headers: { 'Sec-WebSocket-Version': version } }, VERSION] as [string, Asked, string],
  ),
  ['no version', { headers: { 'Sec-WebSocket-Version': null } }, VERSION],
  ['version twice', { headers: { 'Sec-WebSocket-Version': ['13', '13'] } }, MALFORMED],
  ['no key', { headers: { 'Sec-WebSocket-Key': null } }, MALFORMED],
  [
    'key twice',
    { headers: { 'Sec-WebSocket-Key': [HONEST['Sec-WebSocket-Key']!, HONEST['Sec-WebSocket-Key']!] } },
    MALFORMED,
  ],
  ['key of 15 bytes', { headers: { 'Sec-WebSocket-Key': Buffer.alloc(15).toString('base64') } }, MALFORMED],
  ['key of 16 bytes', { headers: { 'Sec-WebSocket-Key': Buffer.alloc(16).toString('base64') } }, 'pass'],
  ['key of 17 bytes', { headers: { 'Sec-WebSocket-Key': Buffer.alloc(17).toString('base64') } }, MALFORMED],
  ['key in the alphabet of URLs', { headers: { 'Sec-WebSocket-Key': '__________________-_-w==' } }, MALFORMED],
  ['key with bits left over', { headers: { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZR==' } }, MALFORMED],
  ['key without padding', { headers: { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ' } }, MALFORMED],
  ...[
    'permessage-deflate; client_max_window_bits',
    'permessage-deflate',
    'x-webkit-deflate-frame',
    'permessage-deflate; server_max_window_bits="10", permessage-deflate',
    'permessage-deflate; server_max_window_bits=99; server_max_window_bits=1; nonsense',
    'a;b=c , d\t;\te',
    Array(16).fill('a').join(),
  ].map(extensions => [`extensions ${extensions}`, offering(extensions), 'pass'] as [string, Asked, string]),
  ['extensions on two lines', offering(['permessage-deflate', 'x-other; a=b']), 'pass'],
  ...[
    '',
    ' ',
    ',',
    ';',
    'permessage-deflate,',
    ',permessage-deflate',
    'a,,b',
    'permessage-deflate;',
    'permessage-deflate; ; a',
    'permessage-deflate; client_max_window_bits=',
    'permessage-deflate; =15',
    'permessage-deflate; a=b=c',
    'permessage-deflate; a="',
    'permessage-deflate; a=""',
    'permessage-deflate; a="b;c"',
    'permessage-deflate; a="b, c"',
    'permessage deflate',
    'permessage-deflate a',
    'permessage-deflate/15',
    'permessage-deflate\0',
    'p\u00e9rmessage-deflate',
    'permessage-deflate\r\nCookie: sid=b',
    Array(17).fill('a').join(),
    `a${';b'.repeat(17)}`,
  ].map(
    extensions =>
      [`extensions ${JSON.stringify(extensions)}`, offering(extensions), MALFORMED] as [string, Asked, string],
  ),
  ['extensions on two lines, the second broken', offering(['permessage-deflate', 'a;']), MALFORMED],
  ['extensions on two lines, the first empty', offering(['', 'permessage-deflate']), MALFORMED],
  ['a fragment in the query', { target: '/ws?a#b' }, MALFORMED],
  ['no ASCII in the query', { target: '/ws?\u00e9' }, MALFORMED],
  ['a control character in the query', { target: '/ws?\u0001' }, MALFORMED],
  ['a dot segment', { target: '/x/../ws' }, MALFORMED],
  ['absolute-form', { target: 'http://app.company.com/ws' }, MALFORMED],
  ['asterisk-form', { target: '*' }, MALFORMED],
  ['empty', { target: '' }, MALFORMED],
]
for (const [name, asked, code] of rows) {
  test(`${name}: ${code}`, async () => assert.equal(codeOf(await check(attemptOf(asked))), code))
}

const HEADERS = Object.entries(HONEST).length
const BYTES = Object.entries(HONEST).reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0)
const bounded = compileControl(
  request,
  policyOf({ request: { headerBytes: BYTES + 20, headers: HEADERS + 2, targetBytes: 10 } }),
)

const bounds: readonly [name: string, asked: (over: number) => Asked][] = [
  ['target', over => ({ target: `/${'a'.repeat(9 + over)}` })],
  ['header lines', over => ({ headers: { A: Array<string>(2 + over).fill('') } })],
  ['bytes of headers', over => ({ headers: { A: 'a'.repeat(20 - 5 + over) } })],
]
for (const [name, asked] of bounds) {
  test(`${name}: one below and at the bound pass, one above is refused`, async () => {
    const codes = []
    for (const over of [-1, 0, 1]) codes.push(codeOf(await bounded(attemptOf(asked(over)))))
    assert.deepEqual(codes, ['pass', 'pass', 'SALLY_REQUEST_TOO_LARGE'])
  })
}

test('a detail quotes nothing that a peer may fill with secrets', async () => {
  const secret = 'S3cret'
  const asked: Asked[] = [
    { target: `/../?ticket=${secret}` },
    { headers: { 'Sec-WebSocket-Key': secret } },
    { headers: { Cookie: [secret, secret] } },
    { headers: { 'Sec-WebSocket-Version': secret } },
    offering(`${secret};`),
  ]
  for (const one of asked) assert.doesNotMatch(JSON.stringify(await check(attemptOf(one))), /S3cret/)
})
