import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import { createGuard, type SallyEvent, type Session } from 'sallyport'
import type { GatewayConfig } from '../../src/model/config.ts'
import { createGateway } from '../../src/runtime/gateway.ts'
import { createBackend, createRawBackend } from '../support/backends.ts'
import { configOf, createWorld, ORIGIN, route } from '../support/gateway-world.ts'
import { handshake } from '../support/handshake.ts'
import { closing } from '../support/leftovers.ts'

const SCRIPT = 'GET /.sallyport/client.js HTTP/1.1\r\nHost: app.localhost\r\n\r\n'
type Way = (socket: Socket, request: string) => Promise<void>
const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
}
/** How a handshake comes: in one read, which Node's parser never sees, or so that it must be read by Node's. */
const WAYS: readonly (readonly [name: string, way: Way])[] = [
  ['in one read', async (socket, request) => void socket.write(request)],
  [
    'in two',
    async (socket, request) => {
      socket.write(request.slice(0, 20))
      await turns()
      socket.write(request.slice(20))
    },
  ],
  [
    'behind an answered request',
    async (socket, request) => {
      const script = new Promise<void>(resolve => {
        let got = 0
        const count = (chunk: Buffer): void => {
          const text = chunk.toString('latin1')
          if (text.startsWith('HTTP/1.1 200'))
            length = Number(/content-length: (\d+)/i.exec(text)![1]) + text.indexOf('\r\n\r\n') + 4
          got += chunk.length
          if (got < length) return
          socket.off('data', count)
          resolve()
        }
        let length = Infinity
        socket.on('data', count)
      })
      socket.write(SCRIPT)
      await script
      socket.write(request)
    },
  ],
]

/** All that is answered to a handshake until the gateway closes. */
async function answerTo(port: number, way: Way, request: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.setNoDelay(true)
  const closed = once(socket, 'close')
  await once(socket, 'connect')
  await way(socket, request)
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
  await closed
  return text
}

/** What an event tells, without what is of one attempt and one guard: ids, and hashes by a key of its own. */
function told({ datetime: _at, connection: _id, ...event }: SallyEvent): string {
  return JSON.stringify(event).replaceAll(/\b[\da-f]{16}\b/g, 'hash')
}

type Row = readonly [name: string, requests: readonly string[], status: number, code: string, config?: RowConfig]
interface RowConfig {
  readonly route?: Parameters<typeof route>[0]
  readonly further?: Partial<GatewayConfig>
  /** The address that is refused. */
  readonly ip?: string
}
const from = (origin: string | null): readonly string[] => [handshake('/ws', { Origin: origin })]
const proxy = { trust: ['127.0.0.1'] } as GatewayConfig['proxy']
const rate = { handshake: { rate: { perIp: { attempts: 1, per: '1 minute' } } } }
const rateOfUser = { handshake: { rate: { perUser: { attempts: 1, per: '1 minute' } } } }
/** Whoever shows no credential counts by address. */
const stranger = handshake('/ws', { Cookie: null })
const forwarded = (ip: string): string =>
  handshake('/ws', { Cookie: null, 'X-Forwarded-For': ip, 'X-Forwarded-Proto': 'https' })
