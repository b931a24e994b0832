import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import type { Connection } from 'sallyport'
import { OPCODE, type RawPeer } from '../guard/raw-peer.ts'
import { nextMessage, type World } from '../support/world.ts'
import { attack, chat, start } from './scene.ts'

const denied = (code: string) => (event: { kind: string; code?: string }) =>
  event.kind === 'denial' && event.code === code
const closed = ({ kind }: { kind: string }): boolean => kind === 'close'

/** A server that sends `bytes` for each message, and tells how much it ever held. */
async function talkative(bytes: number, backpressure: object): Promise<{ world: World; most: () => number }> {
  let most = 0
  const text = 'x'.repeat(bytes)
  const world = await start(
    { lifetime: { backpressure } },
    {
      handlers: {
        chat(_said: unknown, connection: Connection) {
          for (let round = 0; round < 4000 && connection.send({ type: 'chat', message: text }); round++)
            most = Math.max(most, connection.bufferedAmount)
        },
      },
    },
  )
  return { world, most: () => most }
}

test('a client that never reads while ever more is sent is cut at four times the bound', async () => {
  const { world, most } = await talkative(64 * 1024, { bytes: '256 KiB', for: '1 minute' })
  const mallory = await attack(world)
  mallory.socket.pause()
  mallory.socket.write(chat('all, please'))
  await world.event(denied('SALLY_BACKPRESSURE'))
  await world.event(closed)
  assert.ok(most() <= 4 * 256 * 1024 + 2 * 64 * 1024 + 1000, `${most()} bytes were held`)
  assert.equal(world.guard.counters().open, 0)
})

test('a client that does not catch up in time is closed with 1013, and its further requests are not read', async () => {
  const bulk = 'x'.repeat(8 * 1024 * 1024)
  let asked = 0
  const world = await start(
    { lifetime: { backpressure: { bytes: '64 KiB', for: 400 } } },
    {
      handlers: {
        chat(_said: unknown, connection: Connection) {
          asked++
          connection.send({ type: 'chat', message: bulk })
        },
      },
    },
  )
  const mallory = await attack(world)
  mallory.socket.pause()
  mallory.socket.write(chat('once'))
  mallory.socket.write(chat('more'))
  await world.event(denied('SALLY_BACKPRESSURE'))
  assert.equal(asked, 1)
  mallory.socket.resume()
  assert.deepEqual(await mallory.ended, { code: 1013, reason: 'SALLY_BACKPRESSURE' })
})

test('an honest client that reads a long answer is not cut, and goes on', async () => {
  const bulk = 'x'.repeat(8 * 1024 * 1024)
  const world = await start(
    { lifetime: { backpressure: { bytes: '64 KiB' } } },
    {
      handlers: {
        chat: (_said: unknown, connection: Connection) => connection.send({ type: 'chat', message: bulk }),
      },
    },
  )
  const ann = await world.connect()
  for (let round = 0; round < 2; round++) {
    ann.send('{"type":"chat","message":"x"}')
    assert.equal((await nextMessage(ann)).message.length, bulk.length)
  }
  ann.terminate()
})

test('a client that never pongs is cut, without a close frame, though it goes on sending', async () => {
  const world = await start({ lifetime: { heartbeat: { interval: 300, timeout: 300 } } })
  const mallory = await attack(world)
  const talk = setInterval(() => mallory.socket.write(chat('I am here')), 100)
  const { code } = await mallory.ended
  clearInterval(talk)
  assert.equal(code, 1006)
  await world.event(denied('SALLY_HEARTBEAT_LOST'))
  assert.ok(mallory.received.some(({ opcode }) => opcode === OPCODE.ping))
})

test('a client that pongs outlives many bounds', async () => {
  const world = await start({ lifetime: { heartbeat: { interval: 200, timeout: 200 } } })
  const ann = await world.connect()
  for (let beat = 0; beat < 4; beat++) await once(ann, 'ping')
  assert.equal(ann.readyState, 1)
  ann.terminate()
})

test('slow frames, one byte a write: no more is held than was sent, the message is handled, others are served', async () => {
  const world = await start()
  const mallory = await attack(world)
  const ann = await world.connect('bob-1')
  for (const byte of chat('slowly')) {
    await new Promise<void>(resolve => {
      mallory.socket.write(Buffer.from([byte]), () => resolve())
    })
  }
  ann.send('{"type":"chat","message":"fast"}')
  assert.deepEqual(await nextMessage(ann), { type: 'chat', message: 'echo fast' })
  await mallory.frame(({ payload }) => payload.includes('echo slowly'))
  ann.terminate()
})

test('half a frame and then silence ends with the idle bound: an unfinished message is no sign of life', async () => {
  const world = await start({ lifetime: { idle: { after: 400 } } })
  const mallory = await attack(world)
  mallory.socket.write(chat('never finished').subarray(0, 10))
  // Its answer would be bytes of the frame that it never finished: it cannot even close cleanly.
  const { payload } = await mallory.frame(({ opcode }) => opcode === OPCODE.close)
  assert.equal(payload.readUInt16BE(0), 4408)
})

for (const [name, act] of [
  ['FIN at once', () => undefined],
  ['a message, then FIN', ({ socket }: RawPeer) => socket.write(chat('last words'))],
  ['half a frame, then FIN', ({ socket }: RawPeer) => socket.write(chat('x').subarray(0, 7))],
] as const) {
  test(`half-closed: ${name}: the server lets go of its half too`, async () => {
    const world = await start()
    const mallory = await attack(world, { allowHalfOpen: true })
    act(mallory)
    mallory.socket.end()
    const told = await world.event(closed)
    assert.equal(told.close_code, 1006)
    await once(mallory.socket, 'end').catch(() => undefined)
    mallory.socket.destroy()
    assert.equal(world.guard.counters().open, 0)
    assert.equal(world.handled.length, name.startsWith('a message') ? 1 : 0)
  })
}

test('a peer that resets in the middle of a frame leaves nothing behind', async () => {
  const world = await start()
  const mallory = await attack(world)
  mallory.socket.write(chat('x').subarray(0, 7))
  mallory.socket.resetAndDestroy()
  await world.event(closed)
  assert.equal(world.guard.counters().open, 0)
})
