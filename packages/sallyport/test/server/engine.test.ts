import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { WebSocket } from 'ws'
import { FIN, OPCODE } from '../../src/wire/index.ts'
import { randomCuts, randomStream, seeded } from '../wire/random-stream.ts'
import { close, countWrites, type EngineServer, frame, open, ping, startEngine, text } from './engine-server.ts'

for (const tls of [false, true]) {
  describe(tls ? 'over TLS' : 'over TCP', () => {
    let engine: EngineServer
    before(async () => {
      engine = await startEngine(null, { tls })
    })
    after(() => engine.close())

    test('answers the handshake of RFC 6455 §1.3', async () => {
      const client = await open(engine)
      assert.equal(
        client.answer,
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
          'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n',
      )
      client.socket.destroy()
    })

    test('echoes text and binary, of every header size and beyond the write buffer', async () => {
      const client = await open(engine)
      const lengths = [0, 1, 125, 126, 65535, 65536, 200_000]
      for (const length of lengths) {
        client.send('é'.repeat(length >> 1), frame(FIN | OPCODE.binary, Buffer.alloc(length, 7)))
      }
      const expected = lengths.flatMap(length => [`text ${'é'.repeat(length >> 1)}`, `binary ${'07'.repeat(length)}`])
      assert.deepEqual(await client.hears(expected.length), expected)
      client.socket.destroy()
    })

    test('the ws client agrees, and closes cleanly', async () => {
      const socket = new WebSocket(`${tls ? 'wss' : 'ws'}://127.0.0.1:${engine.port}/`, { rejectUnauthorized: false })
      await once(socket, 'open')
      socket.send('hello')
      const [data] = await once(socket, 'message')
      assert.equal(String(data), 'hello')
      socket.close(4000, 'done')
      assert.deepEqual((await once(socket, 'close'))[0], 4000)
    })

    test('a thousand messages in one write come back in order', async () => {
      const client = await open(engine)
      const messages = Array.from({ length: 1000 }, (_, index) => `message ${index}`)
      client.send(...messages)
      assert.deepEqual(
        await client.hears(1000),
        messages.map(message => `text ${message}`),
      )
      client.socket.destroy()
    })

    test('bytes one by one', async () => {
      const client = await open(engine)
      client.socket.setNoDelay(true)
      for (const byte of Buffer.concat([text('héllo'), ping('p'), text('wörld')])) {
        client.socket.write(Buffer.from([byte]))
        await new Promise(setImmediate)
      }
      assert.deepEqual(await client.hears(3), ['text héllo', 'pong p', 'text wörld'])
      client.socket.destroy()
    })
  })
}

describe('how a socket is read', () => {
  const echoes = async (engine: EngineServer): Promise<void> => {
    const client = await open(engine)
    client.send('a', 'é'.repeat(100_000), 'b')
    assert.deepEqual(await client.hears(3), ['text a', `text ${'é'.repeat(100_000)}`, 'text b'])
    client.send(close(1000))
    await client.closes()
    assert.deepEqual(await engine.ends(), [1000])
  }

  test('into the shared buffer, where Node lets an accepted socket do so', async t => {
    const engine = await startEngine(t)
    let used = 0
    engine.server.prependListener('connection', socket => {
      const { _handle: handle } = socket as unknown as { _handle: { useUserBuffer(buffer: Buffer): void } }
      const { useUserBuffer } = handle
      handle.useUserBuffer = buffer => {
        used++
        useUserBuffer.call(handle, buffer)
      }
    })
    await echoes(engine)
    assert.equal(used, 1)
  })

  test('by its data events, where Node has no such thing', async t => {
    const engine = await startEngine(t)
    engine.server.prependListener('connection', socket => {
      Object.assign((socket as unknown as { _handle: object })._handle, { useUserBuffer: undefined })
    })
    await echoes(engine)
  })

  test('by its data events, where the slots have other names', async t => {
    const engine = await startEngine(t)
    engine.server.prependListener('connection', socket => {
      const slots = Object.getOwnPropertySymbols(socket)
      for (const slot of slots) if (slot.description === 'kBuffer') Reflect.deleteProperty(socket, slot)
    })
    await echoes(engine)
  })
})

