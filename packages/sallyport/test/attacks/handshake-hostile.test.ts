import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { after, before, beforeEach, test } from 'node:test'
import { insideOf } from '../../src/guard/registry.ts'
import { type Answer, answerOf, dial, exchange, handshakeText } from '../support/raw-client.ts'
import { createWorld, nextMessage, type World } from '../support/world.ts'

const CAP = 2_000
const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const HEADER_BYTES = 16 * 1024

let world: World
/** While true, session look-ups wait for `answerAll`. */
let slow = false
let waiting: (() => void)[] = []
const answerAll = (): void => {
  slow = false
  for (const go of waiting) go()
  waiting = []
}

before(async () => {
  world = await createWorld({
    handshake: {
      connections: { total: CAP, perIp: CAP, perUser: CAP },
      session: async (request: { cookie(name: string): string | undefined }) => {
        if (slow) await new Promise<void>(resolve => waiting.push(resolve))
        return request.cookie('sid') === 'ann-1' ? { id: 'ann-1', user: 'ann' } : null
      },
    },
  })
})
beforeEach(() => {
  slow = false
})
after(() => world.close())

/** How many attempts wait for their session. */
const halfOpen = (): number => insideOf(world.guard).core.context.halfOpen.size

/** How many places the store still counts for this machine's address; ours takes one for the asking. */
function leased(): number {
  const { store } = insideOf(world.guard).core.context
  let free = 0
  while (store.lease('connections:all', `probe-${free}`, CAP, 60_000) === true) free++
  for (let index = 0; index < free; index++) void store.release('connections:all', `probe-${index}`)
  return CAP - free
}

function openSockets(): Promise<number> {
  return new Promise((resolve, reject) =>
    world.app.server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  )
}

/** Waits, by the sockets' own ends, until the server holds none. */
async function allGone(): Promise<void> {
  while ((await openSockets()) > 0) await new Promise(setImmediate)
}

async function honestTalks(): Promise<void> {
  const socket = await world.connect()
  socket.send('{"type":"chat","message":"hi"}')
  assert.deepEqual(await nextMessage(socket), { type: 'chat', message: 'echo hi' })
  socket.close()
  await once(socket, 'close')
}

type Row = readonly [name: string, text: (port: number) => string, allowed: RegExp]
const replace = (lines: Record<string, string>) => (port: number) => handshakeText({ port, replace: lines })
const add =
  (...lines: string[]) =>
  (port: number) =>
    handshakeText({ port, add: [...lines, 'Cookie: sid=ann-1'] })
const ask = (request: string) => (port: number) => handshakeText({ port, request })
const MALFORMED = /^(?:HTTP\/1\.1 400 .*\{"code":"SALLY_REQUEST_MALFORMED"\}|)$/s
const VERSION = /^HTTP\/1\.1 426 .*Sec-WebSocket-Version: 13\r\n.*\{"code":"SALLY_REQUEST_VERSION"\}$/s
const LARGE = /^(?:HTTP\/1\.1 431 .*\{"code":"SALLY_REQUEST_TOO_LARGE"\}|)$/s
/** A header that means nothing here: the honest rest of the request is judged, and it bears no ticket. */
const NO_TICKET = /^HTTP\/1\.1 403 .*\{"code":"SALLY_TICKET_MISSING"\}$/s
const NOT_UPGRADED = /^(?:HTTP\/1\.1 (?:400|404|405|501) .*|)$/s

