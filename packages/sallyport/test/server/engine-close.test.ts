import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, mock, test } from 'node:test'
import { FIN, OPCODE } from '../../src/wire/index.ts'
import { close, frame, HANDSHAKE, open, ping, startEngine } from './engine-server.ts'

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
