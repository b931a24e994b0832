import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, mock, test } from 'node:test'
import { WebSocket } from 'ws'
import { closePayload, FIN, OPCODE } from '../../src/wire/index.ts'
import { randomCuts, randomStream, seeded } from '../wire/random-stream.ts'
import { countWrites, type EngineServer, frame, HANDSHAKE, open, startEngine, text } from './engine-server.ts'

const ping = (payload: string): Buffer => frame(FIN | OPCODE.ping, Buffer.from(payload))
const close = (code: number, reason = ''): Buffer => frame(FIN | OPCODE.close, closePayload(code, reason))

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

    test('echoes text and binary, of every header size and beyond the outbox', async () => {
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

describe('what breaks the protocol is closed with its code, then cut', () => {
  const rows: readonly (readonly [string, Buffer, string, string])[] = [
    ['an unmasked frame', Buffer.from('8100', 'hex'), 'close 1002', 'SALLY_PROTOCOL_ERROR'],
    ['a reserved opcode', Buffer.from('838000000000', 'hex'), 'close 1002', 'SALLY_PROTOCOL_ERROR'],
    ['compression that was not negotiated', Buffer.from('c18000000000', 'hex'), 'close 1002', 'SALLY_PROTOCOL_ERROR'],
    [
      'text that is not UTF-8',
      frame(FIN | OPCODE.text, Buffer.from('ff', 'hex')),
      'close 1007',
      'SALLY_MESSAGE_NOT_UTF8',
    ],
    [
      'a header that announces 4 GiB',
      Buffer.from('82ff000000010000000000000000', 'hex'),
      'close 1009',
      'SALLY_MESSAGE_TOO_BIG',
    ],
    [
      'too many fragments',
      Buffer.concat([
        frame(OPCODE.text, Buffer.alloc(0)),
        ...Array.from({ length: 64 }, () => frame(0, Buffer.alloc(0))),
      ]),
      'close 1009',
      'SALLY_MESSAGE_FRAGMENTS',
    ],
  ]
  for (const [name, bytes, expected, code] of rows) {
    test(name, async t => {
      const engine = await startEngine(t)
      const client = await open(engine)
      client.send('before', bytes, 'after')
      assert.deepEqual(await client.closes(), ['text before', `${expected} ${code}`])
      assert.deepEqual(await engine.ends(), [1006])
      assert.ok(engine.codes.includes(code), engine.codes.join())
    })
  }

  test('the code arrives although the peer goes on sending', async t => {
    const engine = await startEngine(t)
    const client = await open(engine)
    client.send(Buffer.from('8100', 'hex'))
    const flood = setInterval(() => void client.socket.write(Buffer.alloc(10_000)), 1)
    client.socket.on('end', () => clearInterval(flood))
    assert.deepEqual(await client.closes(), ['close 1002 SALLY_PROTOCOL_ERROR'])
    clearInterval(flood)
  })
})

describe('the closing handshake', () => {
  test("the peer's close is answered with its code, and the socket let go", async t => {
    const engine = await startEngine(t)
    const client = await open(engine)
    client.send('last', close(4000, 'bye'))
    assert.deepEqual(await client.closes(), ['text last', 'close 4000'])
    assert.deepEqual(await engine.ends(), [4000])
  })

  test('a close without a code is answered without one', async t => {
    const engine = await startEngine(t)
    const client = await open(engine)
    client.send(frame(FIN | OPCODE.close, Buffer.alloc(0)))
    assert.deepEqual(await client.closes(), ['close 1005'])
    assert.deepEqual(await engine.ends(), [1005])
  })

  test('ours waits for the answer, then lets go', async t => {
    const engine = await startEngine(t)
    const client = await open(engine)
    engine.connections[0]!.close(1001, 'going')
    assert.deepEqual(await client.hears(1), ['close 1001 going'])
    assert.deepEqual(engine.closed, [])
    client.send(close(1001))
    assert.deepEqual(await client.closes(), ['close 1001 going'])
    assert.deepEqual(await engine.ends(), [1001])
  })

  test('nothing is delivered or answered after ours', async t => {
    const engine = await startEngine(t)
    const client = await open(engine)
    engine.connections[0]!.close(1000)
    await client.hears(1)
    client.send('late', ping('late'), close(1000))
    assert.deepEqual(await client.closes(), ['close 1000'])
  })

  test('a peer that does not answer ours is cut after five seconds', async t => {
    const engine = await startEngine(t)
    const client = await open(engine)
    mock.timers.enable({ apis: ['setTimeout'] })
    engine.connections[0]!.close(1000)
    await client.hears(1)
    mock.timers.tick(4999)
    assert.equal(engine.sockets[0]!.destroyed, false)
    mock.timers.tick(1)
    assert.equal(engine.sockets[0]!.destroyed, true)
    mock.timers.reset()
    await client.closes()
    assert.deepEqual(await engine.ends(), [1006])
  })

  test('a peer that broke the protocol and stays is cut after one second', async t => {
    const engine = await startEngine(t)
    const socket = engine.dial()
    socket.on('error', () => undefined)
    // Half-open on its own side: it never answers our FIN.
    socket.allowHalfOpen = true
    socket.write(HANDSHAKE)
    await once(socket, 'data')
    mock.timers.enable({ apis: ['setTimeout'] })
    socket.write(Buffer.from('8100', 'hex'))
    await once(socket, 'data')
    mock.timers.tick(999)
    assert.equal(engine.sockets[0]!.destroyed, false)
    mock.timers.tick(1)
    assert.equal(engine.sockets[0]!.destroyed, true)
    mock.timers.reset()
    socket.destroy()
  })

  test('FIN without a close frame is 1006', async t => {
    const engine = await startEngine(t)
    const client = await open(engine)
    client.send('last')
    client.socket.end()
    assert.deepEqual(await client.closes(), ['text last'])
    assert.deepEqual(await engine.ends(), [1006])
  })

  test('RST is 1006, and nobody falls over it', async t => {
    const engine = await startEngine(t)
    const client = await open(engine)
    client.socket.resetAndDestroy()
    assert.deepEqual(await engine.ends(), [1006])
  })

  test('terminate cuts at once; every call after it is nothing', async t => {
    const engine = await startEngine(t)
    const client = await open(engine)
    const [connection] = engine.connections
    connection!.terminate()
    assert.equal(connection!.send('late'), false)
    connection!.terminate()
    connection!.close(1000)
    assert.deepEqual(await client.closes(), [])
    assert.deepEqual(await engine.ends(), [1006])
  })
})

describe('pings', () => {
  test('are answered in order, among the messages of the same read', async t => {
    const engine = await startEngine(t)
    const client = await open(engine)
    client.send(ping('1'), 'a', ping(''), ping('x'.repeat(125)))
    assert.deepEqual(await client.hears(4), ['pong 1', 'text a', 'pong ', `pong ${'x'.repeat(125)}`])
    client.socket.destroy()
  })

  test('pongs are heard and not answered', async t => {
    const engine = await startEngine(t)
    const client = await open(engine)
    client.send(frame(FIN | OPCODE.pong, Buffer.from('x')), 'a')
    assert.deepEqual(await client.hears(1), ['text a'])
    client.socket.destroy()
  })

  for (const [name, opcode, answers] of [
    ['pings', OPCODE.ping, ['pong x', 'pong x', 'pong x', 'pong x']],
    ['pongs', OPCODE.pong, []],
  ] as const) {
    test(`a flood of ${name}, the wire having no bound of its own, ends at that of the guard`, async t => {
      const size = { bytes: 100, fragments: 1, controlFrames: { frames: 3, per: '1 hour' } }
      const engine = await startEngine(t, { policy: { message: { size } } })
      const client = await open(engine)
      const one = frame(FIN | opcode, Buffer.from('x'))
      client.send(one, one, one, 'a')
      await client.hears(answers.length > 0 ? 4 : 1)
      assert.equal(client.heard.at(-1), 'text a')
      client.send(one, one, 'b')
      // The wire answers a ping before it tells of it.
      const expected = [...answers.slice(1), 'text a', ...answers.slice(3), 'close 1008 SALLY_CONTROL_FRAMES']
      assert.deepEqual(await client.hears(expected.length), expected)
      client.socket.destroy()
    })
  }

  test('a flood of them from a peer that does not read is bounded in memory', async t => {
    const engine = await startEngine(t, { policy: { lifetime: { backpressure: { bytes: '64 MB' } } } })
    const client = await open(engine)
    client.socket.pause()
    const flood = Buffer.concat(Array.from({ length: 500 }, () => ping('x'.repeat(125))))
    // Twelve megabytes of pongs would be owed.
    for (let round = 0; round < 200; round++) await new Promise(resolve => client.socket.write(flood, resolve))
    await new Promise(setImmediate)
    assert.ok(engine.connections[0]!.bufferedAmount < 200_000, `${engine.connections[0]!.bufferedAmount}`)
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

describe('compression', () => {
  const policy = { handshake: { extensions: { deflate: { threshold: 32 } } } }

  test('is not negotiated unless the policy says so', async t => {
    const engine = await startEngine(t)
    const client = await open(
      engine,
      HANDSHAKE.replace('Origin', 'Sec-WebSocket-Extensions: permessage-deflate\r\nOrigin'),
    )
    assert.doesNotMatch(client.answer, /Extensions/)
    client.socket.destroy()
  })

  test('is agreed without context, and the ws client understands it', async t => {
    const engine = await startEngine(t, { policy })
    const socket = new WebSocket(`ws://127.0.0.1:${engine.port}/`, { perMessageDeflate: { threshold: 0 } })
    await once(socket, 'open')
    assert.equal(socket.extensions, 'permessage-deflate')
    for (const message of ['short', 'long '.repeat(10_000), 'é'.repeat(100)]) {
      socket.send(message)
      assert.equal(String((await once(socket, 'message'))[0]), message)
    }
    socket.send(Buffer.alloc(1000, 1))
    assert.deepEqual((await once(socket, 'message'))[0], Buffer.alloc(1000, 1))
    socket.close()
    await once(socket, 'close')
  })

  const malformed = ['', 'permessage-deflate;', 'permessage-deflate, ', 'permessage-deflate; a="1', '=']
  for (const deflate of [false, { threshold: 32 }]) {
    test(`offers that are not of the grammar are refused with compression ${deflate === false ? 'off' : 'on'}`, async t => {
      const engine = await startEngine(t, { policy: { handshake: { extensions: { deflate } } } })
      for (const offer of malformed) {
        const client = await open(engine, HANDSHAKE.replace('Origin', `Sec-WebSocket-Extensions: ${offer}\r\nOrigin`))
        await client.closes()
        assert.match(client.answer, /^HTTP\/1\.1 400 [^]*\{"code":"SALLY_REQUEST_MALFORMED"\}$/, offer)
      }
      assert.deepEqual(engine.codes.filter(code => code === 'SALLY_REQUEST_MALFORMED').length, malformed.length)
      assert.deepEqual(engine.connections, [])
    })
  }

  test('in report mode an offer that is not of the grammar is not taken up', async t => {
    const engine = await startEngine(t, { policy: { ...policy, report: ['handshake/request'] } })
    const client = await open(
      engine,
      HANDSHAKE.replace('Origin', 'Sec-WebSocket-Extensions: permessage-deflate;\r\nOrigin'),
    )
    assert.match(client.answer, /^HTTP\/1\.1 101 /)
    assert.doesNotMatch(client.answer, /Extensions/)
    client.socket.destroy()
  })

  test('a bomb is refused at the bound', async t => {
    const engine = await startEngine(t, { policy: { ...policy, message: { size: { bytes: '64 KiB' } } } })
    const socket = new WebSocket(`ws://127.0.0.1:${engine.port}/`, { perMessageDeflate: { threshold: 0 } })
    await once(socket, 'open')
    socket.send(Buffer.alloc(1 << 24))
    assert.equal((await once(socket, 'close'))[0], 1009)
    assert.ok(engine.codes.includes('SALLY_MESSAGE_TOO_BIG'))
  })

  test('a small message and one that the window forbids go as they are', async t => {
    const engine = await startEngine(t, { policy })
    const offer = 'Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=8\r\nOrigin'
    const client = await open(engine, HANDSHAKE.replace('Origin', offer))
    assert.doesNotMatch(client.answer, /Extensions/)
    client.send('x'.repeat(100))
    assert.deepEqual(await client.hears(1), [`text ${'x'.repeat(100)}`])
    client.socket.destroy()
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