const rows: readonly Row[] = [
  ['Origin twice', port => add(`Origin: http://localhost:${port}`)(port), /SALLY_ORIGIN_NOT_ALLOWED/],
  ['Origin folded', port => replace({ origin: `Origin:\r\n http://localhost:${port}` })(port), MALFORMED],
  ['Host twice', add('Host: localhost'), MALFORMED],
  ['Host of the attacker', replace({ host: 'Host: evil.example' }), /^HTTP\/1\.1 421 /],
  ['no Host', replace({ host: '' }), MALFORMED],
  ['Host empty', replace({ host: 'Host:' }), /^HTTP\/1\.1 4(?:00|21) /],
  ['key twice', add(`Sec-WebSocket-Key: ${KEY}`), MALFORMED],
  ['version twice', add('Sec-WebSocket-Version: 13'), MALFORMED],
  ['versions 13 and 8', add('Sec-WebSocket-Version: 8'), MALFORMED],
  ['Upgrade twice', add('Upgrade: websocket'), MALFORMED],
  ['Upgrade also to h2c', add('Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'), MALFORMED],
  ['Upgrade to h2c', replace({ upgrade: 'Upgrade: h2c' }), MALFORMED],
  ['Cookie twice', add('Cookie: sid=bob-1'), MALFORMED],
  ['Authorization twice', add('Authorization: Bearer a', 'Authorization: Bearer b'), MALFORMED],
  ['Content-Length and no body', add('Content-Length: 5'), MALFORMED],
  ['Content-Length and a body', port => `${add('Content-Length: 5')(port)}hello`, MALFORMED],
  [
    'Content-Length and Transfer-Encoding',
    port => `${add('Content-Length: 5', 'Transfer-Encoding: chunked')(port)}0\r\n\r\n`,
    MALFORMED,
  ],
  ['Content-Length twice', add('Content-Length: 0', 'Content-Length: 5'), MALFORMED],
  ['Content-Length negative', add('Content-Length: -1'), MALFORMED],
  ['Transfer-Encoding chunked', port => `${add('Transfer-Encoding: chunked')(port)}5\r\nhello\r\n0\r\n\r\n`, MALFORMED],
  ['Transfer-Encoding chunked and no end', port => `${add('Transfer-Encoding: chunked')(port)}5\r\nhe`, MALFORMED],
  ['Transfer-Encoding in disguise', add('Transfer-Encoding: xchunked'), MALFORMED],
  ['a folded line', add('X-A: a', ' b'), MALFORMED],
  [
    'a bare LF between lines',
    port => add('X-A: a')(port).replace('X-A: a\r\n', 'X-A: a\n'),
    /^(?:HTTP\/1\.1 40[03] .*|)$/s,
  ],
  ['a bare CR in a value', add('X-A: a\rOrigin: b'), MALFORMED],
  ['a space before the colon', add('X-A : a'), MALFORMED],
  ['a space before the name', port => add('X-A: a')(port).replace('Host:', ' Host:'), MALFORMED],
  ['a NUL in a value', add('X-A: a\0b'), MALFORMED],
  ['a NUL in a name', add('X-\0A: a'), MALFORMED],
  ['a line without a colon', add('nonsense'), MALFORMED],
  ['an empty name', add(': a'), MALFORMED],
  [
    'Origin with an underscore beside a foreign one',
    port =>
      handshakeText({
        port,
        replace: { origin: 'Origin: https://evil.example' },
        add: [`Or_igin: http://localhost:${port}`, `X_Origin: http://localhost:${port}`],
      }),
    /SALLY_ORIGIN_NOT_ALLOWED/,
  ],
  [
    'names with underscores mean nothing',
    add('Sec_WebSocket_Version: 8', 'Content_Length: 5', 'X_Forwarded_For: 9.9.9.9'),
    NO_TICKET,
  ],
  [
    'X-Forwarded-* of a peer that nobody trusts',
    add('X-Forwarded-For: 127.0.0.1', 'X-Forwarded-Host: localhost', 'X-Forwarded-Proto: https'),
    /^HTTP\/1\.1 426 .*SALLY_TRANSPORT_INSECURE/s,
  ],
  [
    'Forwarded of a peer that nobody trusts',
    add('Forwarded: for=127.0.0.1;proto=https'),
    /^HTTP\/1\.1 426 .*SALLY_TRANSPORT_INSECURE/s,
  ],
  [
    'Sec-Fetch-Site: cross-site',
    add('Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: websocket'),
    /^HTTP\/1\.1 403 .*SALLY_FETCH_METADATA/s,
  ],
  ['Sec-Fetch-Site: none', add('Sec-Fetch-Site: none'), /^HTTP\/1\.1 403 .*SALLY_FETCH_METADATA/s],
  [
    'Sec-Fetch-Mode: cors',
    add('Sec-Fetch-Site: same-origin', 'Sec-Fetch-Mode: cors'),
    /^HTTP\/1\.1 403 .*SALLY_FETCH_METADATA/s,
  ],
  [
    'Sec-Fetch-Site twice',
    add('Sec-Fetch-Site: same-origin', 'Sec-Fetch-Site: cross-site'),
    /^HTTP\/1\.1 403 .*SALLY_FETCH_METADATA/s,
  ],
  ['absolute-form', port => ask(`GET http://localhost:${port}/ws HTTP/1.1`)(port), MALFORMED],
  ['absolute-form of another host', ask('GET http://evil.example/ws HTTP/1.1'), MALFORMED],
  ['absolute-form, ws:', ask('GET ws://evil.example/ws HTTP/1.1'), MALFORMED],
  ['authority-form', ask('GET localhost:443 HTTP/1.1'), MALFORMED],
  ['asterisk-form', ask('GET * HTTP/1.1'), MALFORMED],
  ...[
    '//ws',
    '/./ws',
    '/x/../ws',
    '/..;/ws',
    '/%77s',
    '/%2e%2e/ws',
    '/a%2fws',
    '/a%5cws',
    '/ws%00',
    '/%c0%ae',
    '/ws#x',
    '/ws?x#y',
    '/w\\s',
    '/ws?\xff',
  ].map(target => [`target ${JSON.stringify(target)}`, ask(`GET ${target} HTTP/1.1`), MALFORMED] as Row),
  ['target above the bound', ask(`GET /${'a'.repeat(2048)} HTTP/1.1`), LARGE],
  ['target far above the bound', ask(`GET /${'a'.repeat(200_000)} HTTP/1.1`), LARGE],
  ['one header above the bound', add(`X-A: ${'a'.repeat(HEADER_BYTES)}`), LARGE],
  ['one header far above the bound', add(`X-A: ${'a'.repeat(500_000)}`), LARGE],
  ['many headers', add(...Array.from({ length: 80 }, (_, index) => `X-${index}: a`)), LARGE],
  ['thousands of headers', add(...Array.from({ length: 3000 }, (_, index) => `X-${index}: a`)), LARGE],
  ...['8', '0', '7', '12', '99', '13, 8', '', 'thirteen'].map(
    version =>
      [
        `version ${JSON.stringify(version)}`,
        replace({ 'sec-websocket-version': `Sec-WebSocket-Version: ${version}` }),
        VERSION,
      ] as Row,
  ),
  ['no version', replace({ 'sec-websocket-version': '' }), VERSION],
  ...[
    ['short', 'c2hvcnQ='],
    ['long', `${KEY}${KEY}`],
    ['of another alphabet', '_-_-_-_-_-_-_-_-_-_-_w=='],
    ['with bits left over', 'dGhlIHNhbXBsZSBub25jZR=='],
    ['empty', ''],
  ].map(
    ([name, key]) => [`key ${name}`, replace({ 'sec-websocket-key': `Sec-WebSocket-Key: ${key}` }), MALFORMED] as Row,
  ),
  ['no key', replace({ 'sec-websocket-key': '' }), MALFORMED],
  [
    'hixie-76 keys',
    port =>
      handshakeText({
        port,
        replace: { 'sec-websocket-key': '', 'sec-websocket-version': '' },
        add: ['Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5', 'Sec-WebSocket-Key2: 12998 5 Y3 1  .P00'],
      }) + '^n:ds[4U',
    /^HTTP\/1\.1 4/,
  ],
  ...['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'PROPFIND'].map(
    method => [`method ${method}`, ask(`${method} /ws HTTP/1.1`), MALFORMED] as Row,
  ),
  ['Connection that asks a proxy to take Origin off', add('Connection: Origin'), MALFORMED],
  ['Connection: close beside Upgrade', add('Connection: close'), MALFORMED],
  ['Expect', add('Expect: 100-continue'), MALFORMED],
  ['method CONNECT', ask('CONNECT localhost:443 HTTP/1.1'), NOT_UPGRADED],
  [
    'Extended CONNECT in HTTP/1.1',
    port => handshakeText({ port, request: 'CONNECT /ws HTTP/1.1', add: [':protocol: websocket'] }),
    NOT_UPGRADED,
  ],
  ['HTTP/1.0', ask('GET /ws HTTP/1.0'), MALFORMED],
  ['HTTP/0.9', () => 'GET /ws\r\n\r\n', NOT_UPGRADED],
  ['HTTP/2 preface', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', NOT_UPGRADED],
  ['a TLS hello on the plain port', () => '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03', NOT_UPGRADED],
  ['Connection without Upgrade', replace({ connection: 'Connection: close' }), NOT_UPGRADED],
  ['Upgrade without Connection', replace({ connection: '' }), NOT_UPGRADED],
  ['frames before the answer', port => `${add()(port)}\x81\x80\0\0\0\0`, MALFORMED],
  [
    'a second request before the answer',
    port => `${add()(port)}GET /admin HTTP/1.1\r\nHost: localhost\r\n\r\n`,
    MALFORMED,
  ],
  [
    'subprotocols repeated',
    add('Sec-WebSocket-Protocol: sallyport.v1', 'Sec-WebSocket-Protocol: sallyport.v1'),
    /SALLY_SUBPROTOCOL_NOT_SERVED/,
  ],
  [
    'a hundred subprotocols',
    add(`Sec-WebSocket-Protocol: ${Array.from({ length: 100 }, (_, index) => `p${index}`).join(',')}`),
    /SALLY_SUBPROTOCOL_NOT_SERVED/,
  ],
  [
    'extensions that nobody speaks',
    add('Sec-WebSocket-Extensions: x-evil; a="b", permessage-deflate; server_max_window_bits=99'),
    NO_TICKET,
  ],
  ['extensions empty', add('Sec-WebSocket-Extensions:'), MALFORMED],
  ['extensions broken', add('Sec-WebSocket-Extensions: permessage-deflate; a="b'), MALFORMED],
  [
    'extensions broken on a second line',
    add('Sec-WebSocket-Extensions: permessage-deflate', 'Sec-WebSocket-Extensions: ;'),
    MALFORMED,
  ],
  ['thousands of extensions', add(`Sec-WebSocket-Extensions: ${Array(3000).fill('a').join()}`), MALFORMED],
  ['no session', handshakePort => handshakeText({ port: handshakePort }), /^HTTP\/1\.1 401 .*SALLY_SESSION_MISSING/s],
]

test('there are at least 40 hostile handshakes, each of its own name', () => {
  assert.ok(rows.length >= 40, String(rows.length))
  assert.equal(new Set(rows.map(([name]) => name)).size, rows.length)
})

for (const [name, text, allowed] of rows) {
  test(`${name}: refused, and the next client is served`, async () => {
    const { port } = world
    const answer: Answer = await exchange(port, text(port))
    assert.match(answer.text, allowed)
    assert.doesNotMatch(answer.text, /101 Switching/)
    assert.ok(answer.ended || answer.status === 404)
    await honestTalks()
  })
}

test('target and header at their bounds are judged like any other', async () => {
  const { port } = world
  const target = await exchange(
    port,
    handshakeText({ port, request: `GET /${'a'.repeat(2047)} HTTP/1.1`, add: ['Cookie: sid=ann-1'] }),
  )
  assert.match(target.text, NO_TICKET)
  const bare = handshakeText({ port, add: ['Cookie: sid=ann-1', 'X-A: '] })
  const room = HEADER_BYTES - (bare.length - 'GET /ws HTTP/1.1\r\n'.length - 2)
  const pad = (over: number): string => bare.replace('X-A: ', `X-A: ${'a'.repeat(room + over)}`)
  assert.match((await exchange(port, pad(0))).text, NO_TICKET)
  assert.match((await exchange(port, pad(1))).text, /SALLY_REQUEST_TOO_LARGE/)
})

test('reset while the session is looked up: the places it held are given back', async () => {
  slow = true
  const { port } = world
  const sockets: Socket[] = []
  // One address has so many look-ups at once, and those of one credential are one.
  for (let index = 0; index < 16; index++) {
    const socket = await dial(port)
    socket.write(handshakeText({ port, add: [`Cookie: sid=ann-1; tab=${index}`] }))
    sockets.push(socket)
  }
  while (waiting.length < 16) await new Promise(setImmediate)
  assert.equal(halfOpen(), 16)
  for (const socket of sockets) socket.resetAndDestroy()
  answerAll()
  await allGone()
  while (leased() + halfOpen() > 0) await new Promise(setImmediate)
  await honestTalks()
})

test('FIN while the session is looked up: with a good ticket too, nothing stays open or counted', async () => {
  const { port, guard } = world
  const opened = guard.counters().opened
  const ticket = await world.ticket('ann-1')
  slow = true
  const socket = await dial(port)
  socket.end(
    handshakeText({
      port,
      add: ['Cookie: sid=ann-1', `Sec-WebSocket-Protocol: sallyport.v1, sallyport.ticket.${ticket}`],
    }),
  )
  while (waiting.length < 1) await new Promise(setImmediate)
  const answer = answerOf(socket)
  answerAll()
  // It may be answered, since it waited for that; it is let go at once.
  await answer
  await allGone()
  // The last of a socket's ends is its WebSocket's.
  while (guard.counters().open > 0) await new Promise(setImmediate)
  assert.ok(guard.counters().opened - opened <= 1)
  assert.equal(leased(), 0)
})

test('slow and silent: the server ends each by its own deadline, and serves others meanwhile', {
  timeout: 25_000,
}, async () => {
  const { port } = world
  const text = handshakeText({ port })
  const ends: Promise<Answer>[] = []
  const crowd = await Promise.all(Array.from({ length: 200 }, () => dial(port)))
  for (const [index, socket] of crowd.entries()) {
    // Says nothing; sends half the request; sends half and FIN; sends all but the last line end.
    if (index % 4 === 1) socket.write(text.slice(0, text.length / 2))
    if (index % 4 === 2) socket.end(text.slice(0, text.length / 2))
    if (index % 4 === 3) socket.write(text.slice(0, -2))
    ends.push(answerOf(socket))
  }
  const dripping = await dial(port)
  let at = 0
  const drip = setInterval(() => dripping.write(text[at++ % text.length]!), 250)
  ends.push(answerOf(dripping))
  await honestTalks()
  for (const { text: said } of await Promise.all(ends)) assert.match(said, /^(?:HTTP\/1\.1 40[08] .*|)$/s)
  clearInterval(drip)
  await honestTalks()
})

test('at the end nothing is open and nothing is counted', async () => {
  await allGone()
  const { open, opened, closed, denials } = world.guard.counters()
  assert.deepEqual([open, opened - closed], [0, 0])
  assert.equal(insideOf(world.guard).core.connections.size, 0)
  while (leased() > 0) await new Promise(setImmediate)
  assert.ok(denials.length < 60, 'refused peers create no labels')
})
