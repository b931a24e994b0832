// Report mode changes nothing: the app and the peer see what they would see without a guard.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { createGuard } from 'sallyport'
import { type WebSocket, WebSocketServer } from 'ws'

const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='

/** What the app saw of one connection: each message as text or bytes, and the close. */
type Seen = string[]

interface Side {
  readonly port: number
  /** What the app saw of the connection that was opened last. */
  seen: Seen
  readonly done: () => Promise<unknown>
  readonly denied: string[]
  close(): void
}

async function startSide(
  options: (port: number) => Promise<{ readonly ws: object; readonly denied: string[] }>,
): Promise<Side> {
  const server = createServer((_request, response) => response.writeHead(404).end())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const { ws, denied } = await options(port)
  const side: Side = { port, seen: [], denied, done: () => Promise.resolve(), close: () => server.close() }
  let ended: Promise<unknown> = Promise.resolve()
  const wss = new WebSocketServer({ server, ...ws })
  wss.on('connection', (socket: WebSocket) => {
    const seen: Seen = []
    side.seen = seen
    ended = new Promise(resolve => socket.once('close', resolve))
    socket.on('error', () => seen.push('error'))
    socket.on('message', (data: Buffer, isBinary) => {
      seen.push(`${isBinary ? 'bytes' : 'text'} ${data.toString('latin1')}`)
      socket.send(data, { binary: isBinary })
    })
    socket.on('close', (code, reason) => seen.push(`close ${code} ${String(reason)}`))
  })
  return Object.assign(side, { done: () => ended })
}

/** One masked frame. */
function frame(opcode: number, payload: Buffer | string, fin = true, masked = true): Buffer {
  const body = Buffer.from(payload)
  const length =
    body.length < 126
      ? [body.length]
      : body.length < 65_536
        ? [126, body.length >> 8, body.length & 255]
        : [
            127,
            0,
            0,
            0,
            0,
            (body.length >>> 24) & 255,
            (body.length >>> 16) & 255,
            (body.length >>> 8) & 255,
            body.length & 255,
          ]
  const head = Buffer.from([(fin ? 0x80 : 0) | opcode, (masked ? 0x80 : 0) | length[0]!, ...length.slice(1)])
  if (!masked) return Buffer.concat([head, body])
  const mask = Buffer.from([1, 2, 3, 4])
  return Buffer.concat([head, mask, body.map((byte, at) => byte ^ mask[at & 3]!)])
}

const CLOSE = frame(8, Buffer.from([0x03, 0xe8]))
const handshake = (port: number, lines: string): string =>
  `GET /ws HTTP/1.1\r\nHost: ${/^Host:/m.test(lines) ? 'x' : `127.0.0.1:${port}`}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${KEY}\r\n${/Version/.test(lines) ? '' : 'Sec-WebSocket-Version: 13\r\n'}${lines.replace(/^Host:.*\r\n/m, '')}\r\n`

/** All bytes that the server answered until it ended the connection. */
async function exchange(side: Side, lines: string, frames: readonly Buffer[]): Promise<string> {
  const socket = connect(side.port, '127.0.0.1')
  socket.on('error', () => undefined)
  const got: Buffer[] = []
  socket.on('data', data => got.push(data))
  socket.write(handshake(side.port, lines))
  await Promise.race([once(socket, 'data'), once(socket, 'close')])
  if (String(got[0]).startsWith('HTTP/1.1 101')) for (const one of frames) socket.write(one)
  else socket.end()
  if (!socket.closed) await once(socket, 'close')
  await side.done()
  return Buffer.concat(got)
    .toString('latin1')
    .replaceAll(`127.0.0.1:${side.port}`, 'HOST')
    .replace(/Date: .*\r\n/, '')
}

