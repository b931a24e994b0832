import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import { exchange, GET, HANDSHAKE, open, startEngine, text } from './engine-server.ts'

describe('one buffer reads the first bytes of all', () => {
  test('bodies that arrive by turns on many connections stay apart', async t => {
    const engine = await startEngine(t, {
      request: (asked, response) =>
        void buffer(asked).then(body => response.end(`${body.length} of ${new Set(body).size}`)),
    })
    const sockets = Array.from({ length: 8 }, () => engine.dial())
    const answers = sockets.map(socket => buffer(socket))
    for (const socket of sockets) {
      socket.setNoDelay(true)
      socket.write(
        'POST /x HTTP/1.1\r\nHost: app.test\r\nContent-Length: 80000\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n',
      )
    }
    for (let part = 0; part < 8; part++) {
      for (const [index, socket] of sockets.entries()) socket.write(Buffer.alloc(10_000, 65 + index))
      await new Promise(setImmediate)
    }
    for (const answer of await Promise.all(answers)) assert.match(answer.toString(), /80000 of 1/)
  })

  test('an upgrade that somebody else takes goes on as any socket: what it reads is its own', async t => {
    const engine = await startEngine(t, { receives: false })
    engine.server.removeAllListeners('upgrade')
    const taken: Promise<Buffer>[] = []
    engine.server.on('upgrade', (_asked: IncomingMessage, socket: Socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n')
      taken.push(buffer(socket))
      socket.on('end', () => socket.end())
    })
    const sockets = [engine.dial(), engine.dial()]
    for (const socket of sockets) socket.write(HANDSHAKE)
    await Promise.all(sockets.map(socket => once(socket, 'data')))
    for (const [index, socket] of sockets.entries()) socket.end(Buffer.alloc(1 << 20, 65 + index))
    while (taken.length < 2) await new Promise(setImmediate)
    for (const read of await Promise.all(taken)) {
      assert.equal(read.length, 1 << 20)
      assert.equal(new Set(read).size, 1)
    }
  })

  test('a connection whose verdict came late loses nothing to those that were read meanwhile', async t => {
    let decide: (allowed: boolean) => void = () => undefined
    const engine = await startEngine(t, {
      policy: { handshake: { authorize: () => new Promise<boolean>(resolve => (decide = resolve)) } },
    })
    const opening = open(engine)
    while (engine.sockets.length === 0 || engine.sockets[0]!.bytesRead === 0) await new Promise(setImmediate)
    // Others read into the same buffer meanwhile.
    for (let other = 0; other < 3; other++) assert.match(await exchange(engine, GET), /http/)
    decide(true)
    const client = await opening
    const sent = Array.from({ length: 200 }, (_, index) => `${index} ${'x'.repeat(index)}`)
    client.send(...sent)
    assert.deepEqual(
      await client.hears(200),
      sent.map(message => `text ${message}`),
    )
    client.socket.destroy()
  })

  test('attack: what is sent while a verdict is awaited stays with the kernel, and is read once it is there', async t => {
    let decide: (allowed: boolean) => void = () => undefined
    const engine = await startEngine(t, {
      policy: { handshake: { authorize: () => new Promise<boolean>(resolve => (decide = resolve)) } },
    })
    const client = engine.dial()
    t.after(() => client.destroy())
    client.write(HANDSHAKE)
    while (engine.sockets.length === 0 || engine.sockets[0]!.bytesRead === 0) await new Promise(setImmediate)
    const [socket] = engine.sockets
    const { bytesRead } = socket!
    assert.ok(socket!.isPaused())
    client.write(text('a'))
    await exchange(engine, GET)
    assert.deepEqual([socket!.readableLength, socket!.bytesRead], [0, bytesRead])
    decide(true)
    let heard = ''
    for await (const chunk of client) if ((heard += (chunk as Buffer).toString('latin1')).endsWith('a')) break
    assert.match(heard, /^HTTP\/1\.1 101 [^]*\r\n\r\n\x81\x01a$/)
  })

  test('where Node has no such slots, or others than today, the socket reads by its data events', async t => {
    const engine = await startEngine(t)
    engine.server.prependListener('connection', (socket: Socket & { _handle: { useUserBuffer?: unknown } }) => {
      socket._handle.useUserBuffer = undefined
    })
    assert.match(await exchange(engine, GET), /http/)
    const client = await open(engine)
    client.send('a')
    assert.deepEqual(await client.hears(1), ['text a'])
    client.socket.destroy()
  })
})
