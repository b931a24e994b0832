import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { describe, test } from 'node:test'
import { FIN, frameSize, OPCODE, writeFrame } from 'sallyport/wire'
import type { WebSocket } from 'ws'
import type { RouteConfig } from '../../src/model/config.ts'
import { answering, createRawBackend } from '../support/backends.ts'
import { closing, configOf, createWorld, type GatewayWorld, route } from '../support/gateway-world.ts'

function frame(first: number, payload: string | Buffer): Buffer {
  const bytes = Buffer.from(payload as string)
  const target = Buffer.alloc(frameSize(bytes.length))
  writeFrame(target, 0, first, bytes)
  return target
}
const text = (payload: string | Buffer): Buffer => frame(FIN | OPCODE.text, payload)
const binary = (payload: string): Buffer => frame(FIN | OPCODE.binary, payload)

interface Heard {
  readonly world: GatewayWorld
  readonly client: WebSocket
  readonly backend: Socket
  /** What the client got, once there is so much of it. */
  got(count: number): Promise<readonly string[]>
  close(): Promise<void>
}

/** A client, and the bare socket of its backend. */
async function open(one: RouteConfig = route(), perMessageDeflate = false): Promise<Heard> {
  const raw = await createRawBackend(answering(() => undefined))
  const world = await createWorld(configOf([raw.target], [one]))
  const heard: string[] = []
  const client = await world.connect({ perMessageDeflate, onMessage: message => heard.push(message) })
  return {
    world,
    client,
    backend: raw.sockets[0]!,
    async got(count) {
      while (heard.length < count) await once(client, 'message')
      return heard
    },
    async close() {
      await world.close()
      await raw.close()
    },
  }
}

describe('what a backend sends in one piece reaches the client whole, in order and once', () => {
  const long = 'é'.repeat(40_000)
  const rows: readonly [name: string, bytes: readonly Buffer[], expected: readonly string[]][] = [
    ['texts and binaries', [text('a'), binary('b'), text('é'), text(''), binary('')], ['a', 'b', 'é', '', '']],
    ['a ping between', [text('a'), frame(FIN | OPCODE.ping, 'p'), text('b')], ['a', 'b']],
    [
      'a message in fragments between',
      [text('a'), frame(OPCODE.text, 'b'), frame(FIN, 'c'), text('d')],
      ['a', 'bc', 'd'],
    ],
    [
      'bytes in fragments between',
      [binary('a'), frame(OPCODE.binary, 'b'), frame(FIN, 'c'), binary('d')],
      ['a', 'bc', 'd'],
    ],
    ['more than leaves at once', Array.from({ length: 9 }, () => text(long)), Array<string>(9).fill(long)],
    ['one of 64-bit length between', [text('a'), text('x'.repeat(70_000)), text('b')], ['a', 'x'.repeat(70_000), 'b']],
  ]
  for (const [name, bytes, expected] of rows) {
    test(name, async () => {
      const { world, backend, got, close } = await open()
      backend.write(Buffer.concat(bytes))
      assert.deepEqual(await got(expected.length), expected)
      const [guard] = world.gateway.guards.values()
      const { messagesOut, bytesOut } = guard!.counters()
      assert.equal(messagesOut, expected.length, 'each is counted')
      assert.equal(
        bytesOut,
        expected.reduce((sum, message) => sum + Buffer.byteLength(message), 0),
      )
      await close()
    })
  }

  test('cut anywhere', async () => {
    const { backend, got, close } = await open()
    backend.setNoDelay(true)
    const bytes = Buffer.concat(['a', 'é', 'x'.repeat(130)].map(text))
    for (const byte of bytes) {
      backend.write(Buffer.of(byte))
      await new Promise(resolve => setImmediate(resolve))
    }
    assert.deepEqual(await got(3), ['a', 'é', 'x'.repeat(130)])
    await close()
  })

  test('for a client that agreed to compression', async () => {
    const deflate = route({ handshake: { extensions: { deflate: true } } })
    const { client, backend, got, close } = await open(deflate, true)
    assert.match(client.extensions, /permessage-deflate/)
    const message = 'again '.repeat(1000)
    const before = (client as unknown as { readonly _socket: Socket })._socket.bytesRead
    backend.write(Buffer.concat([text(message), text('b')]))
    assert.deepEqual(await got(2), [message, 'b'])
    const { bytesRead } = (client as unknown as { readonly _socket: Socket })._socket
    assert.ok(bytesRead - before < 1000, `${bytesRead - before} bytes came: it was not compressed`)
    await close()
  })
})

describe('what hides among good frames of a backend', () => {
  const rows: readonly [name: string, bytes: Buffer][] = [
    ['text that is not UTF-8', text(Buffer.from('ff', 'hex'))],
    ['a surrogate as three bytes', text(Buffer.from('eda080', 'hex'))],
    ['a masked frame', Buffer.from('818100000000' + '61', 'hex')],
    ['a compressed frame that nobody agreed to', Buffer.from('c10161', 'hex')],
    ['a length in too long a form', Buffer.from('817e000161', 'hex')],
    ['a message over the bound', text('x'.repeat(101))],
  ]
  for (const [name, bytes] of rows) {
    test(`${name}: 1011, and neither it nor what is behind it reaches the client`, async () => {
      const { client, backend, got, close } = await open(route({ relay: { messageBytes: 100 } }))
      const ended = closing(client)
      backend.write(Buffer.concat([text('a'), text('x'.repeat(100)), bytes, text('behind')]))
      assert.equal((await ended)[0], 1011)
      assert.deepEqual(await got(2), ['a', 'x'.repeat(100)])
      await close()
    })
  }

  test('what message/outbound does not declare', async () => {
    const outbound = { row: { type: 'object', properties: { type: { const: 'row' } }, required: ['type'] } }
    const { backend, got, close } = await open(route({ message: { outbound, schema: { chat: outbound.row } } }))
    const row = '{"type":"row"}'
    backend.write(Buffer.concat([text(row), text('{"type":"debug"}'), binary('b'), text(row)]))
    assert.deepEqual(await got(2), [row, row])
    await close()
  })
})
