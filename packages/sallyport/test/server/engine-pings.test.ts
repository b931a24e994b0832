import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FIN, OPCODE } from '../../src/wire/index.ts'
import { frame, open, ping, startEngine } from './engine-server.ts'

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
