import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { refuseSocket } from 'sallyport/embed'
import { MAX_UPGRADE_BYTES } from 'sallyport/internal'
import { CERTIFICATE, KEY } from '../../../../test/support/certificates.ts'
import type { ListenerConfig } from '../../src/model/config.ts'
import { createListener } from '../../src/listener/listener.ts'
import { closing } from '../support/leftovers.ts'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-first-bytes-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const tls = { cert: join(folder, 'cert'), key: join(folder, 'key') }
writeFileSync(tls.cert, CERTIFICATE)
writeFileSync(tls.key, KEY)

const PROXY = 'PROXY TCP4 203.0.113.7 198.51.100.1 56324 443\r\n'
type Kind = Pick<ListenerConfig, 'tls' | 'proxyProtocol'> & { readonly onePacket?: boolean }
const KINDS: readonly (readonly [name: string, kind: Kind, ip: string])[] = [
  ['plain', { tls: null, proxyProtocol: null }, '127.0.0.1'],
  ['TLS', { tls, proxyProtocol: null }, '127.0.0.1'],
  ['PROXY protocol', { tls: null, proxyProtocol: { trust: ['127.0.0.1'] } }, '203.0.113.7'],
  [
    'PROXY protocol, its header in one packet with what follows',
    { tls: null, proxyProtocol: { trust: ['127.0.0.1'] }, onePacket: true },
    '203.0.113.7',
  ],
  ['PROXY protocol before TLS', { tls, proxyProtocol: { trust: ['127.0.0.1'] } }, '203.0.113.7'],
]

/** Who heard of it, what they read, and of whom. */
type Heard = readonly [who: 'read' | 'upgrade' | 'request' | 'malformed', target: string, ip: string | undefined]

/** Sends the parts, each in its own read of the listener, and tells who heard what until all was answered and closed. */
async function heardOf(
  { onePacket = false, ...kind }: Kind,
  parts: readonly (string | Buffer)[],
): Promise<readonly Heard[]> {
  const heard: Heard[] = []
  const listener = createListener(
    { name: 'main', address: { host: '127.0.0.1', port: 0 }, ...kind },
    {
      read(read, socket) {
        heard.push(['read', read.target, socket.remoteAddress])
        refuseSocket(socket, REFUSAL)
      },
      upgrade(asked: IncomingMessage, socket: Socket) {
        heard.push(['upgrade', asked.url!, socket.remoteAddress])
        refuseSocket(socket, REFUSAL)
      },
      request(asked: IncomingMessage, response: ServerResponse) {
        heard.push(['request', asked.url!, asked.socket.remoteAddress])
        asked.resume().on('end', () => response.end('answered'))
      },
      refused: (reason, { ip }) => heard.push([reason as 'malformed', '', ip]),
      isProxy: () => false,
    },
  )
  await listener.listen()
  const close = closing(() => listener.close())
  const plain = connect(listener.port!, '127.0.0.1')
  await once(plain, 'connect')
  plain.setNoDelay(true)
  if (kind.proxyProtocol !== null && !onePacket) plain.write(PROXY)
  const socket = kind.tls === null ? plain : connectTls({ socket: plain, rejectUnauthorized: false })
  socket.on('error', () => undefined)
  let got = ''
  socket.on('data', (chunk: Buffer) => (got += chunk.toString('latin1')))
  const closed = once(socket, 'close')
  if (kind.tls !== null) await once(socket, 'secureConnect')
  for (const [index, part] of parts.entries()) {
    if (part === ANSWERED) while (!got.includes('answered')) await once(socket, 'data')
    else if (onePacket && index === 0) socket.write(Buffer.concat([Buffer.from(PROXY), Buffer.from(part)]))
    else socket.write(part)
    if (index < parts.length - 1) for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
  }
  await closed
  await close()
  return heard
}

const REFUSAL = { status: 403, headers: { Connection: 'close' }, body: '' }
/** Not sent: what comes after it is, once a request was answered. */
const ANSWERED = Buffer.alloc(0)
const LINES = [
  'Host: app.localhost',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
]
const handshake = (target = '/ws', ...further: readonly string[]): string =>
  `GET ${target} HTTP/1.1\r\n${[...LINES, ...further].join('\r\n')}\r\n\r\n`
const without = (start: string): string => handshake().replace(new RegExp(`${start}.*\r\n`), '')
const ofBytes = (bytes: number): string => handshake('/ws', `X: ${'x'.repeat(bytes - handshake('/ws', 'X: ').length)}`)
const PLAIN = 'GET /page HTTP/1.1\r\nHost: app.localhost\r\n\r\n'
const LAST = 'GET /page HTTP/1.1\r\nHost: app.localhost\r\nConnection: close\r\n\r\n'

