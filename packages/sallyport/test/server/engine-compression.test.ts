import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { WebSocket } from 'ws'
import { HANDSHAKE, open, startEngine } from './engine-server.ts'

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
