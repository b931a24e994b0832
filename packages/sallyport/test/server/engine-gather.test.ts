import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { describe, mock, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { FIN, OPCODE } from '../../src/wire/index.ts'
import { echo, type EngineServer, frame, open, type RawClient, startEngine, text } from './engine-server.ts'

/** A way to the server that can be shut for a while: what gathers before it arrives by one write of the kernel's. */
class Gate extends Duplex {
  readonly #socket: Socket
  #held: Buffer[] | null = null
  #ended = false

  constructor(port: number) {
    super()
    this.#socket = connect(port, '127.0.0.1')
      .on('data', chunk => this.push(chunk))
      .on('close', () => this.destroy())
      .on('error', () => undefined)
  }

  hold(): void {
    this.#held = []
  }

  release(): void {
    const bytes = Buffer.concat(this.#held ?? [])
    this.#held = null
    if (this.#ended) this.#socket.end(bytes)
    else this.#socket.write(bytes)
  }

  override _read(): void {
    // It comes by itself.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.#held === null) this.#socket.write(chunk)
    else this.#held.push(chunk)
    done()
  }

  override _final(done: () => void): void {
    if (this.#held === null) this.#socket.end()
    else this.#ended = true
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy()
    done(error)
  }
}

interface Gated {
  readonly client: RawClient
  /** Sends each frame as a record of its own; all arrive at once, with the end of the stream behind them if told. */
  atOnce(frames: readonly Buffer[], end?: boolean): Promise<void>
}

async function gated(engine: EngineServer, behind: readonly Buffer[] = []): Promise<Gated> {
  const gate = new Gate(engine.port)
  const socket = connectTls({ socket: gate, rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  gate.hold()
  const opening = open({ dial: () => socket })
  for (const one of behind) socket.write(one)
  gate.release()
  const client = await opening
  return {
    client,
    async atOnce(frames, end = false) {
      gate.hold()
      for (const one of frames) await new Promise(written => socket.write(one, written))
      if (end) await new Promise<void>(ended => socket.end(ended))
      gate.release()
    },
  }
}

const names = Array.from({ length: 16 }, (_, index) => `message ${index}`)
const echoes = names.map(name => `text ${name}`)

describe('over TLS', () => {
  test('records that arrive at once are answered in order, by few writes', async t => {
    const engine = await startEngine(t, { tls: true })
    const { client, atOnce } = await gated(engine)
    const write = mock.method(engine.sockets[0]!, 'write')
    await atOnce(names.map(text))
    assert.deepEqual(await client.hears(16), echoes)
    assert.ok(write.mock.callCount() <= 2, `${write.mock.callCount()} writes`)
    client.socket.destroy()
  })

  test('what is longer than may be gathered stays between its neighbours', async t => {
    const engine = await startEngine(t, { tls: true })
    const { client, atOnce } = await gated(engine)
    const long = 'é'.repeat(40_000)
    await atOnce([text('a'), text(long), text('b'), text('c'.repeat(60_000)), text('d')])
    assert.deepEqual(await client.hears(5), [
      'text a',
      `text ${long}`,
      'text b',
      `text ${'c'.repeat(60_000)}`,
      'text d',
    ])
    client.socket.destroy()
  })

  test('an answer stays between those of other connections', async t => {
    const engine = await startEngine(t, {
      tls: true,
      message(subject) {
        for (const connection of engine.connections) connection.send(subject.text ?? '')
      },
    })
    const [first, second] = [await gated(engine), await gated(engine)]
    await Promise.all([first.atOnce(names.map(text)), second.atOnce(names.map(text))])
    for (const { client } of [first, second]) {
      const heard = await client.hears(32)
      for (const name of names) assert.equal(heard.filter(line => line === `text ${name}`).length, 2)
      client.socket.destroy()
    }
  })

  test('what was answered before a close by the app arrives before it', async t => {
    const engine = await startEngine(t, {
      tls: true,
      message(subject, connection) {
        connection.send(subject.text ?? '')
        if (subject.text === 'message 7') connection.close(4000, 'enough')
      },
    })
    const { client, atOnce } = await gated(engine)
    await atOnce(names.map(text))
    assert.deepEqual(await client.hears(9), [...echoes.slice(0, 8), 'close 4000 enough'])
    client.socket.destroy()
  })

  test('what was answered before the close of the peer arrives before its answer', async t => {
    const engine = await startEngine(t, { tls: true })
    const { client, atOnce } = await gated(engine)
    await atOnce([...names.map(text), frame(FIN | OPCODE.close, Buffer.from([0x03, 0xe8]))])
    assert.deepEqual(await client.closes(), [...echoes, 'close 1000'])
  })

  test('what was answered before a breach of the protocol arrives before the code', async t => {
    const engine = await startEngine(t, { tls: true })
    const { client, atOnce } = await gated(engine)
    await atOnce([text('a'), Buffer.from([0x81, 0x01, 0x61])])
    assert.deepEqual((await client.hears(2))[0], 'text a')
    assert.match(client.heard[1] ?? '', /^close 1002/)
    client.socket.destroy()
  })

  test('what was answered before the end of the stream arrives', async t => {
    const engine = await startEngine(t, { tls: true })
    const { client, atOnce } = await gated(engine)
    await atOnce(names.map(text), true)
    assert.deepEqual(await client.closes(), echoes)
    assert.deepEqual(await engine.ends(), [1006])
  })

  test('what arrives while a verdict is awaited waits for it, whole and in order', async t => {
    const judged = (): Promise<boolean> => new Promise(resolve => setImmediate(resolve, true))
    const engine = await startEngine(t, { tls: true, policy: { message: { authorize: judged } } })
    const { client, atOnce } = await gated(engine)
    await atOnce(names.map(text))
    assert.deepEqual(await client.hears(16), echoes)
    client.socket.destroy()
  })

  test('a socket that the app cut takes nothing with it', async t => {
    const engine = await startEngine(t, {
      tls: true,
      message(subject, connection) {
        echo(subject, connection)
        if (subject.text === 'message 3') connection.terminate()
      },
    })
    const first = await gated(engine)
    const second = await gated(engine)
    await first.atOnce(names.map(text))
    await first.client.closes()
    await second.atOnce([text('a'), text('b')])
    assert.deepEqual(await second.client.hears(2), ['text a', 'text b'])
    second.client.socket.destroy()
  })

  for (const firstBytes of [true, false]) {
    test(`messages that came with the handshake stay in order, ${firstBytes ? 'with' : 'without'} the first-bytes reader`, async t => {
      const asked = Promise.withResolvers<void>()
      const verdict = Promise.withResolvers<boolean>()
      const authorize = (): Promise<boolean> => {
        asked.resolve()
        return verdict.promise
      }
      const engine = await startEngine(t, { firstBytes, tls: true, policy: { handshake: { authorize } } })
      const opening = gated(engine, [text('first'), text('second')])
      await asked.promise
      verdict.resolve(true)
      const { client, atOnce } = await opening
      await atOnce(names.map(text))
      assert.deepEqual(await client.hears(18), ['text first', 'text second', ...echoes])
      client.socket.destroy()
    })
  }
})
