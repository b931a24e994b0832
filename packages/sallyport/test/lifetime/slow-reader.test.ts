import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import { kernelQueueOf } from '../../src/node/kernel-queue.ts'
import type { KernelQueue } from '../../src/model/kernel-queue.ts'
import { guarded } from '../guard/live.ts'
import { handshakeText } from '../support/raw-client.ts'
import { createWorld } from '../support/world.ts'

const QUEUE = { backpressure: { bytes: 200_000, for: 2000 }, session: { dangerouslyOff: true } }
const BEAT = { heartbeat: { interval: 1000, timeout: 400 } }
type Queue = { -readonly [key in keyof KernelQueue]: KernelQueue[key] }
const queueOf = (bytes: number | null): Queue => ({ bytes, taken: 0, changes: 0 })
const SLOW = [[1013, 'SALLY_BACKPRESSURE']]

describe('more waits for a peer than the bound', () => {
  for (const [name, rate, isCut] of [
    ['15 KB/s', 15_000, false],
    ['5 000 bytes/s', 5000, false],
    ['4 000 bytes/s', 4000, true],
    ['a byte a second', 1, true],
    ['nothing', 0, true],
  ] as const) {
    test(`it reads ${name}: ${isCut ? 'closed' : 'not closed'}`, async t => {
      const guard = guarded(t, { lifetime: QUEUE })
      const { connection, wire } = guard.seat()
      const queue = queueOf(4_000_000)
      wire.kernelQueue = () => queue
      wire.bufferedAmount = 700_000
      connection.send('x')
      for (let passed = 0; passed < 100_000; passed += 1000) {
        await guard.run(1000)
        queue.taken += rate
      }
      assert.deepEqual(wire.closes, isCut ? SLOW : [])
    })
  }

  test('it reads in steps, as a window opens: not closed', async t => {
    const guard = guarded(t, { lifetime: QUEUE })
    const { connection, wire } = guard.seat()
    const queue = queueOf(4_000_000)
    wire.kernelQueue = () => queue
    wire.bufferedAmount = 700_000
    connection.send('x')
    for (let passed = 0; passed < 100_000; passed += 5500) {
      await guard.run(5500)
      queue.taken += 280_000
    }
    assert.deepEqual(wire.closes, [])
  })

  for (const [name, bytes, ms] of [
    ['the kernel holds some of it: closed after three times its time', 4_000_000, 6000],
    ['the kernel holds none of it: closed at its time', 0, 2000],
  ] as const) {
    test(`it reads nothing, and ${name}`, async t => {
      const guard = guarded(t, { lifetime: QUEUE })
      const { connection, wire } = guard.seat()
      const queue = queueOf(bytes)
      wire.kernelQueue = () => queue
      wire.bufferedAmount = 700_000
      connection.send('x')
      await guard.run(ms - 1)
      assert.deepEqual(wire.closes, [])
      await guard.run(101)
      assert.deepEqual(wire.closes, SLOW)
    })
  }

  test('what leaves this process counts as read where the system tells nothing', async t => {
    const guard = guarded(t, { lifetime: QUEUE })
    const { connection, wire } = guard.seat()
    wire.bufferedAmount = 700_000
    connection.send('x')
    for (let passed = 0; passed < 29_000; passed += 1000) {
      await guard.run(1000)
      wire.bufferedAmount -= 15_000
    }
    assert.deepEqual(wire.closes, [])
  })

  test('what is queued in the meantime counts for nothing', async t => {
    const guard = guarded(t, { lifetime: QUEUE })
    const { connection, wire } = guard.seat()
    wire.bufferedAmount = 700_000
    connection.send('x')
    for (let passed = 0; passed < 2000; passed += 250) {
      await guard.run(250)
      wire.bufferedAmount += 100
    }
    assert.deepEqual(wire.closes, SLOW)
  })
})

