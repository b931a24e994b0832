import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect, createServer as createNetServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test, type TestContext } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { createGuard } from 'sallyport'
import { type ServerOptions, WebSocketServer } from 'ws'
import { CERTIFICATE, KEY } from '../../../../test/support/certificates.ts'
import { remoteOf } from '../../src/request/remote-address.ts'
import { insideOf } from '../../src/guard/registry.ts'
import { createReception } from '../../src/server/engine.ts'
import { installFirstBytesReader } from '../../src/node/first-bytes-reader.ts'
import { listenTo } from '../support/told-events.ts'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-unix-'))
after(() => rmSync(folder, { recursive: true, force: true }))
let sockets = 0

/** Listens at a unix socket. */
async function listen(t: TestContext, server: Server, path: string): Promise<void> {
  server.listen(path)
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
}

describe('who is at the other end of a socket', () => {
  const path = join(folder, `${sockets++}`)

  test('a unix socket has the name that nginx gives it, over TLS too', async t => {
    const plain = createServer()
    await listen(t, plain, path)
    const client = connect(path)
    assert.equal(remoteOf((await once(plain, 'connection'))[0]), 'unix:')
    client.destroy()
    const secure = createTlsServer({ key: KEY, cert: CERTIFICATE })
    const of = `${path}-tls`
    await listen(t, secure, of)
    const tls = connectTls({ path: of, rejectUnauthorized: false })
    assert.equal(remoteOf((await once(secure, 'secureConnection'))[0]), 'unix:')
    tls.destroy()
  })

  test('a peer of TCP has its address; one that is gone has none, and is not taken for a local one', async t => {
    // Nobody reads it, so that it is not destroyed by a reset: the kernel alone knows.
    const server = createNetServer({ pauseOnConnect: true }).listen(0, '127.0.0.1')
    t.after(() => server.close())
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const dial = async (): Promise<[client: Socket, socket: Socket]> => {
      const client = connect(port, '127.0.0.1')
      const [socket] = (await once(server, 'connection')) as [Socket]
      t.after(() => socket.destroy())
      return [client, socket]
    }
    const [open, alive] = await dial()
    assert.equal(remoteOf(alive), '127.0.0.1')
    open.destroy()
    const [resetting, reset] = await dial()
    resetting.resetAndDestroy()
    await once(resetting, 'close')
    assert.deepEqual([reset.destroyed, remoteOf(reset)], [false, ''])
    reset.destroy()
    assert.equal(remoteOf(reset), '')
  })
})

const FORWARDED = { 'X-Forwarded-For': '198.51.100.1', 'X-Forwarded-Proto': 'https' }
const PLAIN = { ...FORWARDED, 'X-Forwarded-Proto': 'http' }
const UNNAMED =
  "a proxy forwards plain ws:// over a unix socket, and is not trusted to speak of TLS: proxy.trust does not hold 'unix:'"
const UNSAID = 'plain ws://, and no trusted proxy says X-Forwarded-Proto: https'

const handshakes: readonly (readonly [
  name: string,
  headers: Readonly<Record<string, string>>,
  trust: readonly string[],
  status: string,
  ip: string,
  detail: string | undefined,
])[] = [
  ['a local client is let in', {}, [], '101', 'unix:', undefined],
  [
    'a proxy that nobody named is refused, and the operator is told which setting',
    FORWARDED,
    [],
    '426',
    'unix:',
    UNNAMED,
  ],
  ['trust in an address is none in it', FORWARDED, ['127.0.0.1'], '426', 'unix:', UNNAMED],
  ['a trusted proxy speaks for its client', FORWARDED, ['unix:'], '101', '198.51.100.1', undefined],
  ['a trusted proxy in front of plain ws://', PLAIN, ['unix:'], '426', '198.51.100.1', UNSAID],
]

for (const way of ['guard.ws()', 'the engine'] as const) {
  describe(`plain ws:// over a unix socket, by ${way}`, () => {
    for (const [name, headers, trust, status, ip, detail] of handshakes) {
      test(name, async t => {
        const guard = createGuard({
          ...(trust.length > 0 && { proxy: { trust } }),
          handshake: {
            origin: { allow: ['https://app.test'] },
            session: { dangerouslyAnonymous: true },
            ticket: { dangerouslyWithoutTicket: true },
          },
          message: { schema: { dangerouslyAcceptAnyMessage: true } },
        } as Parameters<typeof createGuard>[0])
        const { event } = listenTo(guard)
        const server = createServer()
        if (way === 'guard.ws()') {
          new WebSocketServer({ server, ...guard.ws() } as ServerOptions).on('connection', () => undefined)
        } else {
          const reception = createReception(insideOf(guard).core, { message: () => undefined })
          installFirstBytesReader(server, 1000, reception.read)
          server.on('upgrade', reception.upgrade)
        }
        const path = join(folder, `${sockets++}`)
        await listen(t, server, path)
        const client = connect(path)
        t.after(() => client.destroy())
        const lines = Object.entries({
          Host: 'app.test',
          Upgrade: 'websocket',
          Connection: 'Upgrade',
          'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
          'Sec-WebSocket-Version': '13',
          Origin: 'https://app.test',
          ...headers,
        }).map(([key, value]) => `${key}: ${value}\r\n`)
        client.write(`GET /ws HTTP/1.1\r\n${lines.join('')}\r\n`)
        assert.equal(String((await once(client, 'data'))[0]).split(' ')[1], status)
        const told = await event(({ kind }) => kind === (status === '101' ? 'open' : 'denial'))
        assert.deepEqual([told.source_ip, told.detail], [ip, detail])
      })
    }
  })
}
