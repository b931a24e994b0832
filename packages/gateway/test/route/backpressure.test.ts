import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, test } from 'node:test'
import { answering, createBackend, createRawBackend } from '../support/backends.ts'
import { handshake } from '../support/handshake.ts'
import { closing, configOf, createWorld, route } from '../support/gateway-world.ts'

const KIB = 1024
const any = {
  format: { data: 'any' },
  schema: { dangerouslyAcceptAnyMessage: true },
  size: { bytes: 64 * KIB },
}
const ROW = {
  type: 'object',
  properties: { type: { const: 'row' }, n: { type: 'integer' }, filler: { type: 'string' } },
}
const lifetime = { backpressure: { bytes: '64 MiB' } }

describe('a client that does not read', () => {
  for (const [name, schema] of [
    ['unchecked', {}],
    ['checked by a schema', { outbound: { row: ROW } }],
  ] as const) {
    test(`pauses the backend, gets everything in order once it reads on: ${name}`, async () => {
      const backend = await createBackend({ echo: false })
      const relay = { bufferBytes: 64 * KIB }
      const world = await createWorld(configOf([backend.target], [route({ message: { ...any, ...schema }, relay })]))
      const received: number[] = []
      const client = await world.connect({ onMessage: text => received.push(JSON.parse(text).n) })
      client.pause()
      const socket = backend.sockets[0]!
      const filler = 'x'.repeat(60 * KIB)
      let sent = 0
      const send = (): void => socket.send(JSON.stringify({ type: 'row', n: sent++, filler }))
      // Until the pressure has come back to the backend: what waits there grows and stays.
      while (socket.bufferedAmount < 4096 * KIB) {
        send()
        if (sent % 16 === 0) await new Promise(resolve => setImmediate(resolve))
      }
      const { bufferedAmount } = [...world.gateway.connections()][0]!
      assert.ok(bufferedAmount < 1024 * KIB, `${bufferedAmount} bytes wait in the gateway`)
      send()
      client.resume()
      while (received.at(-1) !== sent - 1) await once(client, 'message')
      assert.deepEqual(
        received,
        Array.from({ length: sent }, (_, index) => index),
      )
      await world.close()
      await backend.close()
    })
  }

  test('reads 15 KB/s, steadily: it is not cut', { skip: process.platform !== 'linux' }, async () => {
    const backend = await createBackend({ echo: false })
    backend.server.on('upgrade', () => setImmediate(() => backend.sockets.at(-1)?.send('x'.repeat(6_000_000))))
    const beat = { heartbeat: { interval: 5000, timeout: 5000 } }
    const relay = { stallMs: 10_000, heartbeatMs: 5000 }
    const world = await createWorld(configOf([backend.target], [route({ message: any, lifetime: beat, relay })]))
    const client = connect({ port: world.port, host: '127.0.0.1' })
    client.on('error', () => undefined)
    client.on('readable', () => undefined)
    client.write(handshake())
    let read = 0
    while (read < 330_000 && !client.destroyed && !client.readableEnded) {
      await new Promise(resolve => setTimeout(resolve, 100))
      const chunk = client.read(Math.min(1500, client.readableLength)) as Buffer | null
      read += chunk?.length ?? 0
    }
    assert.deepEqual(world.logged, [])
    assert.equal([...world.gateway.connections()].length, 1)
    client.destroy()
    await world.close()
    await backend.close()
  })

  test('and never does: 1013 after the bound, and the backend is let go', async () => {
    const backend = await createBackend({ echo: false })
    const relay = { bufferBytes: 64 * KIB, stallMs: 100 }
    const world = await createWorld(configOf([backend.target], [route({ message: any, relay, lifetime })]))
    const client = await world.connect()
    client.pause()
    const socket = backend.sockets[0]!
    const gone = once(socket, 'close')
    const filler = 'x'.repeat(60 * KIB)
    const flood = setInterval(() => {
      for (let index = 0; index < 32 && socket.bufferedAmount < 1024 * KIB; index++) socket.send(filler)
    }, 1)
    await gone
    clearInterval(flood)
    assert.equal(
      world.events.some(({ code }) => code === 'SALLY_BACKPRESSURE'),
      true,
    )
    assert.match(String(world.logged.at(-1)?.facts['detail']), /the client took nothing/)
    await world.close()
    await backend.close()
  })
})

describe('a backend that does not read', () => {
  test('pauses the client, and gets everything in order once it reads on', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const backend = await createBackend({ echo: false })
    const world = await createWorld(
      configOf([backend.target], [route({ message: any, relay: { bufferBytes: 64 * KIB } })]),
    )
    const client = await world.connect()
    const socket = backend.sockets[0]!
    socket.pause()
    const filler = 'x'.repeat(60 * KIB)
    let sent = 0
    while (client.bufferedAmount < 4096 * KIB) {
      client.send(`${String(sent++).padStart(8, '0')}${filler}`)
      if (sent % 16 === 0) await new Promise(resolve => setImmediate(resolve))
    }
    const last = String(sent).padStart(8, '0')
    client.send(last)
    socket.resume()
    while (backend.received.at(-1)?.data.toString() !== last) await once(socket, 'message')
    assert.deepEqual(
      backend.received.map(({ data }) => data.toString('latin1', 0, 8)),
      Array.from({ length: sent + 1 }, (_, index) => String(index).padStart(8, '0')),
    )
    // Nobody waits for it any more.
    t.mock.timers.tick(60_000)
    client.send('still here')
    while (backend.received.at(-1)?.data.toString() !== 'still here') await once(socket, 'message')
    await world.close()
    await backend.close()
  })

  test('and never does: the client is told 1013, the operator why', async () => {
    const backend = await createRawBackend(answering(socket => socket.pause()))
    const relay = { bufferBytes: 64 * KIB, stallMs: 100, heartbeatMs: null }
    const world = await createWorld(configOf([backend.target], [route({ message: any, relay })]))
    const client = await world.connect()
    const filler = 'x'.repeat(60 * KIB)
    const flood = setInterval(() => {
      for (let index = 0; index < 32 && client.bufferedAmount < 1024 * KIB; index++) client.send(filler)
    }, 1)
    assert.equal((await closing(client))[0], 1013)
    clearInterval(flood)
    assert.match(String(world.logged.at(-1)?.facts['detail']), /the backend took nothing/)
    await world.close()
    await backend.close()
  })
})
