import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import { type ServerOptions, WebSocketServer } from 'ws'
import { FIN, OPCODE } from '../../src/wire/index.ts'
import { createHost } from '../adapters/ws-host.ts'
import { frame, HANDSHAKE, open, type RawClient, startEngine } from '../server/engine-server.ts'

// The default bounds: a ping each 30 s, 10 s for its pong; 5000 bytes in each 10 s of a frame; of 64 KiB 131.072 s.
const POLICY: object = { message: { size: { bytes: '64 KiB' }, rate: { dangerouslyOff: true } } }
const LONGEST_MS = 10_000 + 131_072

interface Scene {
  readonly client: RawClient
  /** Writes, and waits until the server has read it. */
  write(bytes: Buffer): Promise<void>
  /** Lets the clock run. */
  pass(ms: number): void
  /** Whether the server has cut it. */
  isCut(): boolean
  /** The details of the denials told. */
  denials(): string[]
}

function sceneOf(t: TestContext, client: RawClient, socket: Socket, denials: () => string[]): Scene {
  return {
    client,
    denials,
    isCut: () => socket.destroyed,
    async write(bytes) {
      const before = socket.bytesRead
      client.socket.write(bytes)
      while (socket.bytesRead < before + bytes.length && !socket.destroyed) await new Promise(setImmediate)
    },
    pass(ms) {
      for (let passed = 0; passed < ms; passed += 100) t.mock.timers.tick(Math.min(100, ms - passed))
    },
  }
}

const clock = (t: TestContext): void => t.mock.timers.enable({ apis: ['setInterval', 'setTimeout', 'Date'] })

async function onEngine(t: TestContext, tls = false): Promise<Scene> {
  clock(t)
  const engine = await startEngine(t, { tls, policy: POLICY })
  const client = await open(engine)
  return sceneOf(t, client, engine.sockets[0]!, () => engine.codes.filter(code => code.startsWith('SALLY_')))
}

async function onWs(t: TestContext): Promise<Scene> {
  clock(t)
  const host = await createHost(POLICY)
  const sockets: Socket[] = []
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    return host.close()
  })
  host.server.on('connection', (socket: Socket) => sockets.push(socket))
  new WebSocketServer({ server: host.server, ...host.guard.ws() } as ServerOptions).on('connection', socket =>
    socket.on('message', (data: unknown) => socket.send(String(data))),
  )
  const handshake = HANDSHAKE.replace('app.test', `localhost:${host.port}`).replace('https://app.test', host.origin)
  const client = await open({ dial: () => connect(host.port, 'localhost') }, handshake)
  const codes = (): string[] => host.events.flatMap(({ kind, code }) => (kind === 'denial' ? [String(code)] : []))
  return sceneOf(t, client, sockets[0]!, codes)
}

/** A text message of JSON, as the frame of a client. */
const message = (bytes: number, first: number = FIN | OPCODE.text): Buffer =>
  frame(first, Buffer.from(`{"x":"${'x'.repeat(bytes - 8)}"}`))

const ways: readonly (readonly [name: string, scene: (t: TestContext) => Promise<Scene>])[] = [
  ['the engine', onEngine],
  ['the engine over TLS', t => onEngine(t, true)],
  ['ws', onWs],
]
for (const [name, scene] of ways) {
  describe(`one large frame that comes slowly, to ${name}`, () => {
    test('it is waited for, and so is the pong behind it', async t => {
      const { client, write, pass, isCut, denials } = await scene(t)
      const whole = Buffer.concat([message(60_000), frame(FIN | OPCODE.pong, new Uint8Array(0))])
      for (let at = 0; at < whole.length; at += 5200) {
        await write(whole.subarray(at, at + 5200))
        if (at === 0) pass(30_000)
        pass(10_000)
        assert.equal(isCut(), false, `${at} bytes`)
      }
      const heard = await client.hears(2)
      assert.deepEqual(
        heard.slice(0, 2).map(line => line.slice(0, 5)),
        ['ping ', 'text '],
      )
      assert.deepEqual(denials(), [])
    })

    test('a byte now and then is no such frame: cut at the first look after the time-out', async t => {
      const { write, pass, isCut, denials } = await scene(t)
      const whole = message(60_000)
      await write(whole.subarray(0, 20_000))
      pass(30_000)
      pass(10_000)
      await write(whole.subarray(20_000, 20_001))
      pass(9900)
      assert.equal(isCut(), false, denials().join())
      pass(100)
      assert.deepEqual([isCut(), denials()], [true, ['SALLY_HEARTBEAT_LOST']])
    })

    test('between frames, and between the fragments of a message, a pong could come: cut at the time-out', async t => {
      const { write, pass, isCut } = await scene(t)
      await write(message(100))
      await write(message(20_000, OPCODE.text))
      pass(30_000)
      await write(message(20_000, OPCODE.continuation))
      pass(9900)
      assert.equal(isCut(), false)
      pass(100)
      assert.equal(isCut(), true)
    })
  })
}

describe('at the bounds', () => {
  for (const [bytes, lives] of [
    [4999, false],
    [5000, true],
  ] as const) {
    test(`${bytes} bytes in a time-out of 10 s: ${lives ? 'waited for' : 'cut'}`, async t => {
      const { write, pass, isCut } = await onEngine(t)
      const whole = message(60_000)
      await write(whole.subarray(0, 100))
      pass(40_000)
      await write(whole.subarray(100, 100 + bytes))
      pass(10_000)
      assert.equal(isCut(), !lives)
    })
  }

  test('frame after frame and never a pong: cut when the greatest message would have come', async t => {
    const { write, pass, isCut, denials } = await onEngine(t)
    const whole = message(6000)
    await write(whole.subarray(0, 3000))
    pass(30_000)
    for (let passed = 0; passed < LONGEST_MS - 10_000; passed += 10_000) {
      await write(whole.subarray(3000))
      await write(whole.subarray(0, 3000))
      pass(10_000)
      assert.equal(isCut(), false, `${passed}`)
    }
    await write(whole.subarray(3000))
    await write(whole.subarray(0, 3000))
    pass(1000)
    assert.equal(isCut(), false)
    pass(100)
    assert.deepEqual([isCut(), denials()], [true, ['SALLY_HEARTBEAT_LOST']])
  })
})