const json = (value: unknown): Buffer => frame(1, JSON.stringify(value))
const ORIGIN = 'Origin: https://app.example\r\n'
const HANDSHAKES: readonly (readonly [name: string, lines: string])[] = [
  ['an honest page', ORIGIN],
  ['no Origin', ''],
  ['a foreign Origin', 'Origin: https://evil.example\r\n'],
  ['Origin null', 'Origin: null\r\n'],
  ['a foreign Host', `Host: evil.example\r\n${ORIGIN}`],
  ['version 8', `${ORIGIN}Sec-WebSocket-Version: 8\r\n`],
  ['a subprotocol that is not served', `${ORIGIN}Sec-WebSocket-Protocol: chat, graphql-ws\r\n`],
  ['a malformed list of subprotocols', `${ORIGIN}Sec-WebSocket-Protocol: a,a\r\n`],
  ['Sec-Fetch-Site that contradicts', `${ORIGIN}Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: websocket\r\n`],
  ['permessage-deflate', `${ORIGIN}Sec-WebSocket-Extensions: permessage-deflate\r\n`],
  ['ten kilobytes of cookies', `${ORIGIN}Cookie: ${'a=b; '.repeat(2000)}\r\n`],
]
const TRAFFIC: readonly (readonly [name: string, frames: readonly Buffer[]])[] = [
  ['valid messages', [json({ type: 'chat', text: 'a' }), json({ type: 'chat', text: 'b' })]],
  ['spaces, escapes and key order', [frame(1, '{ "text" : "\\u0041\\/", "type":"chat" }')]],
  ['fields that are not declared', [json({ type: 'chat', text: 'a', admin: true })]],
  ['an undeclared type', [json({ type: 'nope' })]],
  ['text that is no JSON', [frame(1, 'hello'), frame(1, ''), frame(1, '[1,2]')]],
  ['keys twice and __proto__', [frame(1, '{"type":"chat","type":"x","__proto__":{"a":1}}')]],
  ['numbers beyond a double', [frame(1, '{"type":"chat","n":9007199254740993,"m":1e400}')]],
  ['bytes', [frame(2, Buffer.from([0, 255, 1]))]],
  ['a message of 200 KiB', [json({ type: 'chat', text: 'x'.repeat(200 * 1024) })]],
  [
    '300 fragments',
    [
      frame(1, '{"type":"chat","text":"', false),
      ...Array.from({ length: 300 }, () => frame(0, 'x', false)),
      frame(0, '"}'),
    ],
  ],
  ['500 messages at once', Array.from({ length: 500 }, (_, nth) => json({ type: 'chat', text: `${nth}` }))],
  ['200 pings', Array.from({ length: 200 }, (_, nth) => frame(9, `${nth}`))],
  ['invalid UTF-8', [frame(1, Buffer.from([0xff, 0xfe]))]],
  ['an unmasked frame', [frame(1, 'x', true, false)]],
  ['a close with a reason', [frame(8, Buffer.concat([Buffer.from([0x0f, 0xa0]), Buffer.from('bye')]))]],
  ['deep nesting', [frame(1, `{"type":"chat","d":${'['.repeat(200)}${']'.repeat(200)}}`)]],
]

let bare: Side
let guarded: Side
before(async () => {
  bare = await startSide(async () => ({ ws: {}, denied: [] }))
  guarded = await startSide(async () => {
    const guard = createGuard({
      report: true,
      handshake: { origin: { allow: ['https://app.example'] }, session: () => null },
      message: {
        schema: { chat: { type: 'object', properties: { text: { type: 'string', maxLength: 10 } } } },
        rate: { messages: 5, per: '1 minute' },
        // A rule that takes its time: nothing waits for it, and nothing changes places.
        authorize: (message: { readonly text?: string }) =>
          new Promise<boolean>(resolve => setTimeout(resolve, Number(message.text ?? 0) % 2, false)),
      },
    } as Parameters<typeof createGuard>[0])
    const denied: string[] = []
    guard.on(event => {
      if (event.kind === 'denial' && event.code !== undefined) {
        assert.equal(event.enforced, false, event.code)
        denied.push(event.code)
      }
    })
    return { ws: guard.ws(), denied }
  })
})
after(() => {
  bare?.close()
  guarded?.close()
})

for (const [name, lines] of HANDSHAKES) {
  test(`handshake: ${name}`, async () => {
    const frames = [json({ type: 'chat', text: 'a' }), CLOSE]
    const answers = [await exchange(bare, lines, frames), await exchange(guarded, lines, frames)]
    assert.equal(answers[1], answers[0])
    assert.deepEqual(guarded.seen, bare.seen)
  })
}

for (const [name, frames] of TRAFFIC) {
  test(`messages: ${name}`, async () => {
    const all = [...frames, CLOSE]
    const answers = [await exchange(bare, ORIGIN, all), await exchange(guarded, ORIGIN, all)]
    assert.equal(answers[1], answers[0])
    assert.deepEqual(guarded.seen, bare.seen)
  })
}

test('all of it was reported', () => {
  for (const code of [
    'SALLY_ORIGIN_MISSING',
    'SALLY_ORIGIN_NOT_ALLOWED',
    'SALLY_HOST_NOT_SERVED',
    'SALLY_SESSION_MISSING',
    'SALLY_TICKET_MISSING',
    'SALLY_SUBPROTOCOL_NOT_SERVED',
    'SALLY_MESSAGE_FIELDS',
    'SALLY_MESSAGE_TYPE',
    'SALLY_MESSAGE_NOT_JSON',
    'SALLY_MESSAGE_KEY',
    'SALLY_MESSAGE_NOT_TEXT',
    'SALLY_MESSAGE_TOO_BIG',
    'SALLY_MESSAGE_RATE',
    'SALLY_MESSAGE_INVALID',
    'SALLY_CONTROL_FRAMES',
  ]) {
    assert.ok(guarded.denied.includes(code), code)
  }
})

test('an offered ticket is not answered with: the one thing that differs', async () => {
  const lines = `${ORIGIN}Sec-WebSocket-Protocol: sallyport.ticket.abc\r\n`
  assert.match(await exchange(bare, lines, [CLOSE]), /Sec-WebSocket-Protocol: sallyport\.ticket/)
  assert.doesNotMatch(await exchange(guarded, lines, [CLOSE]), /Sec-WebSocket-Protocol/)
})
