import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import type { Inlet } from '../../src/connection/transport.ts'
import { refuseSocket } from '../../src/node/refuse-socket.ts'
import { EngineSocket } from '../../src/server/engine-socket.ts'
import {
  closePayload,
  Decoder,
  type EndpointDeflate,
  FIN,
  inflateMessage,
  OPCODE,
  RSV1,
  textOf,
  writeFrame,
} from '../../src/wire/index.ts'
import { frame, text } from './engine-server.ts'

const UNBOUNDED = { frameBytes: Infinity, messageBytes: 1 << 20, fragments: 64 }
interface Context {
  after(hook: () => void): void
}
interface Pair {
  readonly engine: EngineSocket
  readonly server: Socket
  readonly client: Socket
  /** What the guard's side was told. */
  readonly told: string[]
  /** What the client heard; resolves once there are so many lines. */
  hears(count: number): Promise<string[]>
}

async function sockets(context: Context): Promise<readonly [server: Socket, client: Socket]> {
  const listener = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const client = connect((listener.address() as AddressInfo).port, '127.0.0.1')
  const [server] = (await once(listener, 'connection')) as [Socket]
  context.after(() => {
    client.destroy()
    server.destroy()
    listener.close()
  })
  return [server, client]
}

async function pair(context: Context, deflate: EndpointDeflate | null = null): Promise<Pair> {
  const [server, client] = await sockets(context)
  const told: string[] = []
  const heard: string[] = []
  let wake = (): void => undefined
  const tell = (line: string): void => {
    heard.push(line)
    wake()
  }
  const decoder = new Decoder(
    { peer: 'server', limits: UNBOUNDED, inflate: inflateMessage },
    {
      text: (bytes, start, end, ascii) => tell(`text ${textOf(bytes, start, end, ascii)}`),
      binary: (bytes, start, end) => tell(`binary ${end - start}`),
      pinged: () => tell('ping'),
      ponged: () => tell('pong'),
      closing: code => tell(`close ${code}`),
      fault: fault => tell(fault.code),
    },
  )
  client.on('data', (chunk: Buffer) => void decoder.push(chunk))
  const inlet: Inlet = {
    text: () => assert.fail('the engine hands over bytes'),
    utf8: (bytes, start, end, ascii) => void told.push(`text ${textOf(bytes, start, end, ascii)} of ${end - start}`),
    binary: bytes => void told.push(`binary ${bytes.length}`),
    pinged: () => void told.push('ping'),
    ponged: () => void told.push('pong'),
    violation: code => void told.push(`violation ${code}`),
    closed: code => void told.push(`closed ${code}`),
  }
  const engine = new EngineSocket(server, UNBOUNDED, deflate)
  engine.start(inlet, Buffer.alloc(0))
  return {
    engine,
    server,
    client,
    told,
    async hears(count) {
      while (heard.length < count) await new Promise<void>(resolve => (wake = resolve))
      return heard
    },
  }
}

describe('what is sent', () => {
  for (const [name, deflate] of [
    ['as it is', null],
    ['compressed from the threshold on', { threshold: 10, windowBits: 12 }],
  ] as const) {
    test(name, async t => {
      const { engine, hears } = await pair(t, deflate)
      engine.sendText('123456789')
      engine.sendText('1234567890')
      engine.sendBinary(Buffer.alloc(9))
      engine.sendBinary(Buffer.alloc(10))
      engine.sendUtf8(Buffer.from('<é>'), 1, 3)
      engine.sendUtf8(Buffer.from('é'.repeat(50)), 0, 100)
      engine.ping()
      assert.deepEqual(await hears(7), [
        'text 123456789',
        'text 1234567890',
        'binary 9',
        'binary 10',
        'text é',
        `text ${'é'.repeat(50)}`,
        'ping',
      ])
    })
  }

  test('frames as they lie, more of them than leave at once', async t => {
    const { engine, hears } = await pair(t)
    const payload = Buffer.alloc(60_000, 'x')
    const frames = Buffer.alloc(60_004 * 4 + 2)
    let end = 1
    for (let count = 0; count < 4; count++) end = writeFrame(frames, end, FIN | OPCODE.text, payload)
    engine.sendFrames(frames, 1, end)
    engine.sendText('behind')
    assert.deepEqual(await hears(5), [...Array<string>(4).fill(`text ${payload.toString()}`), 'text behind'])
  })

  test('nothing, once it is closing', async t => {
    const { engine, server, client, hears, told } = await pair(t)
    const everything = (): void => {
      engine.sendText('late')
      engine.sendText('late'.repeat(100_000))
      engine.sendBinary(Buffer.alloc(1))
      engine.sendUtf8(Buffer.alloc(1), 0, 1)
      engine.sendFrames(text('late'), 0, 6)
      engine.ping()
      engine.close(1000, 'again')
    }
    engine.close(4000, '')
    everything()
    assert.deepEqual(await hears(1), ['close 4000'])
    client.write(frame(FIN | OPCODE.close, closePayload(4000, '')))
    while (!server.destroyed) await new Promise(setImmediate)
    everything()
    engine.terminate()
    while (told.length < 1) await new Promise(setImmediate)
    everything()
    engine.terminate()
    engine.pause()
    engine.resume()
    assert.deepEqual(told, ['closed 4000'])
    assert.deepEqual(await hears(1), ['close 4000'])
  })
})

