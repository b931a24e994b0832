import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import { answering, createRawBackend } from '../support/backends.ts'
import { configOf, createWorld, route } from '../support/gateway-world.ts'
import { handshake } from '../support/handshake.ts'

/** What the backend does with its next connections. */
let answer: (socket: Socket) => void
const honest = answering(() => undefined)
const says =
  (text: string): typeof answer =>
  socket =>
    void socket.once('data', () => socket.end(text))
let reached: PromiseWithResolvers<Socket>
const silent: typeof answer = socket => reached.resolve(socket)

/** What becomes of a client's connection once it sent its handshake. */
type Then = (client: Socket) => unknown
const waits: Then = () => undefined
const whileAsked =
  (then: Then): Then =>
  async client => {
    await reached.promise
    then(client)
  }

const rows: readonly (readonly [name: string, sent: string, backend: typeof answer, then: Then])[] = [
  ['a foreign Origin', handshake('/ws', { Origin: 'http://evil.example' }), honest, waits],
  ['no session', handshake('/ws', { Cookie: 'other=1' }), honest, waits],
  ['a rule of the app', handshake('/ws', { Cookie: 'sid=unwelcome' }), honest, waits],
  ['a rule of the app that throws', handshake('/ws', { Cookie: 'sid=thrown' }), honest, waits],
  ['bytes behind the handshake', `${handshake()}\x81\x80\0\0\0\0`, honest, waits],
  ['a body that is announced', handshake('/ws', { 'Content-Length': '5' }), honest, waits],
  ['a backend that refuses', handshake(), says('HTTP/1.1 403 Forbidden\r\n\r\n'), waits],
  ['a backend that breaks off', handshake(), socket => socket.resetAndDestroy(), waits],
  ['a backend that speaks no HTTP', handshake(), says('no HTTP\r\n\r\n'), waits],
  [
    'a backend that agrees to another key',
    handshake(),
    says('HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAA\r\n\r\n'),
    waits,
  ],
  ['a backend that does not answer in time', handshake(), silent, waits],
  ['a reset while the backend is asked', handshake(), silent, whileAsked(client => client.resetAndDestroy())],
  ['an end while the backend is asked', handshake(), silent, whileAsked(client => client.end())],
  ['bytes while the backend is asked', handshake(), silent, whileAsked(client => client.write('early'))],
  ['a reset behind the handshake', handshake(), honest, client => client.resetAndDestroy()],
  ['an end behind the handshake', handshake(), honest, client => client.end()],
  [
    'a backend that breaks the protocol with its answer',
    handshake(),
    answering(socket => socket.write(Buffer.from([0xff, 0xff]))),
    client => void client.once('data', () => client.end()),
  ],
  [
    'a reset behind the answer',
    handshake(),
    honest,
    client => void client.once('data', () => client.resetAndDestroy()),
  ],
  [
    'a frame that is not masked',
    handshake(),
    honest,
    client => void client.once('data', () => client.write(Buffer.from([0x81, 1, 0x61]))),
  ],
]

describe('a handshake that comes to nothing gives its places back: where there is but one, the next has it', () => {
  const one = {
    connections: { total: 1, perIp: 1, perUser: 1 },
    authorize({ id }: { readonly id: string }) {
      if (id === 'thrown') throw new Error('a rule that fails')
      return id !== 'unwelcome'
    },
  }
  for (const [name, sent, does, then] of rows) {
    test(name, async () => {
      const backend = await createRawBackend(socket => answer(socket))
      const world = await createWorld(
        configOf([backend.target], [route({ handshake: one })], { connectTimeoutMs: 500, failures: 1_000 }),
      )
      reached = Promise.withResolvers()
      answer = does
      const client = connect(world.port, '127.0.0.1')
      client.on('error', () => undefined)
      client.resume()
      const closed = new Promise(resolve => client.on('close', resolve))
      await once(client, 'connect')
      client.write(Buffer.from(sent, 'latin1'))
      await then(client)
      await closed
      answer = honest
      // The client may know of its end before the gateway does; a place that is lost would be lost for a minute.
      let refused = 0
      while ((await world.connect().catch(() => null)) === null) assert.ok(++refused < 500, 'the place is lost')
      await world.close()
      await backend.close()
    })
  }
})
