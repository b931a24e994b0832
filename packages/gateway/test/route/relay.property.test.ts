import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { Decoder, FIN, frameSize, OPCODE, writeMaskedFrame, type WireSink } from 'sallyport/wire'
import { fc } from '../../../../test/support/fast-check.ts'
import { createBackend } from '../support/backends.ts'
import { configOf, createWorld, ORIGIN, route } from '../support/gateway-world.ts'

const LIMITS = { frameBytes: 1 << 20, messageBytes: 1 << 20, fragments: 1000 }

/** A bare client that keeps the texts it gets. */
class RawClient implements WireSink {
  readonly texts: string[] = []
  readonly socket: Socket
  readonly #decoder = new Decoder({ peer: 'server', limits: LIMITS }, this)
  #wake: () => void = () => undefined

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', chunk => this.#decoder.push(chunk as Buffer))
  }

  async until(count: number): Promise<void> {
    while (this.texts.length < count) await new Promise<void>(resolve => (this.#wake = resolve))
  }

  text(bytes: Buffer, start: number, end: number): void {
    this.texts.push(bytes.toString('utf8', start, end))
    this.#wake()
  }
  binary(): void {
    assert.fail('no binary message was sent')
  }
  pinged(): void {}
  ponged(): void {}
  closing(code: number, reason: string): void {
    assert.fail(`closed with ${code} ${reason}`)
  }
  fault(): void {
    assert.fail('the gateway broke the protocol')
  }
}

async function open(port: number): Promise<RawClient> {
  const socket = connect(port, '127.0.0.1')
  socket.setNoDelay(true)
  socket.write(
    `GET /ws HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nOrigin: ${ORIGIN}\r\nCookie: sid=s1\r\n\r\n`,
  )
  await new Promise<void>(resolve => {
    socket.once('data', chunk => {
      assert.match(chunk.toString('latin1'), /^HTTP\/1.1 101/)
      resolve()
    })
  })
  return new RawClient(socket)
}

/** JSON.stringify writes integers beyond 2^53 out, up to 10^21; those are refused. */
const isWritable = (n: number): boolean => !Number.isInteger(n) || Number.isSafeInteger(n) || Math.abs(n) >= 1e21

function frames(text: string, cuts: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text)
  const ends = [...new Set(cuts.map(cut => cut % (bytes.length + 1)))].toSorted((one, other) => one - other)
  const parts = [0, ...ends].map((start, index) => bytes.subarray(start, ends[index] ?? bytes.length))
  return parts.map((part, index) => {
    const frame = Buffer.alloc(frameSize(part.length) + 4)
    const first = (index === 0 ? OPCODE.text : OPCODE.continuation) | (index === parts.length - 1 ? FIN : 0)
    writeMaskedFrame(frame, 0, first, part)
    return frame
  })
}

test('any messages, in any fragments and any packets, of many clients at once: each arrives byte for byte, in order, once', async () => {
  const backend = await createBackend()
  const world = await createWorld(configOf([backend.target], [route({ relay: { bufferBytes: 8192 } })]))
  const message = fc.record({
    message: fc.string({ unit: 'grapheme', maxLength: 300 }),
    n: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }).filter(isWritable), { nil: undefined }),
  })
  const sending = fc.array(fc.tuple(message, fc.array(fc.nat(), { maxLength: 4 })), { minLength: 1, maxLength: 30 })
  await fc.assert(
    fc.asyncProperty(
      fc.array(sending, { minLength: 1, maxLength: 4 }),
      fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 20 }),
      async (all, sizes) => {
        const clients = await Promise.all(all.map(() => open(world.port)))
        const results = clients.map(async (client, index) => {
          const sent = all[index]!.map(([{ message: text, n }]) => JSON.stringify({ type: 'chat', message: text, n }))
          const bytes = Buffer.concat(sent.flatMap((text, at) => frames(text, all[index]![at]![1])))
          for (let at = 0, turn = 0; at < bytes.length; turn++) {
            const size = sizes[turn % sizes.length]!
            client.socket.write(bytes.subarray(at, at + size))
            at += size
            if (turn % 3 === 0) await new Promise(resolve => setImmediate(resolve))
          }
          await client.until(sent.length)
          assert.deepEqual(client.texts, sent)
          client.socket.destroy()
        })
        await Promise.all(results)
      },
    ),
    { numRuns: 40 },
  )
  await world.close()
  await backend.close()
})