describe('what is read', () => {
  test('the bytes behind the handshake come first', async t => {
    const [server] = await sockets(t)
    const engine = new EngineSocket(server, UNBOUNDED, null)
    const told: string[] = []
    const note = (line: string) => (): void => void told.push(line)
    const inlet = { text: note('t'), binary: note('b'), pinged: note('p'), ponged: note('q') }
    const ends = { violation: note('v'), closed: note('c') }
    const utf8: Inlet['utf8'] = (bytes, ...range) => void told.push(textOf(bytes, ...range))
    engine.start({ ...inlet, ...ends, utf8 }, text('first'))
    assert.deepEqual(told, ['first'])
  })

  test('what the socket still delivers while paused is kept, in order', async t => {
    const { engine, client, told } = await pair(t)
    engine.pause()
    for (const part of [text('a').subarray(0, 3), text('').subarray(0, 0)]) assert.ok(part.length < 4)
    const whole = Buffer.concat([text('a'), text('b'), text('c')])
    assert.equal(engine.read(whole, 0, 5, true), false)
    assert.equal(engine.read(Buffer.from(whole), 5, 16, false), false)
    assert.equal(engine.read(Buffer.from(whole), 16, whole.length, false), false)
    assert.deepEqual(told, [])
    engine.resume()
    engine.resume()
    client.write(text('d'))
    while (told.length < 4) await new Promise(setImmediate)
    assert.deepEqual(told, ['text a of 1', 'text b of 1', 'text c of 1', 'text d of 1'])
  })

  test('a reset is 1006, though nobody but the engine listens for errors', async t => {
    const { server, client, told } = await pair(t)
    client.resetAndDestroy()
    while (told.length < 1) await new Promise(setImmediate)
    assert.deepEqual(told, ['closed 1006'])
    assert.equal(server.errored !== null, true)
  })

  test('a guard that throws loses the connection, and no other waits for its turn to end', async t => {
    const other = await pair(t)
    const [server] = await sockets(t)
    const engine = new EngineSocket(server, UNBOUNDED, null)
    const fail = (): void => {
      throw new RangeError('as no guard does')
    }
    const note = (): void => undefined
    engine.start(
      { text: fail, utf8: fail, binary: note, pinged: note, ponged: note, violation: note, closed: note },
      Buffer.alloc(0),
    )
    const message = text('a')
    assert.throws(() => engine.read(message, 0, message.length, true), RangeError)
    assert.equal(server.destroyed, true)
    other.engine.sendText('b')
    assert.deepEqual(await other.hears(1), ['text b'])
  })

  test('the greatest message is set while it runs', async t => {
    const { engine, client, told, hears } = await pair(t)
    engine.limit(3)
    client.write(Buffer.concat([text('abc'), text('abcd')]))
    assert.deepEqual(await hears(1), ['close 1009'])
    assert.deepEqual(told, ['text abc of 3', 'violation 1009'])
  })

  test('a close frame for a peer that does not read is cut off with it', async t => {
    const { engine, server, client } = await pair(t)
    client.pause()
    while (server.writableLength < 1 << 20) engine.sendBinary(Buffer.alloc(1 << 18))
    t.mock.timers.enable({ apis: ['setTimeout'] })
    client.write(frame(FIN | OPCODE.close, closePayload(1000, '')))
    while (server.writable) await new Promise(setImmediate)
    assert.equal(server.destroyed, false)
    t.mock.timers.tick(5000)
    assert.equal(server.destroyed, true)
  })
})