const DENIED = 'SALLY_ORIGIN_NOT_ALLOWED'
const rows: readonly Row[] = [
  ['suffix: http://app.localhost.evil.example', from(`${ORIGIN}.evil.example`), 403, DENIED],
  ['prefix: http://evilapp.localhost', from('http://evilapp.localhost'), 403, DENIED],
  ['another port', from(`${ORIGIN}:81`), 403, DENIED],
  ['null, as a sandboxed frame says', from('null'), 403, DENIED],
  ['no Origin', from(null), 403, 'SALLY_ORIGIN_MISSING'],
  [
    'cross-site, by its fetch metadata',
    [handshake('/ws', { 'Sec-Fetch-Site': 'cross-site' })],
    403,
    'SALLY_FETCH_METADATA',
  ],
  [
    'DNS rebinding: a Host that is not served',
    [handshake('/ws', { Host: 'evil.example' })],
    421,
    'SALLY_HOST_NOT_SERVED',
  ],
  [
    'a Host that no route names',
    [handshake('/ws', { Host: 'evil.example' })],
    404,
    'GATEWAY_NO_ROUTE',
    { route: { hosts: ['app.localhost'] } },
  ],
  ['a path that no route has', [handshake('/admin')], 404, 'GATEWAY_NO_ROUTE'],
  ['an escaped path', [handshake('/%77s')], 404, 'GATEWAY_NO_ROUTE'],
  ['a path with dots', [handshake('/x/../ws')], 404, 'GATEWAY_NO_ROUTE'],
  ['nobody’s', [handshake('/ws', { Cookie: null })], 401, 'SALLY_SESSION_MISSING'],
  ['another’s cookie name', [handshake('/ws', { Cookie: 'xsid=s1' })], 401, 'SALLY_SESSION_MISSING'],
  ['no ticket', [handshake()], 403, 'SALLY_TICKET_MISSING', { route: { handshake: { ticket: { carrier: 'query' } } } }],
  [
    'a false ticket',
    [handshake('/ws?ticket=x')],
    403,
    'SALLY_TICKET_INVALID',
    { route: { handshake: { ticket: { carrier: 'query' } } } },
  ],
  [
    'extensions out of the grammar',
    [handshake('/ws', { 'Sec-WebSocket-Extensions': 'a; b="' })],
    400,
    'SALLY_REQUEST_MALFORMED',
  ],
  [
    'a target beyond the policy’s bound',
    [handshake(`/ws?${'x'.repeat(200)}`)],
    431,
    'SALLY_REQUEST_TOO_LARGE',
    { route: { handshake: { request: { targetBytes: 200 } } } },
  ],
  [
    'headers beyond the policy’s bound',
    [handshake('/ws', { X: 'x'.repeat(1024) })],
    431,
    'SALLY_REQUEST_TOO_LARGE',
    { route: { handshake: { request: { headerBytes: 1024 } } } },
  ],
  ['one too many of a user', [handshake(), handshake()], 429, 'SALLY_HANDSHAKE_RATE', { route: rateOfUser }],
  ['one too many of an address', [stranger, stranger], 429, 'SALLY_HANDSHAKE_RATE', { route: rate }],
  [
    'forged X-Forwarded-For and -Proto: the peer’s own address is told, and no TLS believed',
    [forwarded('203.0.113.1')],
    426,
    'SALLY_TRANSPORT_INSECURE',
  ],
  [
    'one too many of an address that a trusted proxy names',
    [forwarded('203.0.113.1'), forwarded('198.51.100.1, 203.0.113.1')],
    429,
    'SALLY_HANDSHAKE_RATE',
    { route: rate, further: { proxy }, ip: '203.0.113.1' },
  ],
  [
    'not by TLS, by a trusted proxy’s word',
    [handshake('/ws', { 'X-Forwarded-For': '203.0.113.1', 'X-Forwarded-Proto': 'http' })],
    426,
    'SALLY_TRANSPORT_INSECURE',
    { further: { proxy }, ip: '203.0.113.1' },
  ],
]

describe('a handshake is refused alike however it is read: one answer, no backend, the same told', () => {
  for (const [name, requests, status, code, { route: part = {}, further = {}, ip = '127.0.0.1' } = {}] of rows) {
    test(name, async () => {
      const backend = await createBackend()
      const answers: unknown[] = []
      for (const [, way] of WAYS) {
        const world = await createWorld(configOf([backend.target], [route(part)], {}, further))
        for (const request of requests.slice(0, -1)) {
          const socket = connect(world.port, '127.0.0.1')
          await way(socket, request)
          await once(socket, 'data')
          socket.destroy()
        }
        const before = [world.events.length, backend.requests.length]
        const text = await answerTo(world.port, way, requests.at(-1)!)
        assert.equal(backend.requests.length, before[1])
        const events = world.events.slice(before[0]).filter(({ kind }) => kind === 'denial')
        assert.deepEqual(
          events.map(event => [event.code, event.source_ip]),
          code.startsWith('SALLY_') ? [[code, ip]] : [],
        )
        const refusals = world.gateway.refusals()
        assert.deepEqual(
          refusals,
          code.startsWith('SALLY_') ? [] : [{ listener: 'main', reason: 'no-route', count: 1 }],
        )
        const logged = world.logged.filter(({ facts }) => facts['kind'] === 'refused')
        assert.equal(logged.length, refusals.length)
        // When to come back differs on purpose.
        answers.push({ text: text.replace(/^Retry-After: \d+/m, 'Retry-After: 1'), told: events.map(told), logged })
        await world.close()
      }
      const [one, ...others] = answers as { readonly text: string }[]
      assert.match(
        one!.text,
        new RegExp(`^HTTP/1\\.1 ${status} [^]*\\r\\nConnection: close\\r\\n[^]*\\r\\n\\r\\n\\{"code":"${code}"\\}$`),
      )
      for (const other of others) assert.deepEqual(other, one)
      await backend.close()
    })
  }
})

