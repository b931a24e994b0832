// Report mode answers a handshake as `ws` does without a guard: subprotocol, extensions and headers of the app.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { test } from 'node:test'
import { createGuard, type Guard } from 'sallyport'
import { type ServerOptions, WebSocketServer } from 'ws'

type Listen = (server: Server) => void

/** The head that a server answers to a handshake. */
async function answerTo(lines: string, listen: Listen): Promise<string> {
  const server = createServer()
  listen(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const socket = connect(port, '127.0.0.1')
  socket.write(
    `GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n${lines}\r\n`,
  )
  const [data] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  server.close()
  return String(data).split('\r\n\r\n', 1)[0]!
}

/** A server by its own `upgrade` listener, or by the handler of a guard. */
const serving = (
  form: 'server' | 'upgrade',
  guard: Guard | null,
  options: ServerOptions,
  own: readonly string[],
): Listen => {
  return server => {
    const locks = guard?.ws() ?? {}
    const wss = new WebSocketServer({ ...(form === 'server' ? { server } : { noServer: true }), ...options, ...locks })
    wss.on('headers', headers => headers.push(...own))
    if (form === 'server') return
    const bare = (...[request, socket, head]: Parameters<WebSocketServer['handleUpgrade']>): void =>
      wss.handleUpgrade(request, socket, head, () => undefined)
    server.on('upgrade', guard?.upgrade(wss, '/ws') ?? (bare as () => void))
  }
}

const guardOf = (report: unknown): Promise<Guard> =>
  createGuard({
    report,
    handshake: {
      origin: { allow: ['https://app.example'] },
      session: { dangerouslyAnonymous: true },
      subprotocol: { serve: ['graphql-ws'] },
      extensions: { deflate: true },
    },
    message: { schema: { dangerouslyAcceptAnyMessage: true } },
  } as unknown as Parameters<typeof createGuard>[0]) as unknown as Promise<Guard>

const ROWS: readonly (readonly [what: string, lines: string, options?: ServerOptions])[] = [
  ['the first subprotocol that is offered', 'Sec-WebSocket-Protocol: chat, graphql-ws\r\n'],
  ['the first one before sallyport.v1', 'Sec-WebSocket-Protocol: chat, sallyport.v1\r\n'],
  [
    'what the app chooses',
    'Sec-WebSocket-Protocol: a, b\r\n',
    { handleProtocols: offered => [...offered].at(-1) ?? false },
  ],
  ['an empty list of subprotocols', 'Sec-WebSocket-Protocol:\r\n'],
  [
    'an offer of deflate that ws refuses',
    'Sec-WebSocket-Extensions: permessage-deflate; foo=1\r\n',
    { perMessageDeflate: true },
  ],
  [
    'a window of 8 bits',
    'Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=8\r\n',
    { perMessageDeflate: true },
  ],
  ['deflate that the app leaves off', 'Sec-WebSocket-Extensions: permessage-deflate\r\n'],
  ['no offer at all', ''],
]
const TWICE = ['Sec-WebSocket-Protocol: extra', 'Upgrade: websocket', 'X-Own: 1']

for (const form of ['server', 'upgrade'] as const) {
  for (const [what, lines, options = {}] of ROWS) {
    for (const own of [[], TWICE]) {
      test(`report mode answers as ws does (${form}): ${what}${own.length > 0 ? ', with headers of the app' : ''}`, async () => {
        const guard = await guardOf(true)
        const bare = await answerTo(lines, serving(form, null, options, own))
        assert.equal(await answerTo(lines, serving(form, guard, options, own)), bare)
      })
    }
  }
}

test('report mode of other controls alone: the headers of the handshake stand once', async () => {
  const guard = await guardOf(['handshake/origin', 'handshake/ticket', 'handshake/host'])
  const head = await answerTo('Sec-WebSocket-Protocol: graphql-ws\r\n', serving('server', guard, {}, TWICE))
  assert.deepEqual(head.match(/^(?:Upgrade|Sec-WebSocket-Protocol): .*$/gm), [
    'Upgrade: websocket',
    'Sec-WebSocket-Protocol: graphql-ws',
  ])
})

test('a ticket that the app adds to the answer is left out in report mode too', async () => {
  const guard = await guardOf(true)
  const own = ['Sec-WebSocket-Protocol: sallyport.ticket.abc']
  assert.doesNotMatch(await answerTo('', serving('server', guard, {}, own)), /ticket/)
})