describe('a turn', () => {
  test('all replies to what one read brought leave in one write', async t => {
    const engine = await startEngine(t)
    const client = await open(engine)
    const [socket] = engine.sockets
    const writes = countWrites(socket!)
    client.send(...Array.from({ length: 50 }, (_, index) => `m${index}`))
    await client.hears(50)
    assert.equal(writes(), 1)
    client.socket.destroy()
  })

  test('what is sent outside of a read leaves in one write a tick', async t => {
    const engine = await startEngine(t)
    const client = await open(engine)
    const [socket] = engine.sockets
    const writes = countWrites(socket!)
    for (let index = 0; index < 10; index++) engine.connections[0]!.send(`m${index}`)
    assert.equal(writes(), 0)
    assert.ok(engine.connections[0]!.bufferedAmount >= 20, 'it counts as waiting')
    await client.hears(10)
    assert.equal(writes(), 1)
    client.socket.destroy()
  })

  test('what one connection sends to another arrives there, and only there', async t => {
    const engine = await startEngine(t, {
      message(subject) {
        for (const connection of engine.connections)
          connection.send(`${subject.text} for ${engine.connections.indexOf(connection)}`)
      },
    })
    const clients = [await open(engine), await open(engine), await open(engine)]
    clients[1]!.send('a', 'b')
    for (const [index, client] of clients.entries()) {
      assert.deepEqual(await client.hears(2), [`text a for ${index}`, `text b for ${index}`])
      client.socket.destroy()
    }
  })

  test('a reply that the kernel does not take at once is not overwritten by the next', async t => {
    const engine = await startEngine(t, { policy: { lifetime: { backpressure: { bytes: '64 MB' } } } })
    const client = await open(engine)
    client.socket.pause()
    const [connection] = engine.connections
    const expected: string[] = []
    // Until the socket buffers of both ends are full, and then some.
    for (let index = 0; index < 800; index++) {
      const message = `${index} ${String.fromCharCode(97 + (index % 26)).repeat(20_000)}`
      expected.push(`text ${message}`)
      connection!.send(message)
      if (index % 3 === 0) await new Promise(setImmediate)
    }
    assert.ok(connection!.bufferedAmount > 0)
    client.socket.resume()
    assert.deepEqual(await client.hears(800), expected)
    client.socket.destroy()
  })
})

describe('pausing', () => {
  test('messages of one connection wait for an asynchronous handler beyond the bound, in order', async t => {
    const started: string[] = []
    const finish: (() => void)[] = []
    const engine = await startEngine(t, {
      policy: { message: { concurrency: { handlers: 2 } } },
      message(subject, connection) {
        started.push(String(subject.text))
        return new Promise<void>(resolve =>
          finish.push(() => {
            connection.send(`done ${subject.text}`)
            resolve()
          }),
        )
      },
    })
    const client = await open(engine)
    client.send('a', 'b', 'c', 'd', ping('after'))
    client.send('e')
    while (finish.length < 2) await new Promise(setImmediate)
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
    assert.deepEqual(started, ['a', 'b'])
    for (let done = 0; done < 5; done++) {
      while (finish.length <= done) await new Promise(setImmediate)
      finish[done]!()
    }
    const heard = await client.hears(6)
    assert.deepEqual(
      heard.filter(line => line.startsWith('text')),
      ['a', 'b', 'c', 'd', 'e'].map(name => `text done ${name}`),
    )
    assert.deepEqual(started, ['a', 'b', 'c', 'd', 'e'])
    client.socket.destroy()
  })

  test('what was sent before FIN is delivered although the connection was paused', async t => {
    const started: string[] = []
    let finish: () => void = () => undefined
    const engine = await startEngine(t, {
      policy: { message: { concurrency: { handlers: 1 } } },
      message(subject) {
        started.push(String(subject.text))
        return started.length === 1 ? new Promise<void>(resolve => (finish = resolve)) : undefined
      },
    })
    const client = await open(engine)
    client.send('a', 'b', close(1000))
    client.socket.end()
    while (started.length < 1) await new Promise(setImmediate)
    finish()
    await client.closes()
    assert.deepEqual(started, ['a', 'b'])
    assert.deepEqual(await engine.ends(), [1000])
  })
})

describe('hostile streams', () => {
  test('150 connections of random frames, right and broken, end by themselves and take nothing with them', async t => {
    const engine = await startEngine(t)
    const codes = new Set<string>()
    for (let seed = 1; seed <= 150; seed++) {
      const random = seeded(seed)
      const client = await open(engine)
      client.socket.on('error', () => undefined)
      const { bytes } = randomStream(random, true, 12)
      for (const chunk of randomCuts(random, bytes)) {
        if (!client.socket.writable) break
        client.socket.write(chunk)
        if (random(4) === 0) await new Promise(setImmediate)
      }
      client.socket.end()
      const heard = await client.closes()
      codes.add(heard.at(-1)?.slice(0, 10) ?? 'nothing')
    }
    for (const code of ['close 1002', 'close 1007']) assert.ok(codes.has(code), [...codes].join())
    const client = await open(engine)
    client.send('still here')
    assert.deepEqual(await client.hears(1), ['text still here'])
    client.socket.destroy()
  })
})