describe('a verdict that is awaited', () => {
  /** A gateway whose sessions are found when `decide` is called. */
  async function awaiting(target: string): Promise<{
    readonly port: number
    readonly asked: Promise<void>
    readonly decide: (session: Session | null) => void
    readonly connections: () => number
    readonly close: () => Promise<void>
  }> {
    const verdict = Promise.withResolvers<Session | null>()
    const asked = Promise.withResolvers<void>()
    const gateway = createGateway({
      config: configOf([target]),
      guardOf: ({ policy }) =>
        createGuard({
          ...policy,
          handshake: {
            ...policy.handshake,
            session() {
              asked.resolve()
              return verdict.promise
            },
          },
        } as Parameters<typeof createGuard>[0]),
      log: { info() {}, warn() {}, error() {} },
    })
    await gateway.listen()
    return {
      port: gateway.ports.get('main')!,
      asked: asked.promise,
      decide: verdict.resolve,
      connections: () => [...gateway.connections()].length,
      close: closing(() => gateway.close(0)),
    }
  }
  const SESSION: Session = { id: 's1', user: 'u1' }

  for (const [way, send] of WAYS) {
    test(`refuses, ${way}`, async () => {
      const gateway = await awaiting('ws://127.0.0.1:9')
      const answer = answerTo(gateway.port, send, handshake())
      await gateway.asked
      gateway.decide(null)
      assert.match(await answer, /^HTTP\/1\.1 401 [^]*\{"code":"SALLY_SESSION_MISSING"\}$/)
      await gateway.close()
    })

    test(`passes, and bytes that came before the answer end it, ${way}`, async () => {
      const backend = await createRawBackend(() => undefined)
      const gateway = await awaiting(backend.target)
      const answer = answerTo(
        gateway.port,
        async (socket, request) => {
          await send(socket, request)
          await gateway.asked
          socket.write(Buffer.from([0x81, 0x80, 1, 2, 3, 4]))
          await turns()
          gateway.decide(SESSION)
        },
        handshake(),
      )
      assert.match(await answer, /^HTTP\/1\.1 400 [^]*\{"code":"SALLY_REQUEST_MALFORMED"\}$/)
      assert.equal(gateway.connections(), 0)
      await gateway.close()
      await backend.close()
    })

    test(`comes too late for a peer that reset: the next is served, ${way}`, async () => {
      const backend = await createBackend()
      const gateway = await awaiting(backend.target)
      const socket = connect(gateway.port, '127.0.0.1')
      await once(socket, 'connect')
      await send(socket, handshake())
      await gateway.asked
      socket.resetAndDestroy()
      await once(socket, 'close')
      gateway.decide(SESSION)
      const next = connect(gateway.port, '127.0.0.1')
      next.write(handshake())
      assert.match(String((await once(next, 'data'))[0]), /^HTTP\/1\.1 101 /)
      assert.equal(gateway.connections(), 1)
      next.destroy()
      await gateway.close()
      await backend.close()
    })
  }
})

test('what is refused is let go: a thousand refusals leave no connection at a listener that takes few', async () => {
  const backend = await createBackend()
  const one = { handshake: { connections: { total: 1, perIp: 1, perUser: 1 } } }
  const world = await createWorld(configOf([backend.target], [route(one)]))
  const [[, way]] = WAYS as readonly [readonly [string, Way]]
  for (let round = 0; round < 1100; round += 50) {
    const refused = Array.from({ length: 50 }, (_, index) =>
      answerTo(world.port, way, index % 2 === 0 ? from(null)[0]! : handshake('/admin')),
    )
    for (const text of await Promise.all(refused)) assert.match(text, /^HTTP\/1\.1 40[34] /)
  }
  await world.connect()
  assert.equal(world.gateway.refusals()[0]!.count, 550)
  assert.equal(world.gateway.refusals().length, 1)
  await world.close()
  await backend.close()
})