describe('a refusal', () => {
  const refusal = { status: 403, headers: { Connection: 'close' }, body: '{}' }

  test('is written and the socket destroyed', async t => {
    const [server, client] = await sockets(t)
    refuseSocket(server, refusal)
    assert.equal(server.destroyed, true)
    assert.match(String((await once(client, 'data'))[0]), /^HTTP\/1\.1 403 Forbidden\r\n/)
  })

  test('waits for what is written before it', async t => {
    const [server, client] = await sockets(t)
    client.pause()
    while (server.writableLength === 0) server.write(Buffer.alloc(1 << 20))
    refuseSocket(server, refusal)
    assert.equal(server.destroyed, false)
    client.resume()
    await once(client, 'end')
    client.end()
    while (!server.destroyed) await new Promise(setImmediate)
  })

  test('attack: who fills the network before it, and reads nothing, is cut: it held the connection for ever', async t => {
    const [server, client] = await sockets(t)
    client.pause()
    while (server.writableLength === 0) server.write(Buffer.alloc(1 << 20))
    refuseSocket(server, refusal)
    assert.deepEqual([server.destroyed, server.timeout], [false, 5000])
    // The same, sooner.
    server.setTimeout(10)
    await once(server, 'close')
    assert.equal(client.destroyed, false)
  })

  test('to a peer that resets ends no process', async t => {
    const [server, client] = await sockets(t)
    client.pause()
    while (server.writableLength === 0) server.write(Buffer.alloc(1 << 20))
    refuseSocket(server, refusal)
    client.resetAndDestroy()
    await new Promise(resolve => server.on('close', resolve))
    assert.notEqual(server.errored, null)
  })

  test('is nothing for a socket that is gone', async t => {
    const [server] = await sockets(t)
    server.destroy()
    refuseSocket(server, refusal)
    assert.equal(server.destroyed, true)
  })
})

describe('connections that share a decoder', () => {
  const feed = ({ engine }: Pair, bytes: Buffer, from = 0, end = bytes.length): boolean =>
    engine.read(bytes, from, end, true)

  const streams: readonly (readonly [name: string, bytes: () => Buffer, told: readonly string[]])[] = [
    ['messages', () => Buffer.concat([text('aa'), text('bbb')]), ['text aa of 2', 'text bbb of 3']],
    [
      'fragments with a ping between them',
      () =>
        Buffer.concat([
          frame(OPCODE.text, Buffer.from('a')),
          frame(FIN | OPCODE.ping, Buffer.alloc(0)),
          frame(OPCODE.continuation, Buffer.alloc(0)),
          frame(FIN | OPCODE.continuation, Buffer.from('é')),
        ]),
      ['ping', 'text aé of 3'],
    ],
    ['a long header', () => frame(FIN | OPCODE.binary, Buffer.alloc(70_000)), ['binary 70000']],
  ]
  for (const [name, bytes, told] of streams) {
    test(`${name}: cut anywhere, with another connection's message in the cut, both are read whole`, async t => {
      const [one, other] = [await pair(t), await pair(t)]
      const { length } = bytes()
      const cuts = length < 100 ? Array.from({ length: length - 1 }, (_, nth) => nth + 1) : [1, 3, 9, 13, 14, 69_000]
      for (const cut of cuts) {
        const [mine, its] = [bytes(), text('other')]
        one.told.length = 0
        other.told.length = 0
        feed(one, mine, 0, cut)
        feed(other, its, 0, 3)
        feed(one, mine, cut, length)
        feed(other, its, 3)
        assert.deepEqual(one.told, told, `cut at ${cut}`)
        assert.deepEqual(other.told, ['text other of 5'])
      }
    })
  }

  test('compression of one is no compression of the next', async t => {
    const [deflating, plain] = [await pair(t, { threshold: 10, windowBits: 12 }), await pair(t)]
    feed(deflating, text('first'))
    feed(plain, frame(FIN | RSV1 | OPCODE.text, Buffer.from('a')))
    assert.deepEqual(plain.told, ['violation 1002'])
    assert.deepEqual(deflating.told, ['text first of 5'])
  })

  for (const [bytes, expected] of [
    [9, 'text 123456789 of 9'],
    [10, 'text 1234567890 of 10'],
    [11, 'violation 1009'],
  ] as const) {
    test(`the bound of 10 bytes of one holds though another may send more: ${bytes}`, async t => {
      const [small, large] = [await pair(t), await pair(t)]
      small.engine.limit(10)
      feed(large, text('x'.repeat(1000)))
      feed(small, text('12345678901'.slice(0, bytes)))
      assert.deepEqual(small.told, [expected])
    })
  }

  test('a peer that broke the protocol stays broken, and breaks no other', async t => {
    const [broken, whole] = [await pair(t), await pair(t)]
    feed(broken, Buffer.from('8f00', 'hex'))
    feed(whole, text('a'))
    feed(broken, text('more'))
    assert.deepEqual(broken.told, ['violation 1002'])
    assert.deepEqual(whole.told, ['text a of 1'])
  })

  test('one that is paused between two messages gets nothing, and all of it once it resumes', async t => {
    const [paused, other] = [await pair(t), await pair(t)]
    feed(paused, text('a'))
    paused.engine.pause()
    assert.equal(feed(paused, text('b')), false)
    feed(other, text('c'))
    assert.equal(feed(paused, text('d')), false)
    assert.deepEqual(paused.told, ['text a of 1'])
    paused.engine.resume()
    await new Promise(setImmediate)
    assert.deepEqual(paused.told, ['text a of 1', 'text b of 1', 'text d of 1'])
    assert.deepEqual(other.told, ['text c of 1'])
  })
})