type Row = readonly [name: string, parts: readonly (string | Buffer)[], who: readonly (readonly [Heard[0], string])[]]
const READ: Row[2] = [['read', '/ws']]
const UPGRADE: Row[2] = [['upgrade', '/ws']]
const MALFORMED: Row[2] = [['malformed', '']]
/** Since Node 22.21; before it an upgrade that nobody wants is none to answer as a request. */
const CAN_DECLINE = 'shouldUpgradeCallback' in createServer()
const rows: readonly Row[] = [
  ['a clean handshake', [handshake()], READ],
  ['a clean one with a query', [handshake('/ws?room=1')], [['read', '/ws?room=1']]],
  ['as long as may be read', [ofBytes(MAX_UPGRADE_BYTES)], READ],
  ['a byte less', [ofBytes(MAX_UPGRADE_BYTES - 1)], READ],
  ['split after its first byte', [handshake().slice(0, 1), handshake().slice(1)], UPGRADE],
  ['split before its last', [handshake().slice(0, -1), handshake().slice(-1)], UPGRADE],
  ['split between head and empty line', [handshake().slice(0, -2), '\r\n'], UPGRADE],
  ['byte by byte', handshake().split(''), UPGRADE],
  ['a byte longer than may be read', [ofBytes(MAX_UPGRADE_BYTES + 1)], UPGRADE],
  ['a frame behind it', [Buffer.concat([Buffer.from(handshake()), Buffer.from([0x81, 0x80, 1, 2, 3, 4])])], UPGRADE],
  ['smuggling: a request behind it', [handshake() + LAST], UPGRADE],
  ['smuggling: a handshake behind it', [handshake() + handshake('/admin')], UPGRADE],
  ['smuggling: a second Host', [handshake('/ws', 'Host: evil.example')], UPGRADE],
  ['smuggling: a second Origin', [handshake('/ws', 'Origin: http://a', 'Origin: http://b')], UPGRADE],
  ['smuggling: a folded line', [handshake('/ws', 'X: a', ' b')], MALFORMED],
  ['smuggling: a blank before a colon', [handshake('/ws', 'Origin : http://a')], MALFORMED],
  ['smuggling: line feeds alone', [handshake().replaceAll('\r\n', '\n')], MALFORMED],
  ['smuggling: a carriage return in a value', [handshake('/ws', 'X: a\rOrigin: http://a')], MALFORMED],
  ['smuggling: a body of chunks', [handshake('/ws', 'Transfer-Encoding: chunked')], UPGRADE],
  ['smuggling: two lengths', [handshake('/ws', 'Content-Length: 1', 'Transfer-Encoding: chunked')], MALFORMED],
  ['a control character in a value', [handshake('/ws', 'Origin: http://a\x01')], MALFORMED],
  ['a byte that is no ASCII', [Buffer.from(handshake('/ws', 'X: \xe9'), 'latin1')], UPGRADE],
  ['an absolute target', [handshake('http://evil.example/ws')], [['upgrade', 'http://evil.example/ws']]],
  ['a fragment', [handshake('/ws#x')], [['upgrade', '/ws#x']]],
  ['no Host', [without('Host')], UPGRADE],
  ['no key', [without('Sec-WebSocket-Key')], UPGRADE],
  ['another version', [handshake().replace('Version: 13', 'Version: 8')], UPGRADE],
  ['another method', [handshake().replace('GET', 'PUT')], UPGRADE],
  ['HTTP/1.0', [handshake().replace('HTTP/1.1', 'HTTP/1.0')], UPGRADE],
  ['no Upgrade', [without('Upgrade').replace('Connection: Upgrade', 'Connection: close')], [['request', '/ws']]],
  [
    'an upgrade to h2c',
    [handshake().replace('websocket', 'h2c').replace(': Upgrade', ': Upgrade, close')],
    CAN_DECLINE ? [['request', '/ws']] : UPGRADE,
  ],
  ['a plain request', [LAST], [['request', '/page']]],
  [
    'two plain requests, one by one',
    [PLAIN, ANSWERED, LAST],
    [
      ['request', '/page'],
      ['request', '/page'],
    ],
  ],
  ['a handshake behind an answered request', [PLAIN, ANSWERED, handshake()], [['request', '/page'], ...UPGRADE]],
  ['no HTTP', ['\x16\x03\x01\x02\x00garbage\r\n\r\n'], MALFORMED],
]

for (const [listener, kind, ip] of KINDS) {
  describe(`the first bytes at a listener: ${listener}`, () => {
    for (const [name, parts, who] of rows) {
      test(name, async () => {
        assert.deepEqual(
          await heardOf(kind, parts),
          who.map(([handler, target]) => [handler, target, ip]),
        )
      })
    }
  })
}

test('who does not read an answer has a minute; what is upgraded has bounds of its own', async () => {
  const timeouts: unknown[] = []
  const listener = createListener(
    { name: 'main', address: { host: '127.0.0.1', port: 0 }, tls: null, proxyProtocol: null },
    {
      read() {},
      upgrade(_asked: IncomingMessage, socket: Socket) {
        timeouts.push(socket.timeout)
        refuseSocket(socket, REFUSAL)
      },
      request(asked: IncomingMessage, response: ServerResponse) {
        timeouts.push(asked.socket.timeout)
        response.end('answered')
      },
      refused() {},
      isProxy: () => false,
    },
  )
  await listener.listen()
  const close = closing(() => listener.close())
  const socket = connect(listener.port!, '127.0.0.1')
  socket.write(PLAIN)
  await once(socket, 'data')
  socket.resume().write(handshake())
  await once(socket, 'close')
  assert.deepEqual(timeouts, [60_000, 0])
  await close()
})