describe('a pong is behind what was sent before its ping', () => {
  const bulk = 'x'.repeat(20_000)

  test('it is waited for while the peer takes that, and no longer than 4 KiB/s allow', async t => {
    const guard = guarded(t, { lifetime: BEAT })
    const { connection, wire } = guard.seat()
    const queue = queueOf(400_000)
    wire.kernelQueue = () => queue
    connection.send(bulk)
    await guard.run(1400)
    for (let passed = 0; passed < 90_000; passed += 15_000) {
      assert.equal(wire.terminated, false, `after ${passed} ms`)
      queue.changes++
      await guard.run(15_000)
    }
    await guard.run(60_000)
    assert.equal(wire.terminated, true)
  })

  test('it is answered: the peer lives, and the next ping has its own time', async t => {
    const guard = guarded(t, { lifetime: BEAT })
    const { connection, wire } = guard.seat()
    const queue = queueOf(400_000)
    wire.kernelQueue = () => queue
    connection.send(bulk)
    await guard.run(20_000)
    connection.ponged()
    await guard.run(100)
    assert.equal(wire.pings, 2)
    await guard.run(399)
    assert.equal(wire.terminated, false)
    await guard.run(101)
    assert.equal(wire.terminated, true, 'nothing was sent since')
  })

  for (const [name, sent, queue] of [
    ['the peer takes nothing of it', bulk, queueOf(400_000)],
    ['the peer has it all', bulk, queueOf(0)],
    ['nobody can tell', bulk, null],
    ['the system does not tell in time', bulk, queueOf(null)],
  ] as const) {
    test(`${name}: cut`, async t => {
      const guard = guarded(t, { lifetime: BEAT })
      const { connection, wire } = guard.seat()
      wire.kernelQueue = () => queue
      connection.send(sent)
      await guard.run(1400 + 31_000)
      assert.equal(wire.terminated, true)
    })
  }

  test('next to nothing was sent: cut at the time-out', async t => {
    const guard = guarded(t, { lifetime: BEAT })
    const { connection, wire } = guard.seat()
    wire.kernelQueue = () => queueOf(400_000)
    connection.send('x'.repeat(200))
    await guard.run(1400)
    assert.equal(wire.terminated, true)
  })

  test('many small messages are as much as one large', async t => {
    const guard = guarded(t, { lifetime: BEAT })
    const { connection, wire } = guard.seat()
    wire.kernelQueue = () => queueOf(400_000)
    for (let index = 0; index < 500; index++) connection.send('x'.repeat(100))
    await guard.run(1500)
    assert.equal(wire.terminated, false)
  })
})

const onLinux = { skip: process.platform !== 'linux' }

test('the kernel tells what a peer has not read, and what it takes', onLinux, async t => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1').pause()
  const [socket] = (await once(server, 'connection')) as [Socket]
  t.after(() => {
    client.destroy()
    socket.destroy()
    server.close()
  })
  socket.write(Buffer.alloc(8_000_000))
  const queue = kernelQueueOf(socket)!
  assert.equal(kernelQueueOf(socket), queue)
  while ((queue.bytes ?? 0) < 100_000) await new Promise(resolve => setTimeout(resolve, 20))
  client.resume()
  while (queue.taken < 100_000) await new Promise(resolve => setTimeout(resolve, 20))
  assert.equal(queue.changes > 0, true)
})

describe('a client reads 15 KB/s, for longer than the default bounds allow silence', { concurrency: true }, () => {
  for (const [name, size, count] of [
    ['one large message', 6_000_000, 1],
    ['many messages', 40_000, 60],
  ] as const) {
    test(`${name}: it is not cut`, onLinux, async t => {
      const world = await createWorld(
        {
          handshake: { ticket: { dangerouslyWithoutTicket: true }, session: () => ({ id: 'a', user: 'a' }) },
          lifetime: { heartbeat: { interval: 5000, timeout: 5000 } },
        },
        {
          open(connection) {
            for (let index = 0; index < count; index++) connection.send({ type: 'chat', message: 'x'.repeat(size) })
          },
        },
      )
      const client = connect({ port: world.port, host: 'localhost' })
      t.after(() => {
        client.destroy()
        return world.close()
      })
      client.on('error', () => undefined)
      client.on('readable', () => undefined)
      client.write(handshakeText({ port: world.port }))
      let read = 0
      while (read < 330_000 && !client.destroyed && !client.readableEnded) {
        await new Promise(resolve => setTimeout(resolve, 100))
        const chunk = client.read(Math.min(1500, client.readableLength)) as Buffer | null
        read += chunk?.length ?? 0
      }
      assert.deepEqual(
        world.events.flatMap(({ code }) => code ?? []),
        [],
      )
      assert.equal(world.guard.counters().open, 1)
    })
  }
})
