import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { describe, test } from 'node:test'
import type { WebSocket } from 'ws'
import { answering, createRawBackend, type RawBackend } from '../support/backends.ts'
import { closing, configOf, createWorld, type GatewayWorld, messages, route } from '../support/gateway-world.ts'

/** Below every time-out of the relay and of the guard. */
const AT_ONCE = { timeout: 5_000 }
const any = { format: { data: 'any' }, schema: { dangerouslyAcceptAnyMessage: true }, rate: { dangerouslyOff: true } }

const ended = async (world: GatewayWorld): Promise<void> => {
  while (!world.events.some(({ kind }) => kind === 'close')) await new Promise(setImmediate)
  assert.deepEqual([...world.gateway.connections()], [])
}

describe('a client that has proven itself while its backend does not answer yet', () => {
  const waiting = async (): Promise<readonly [GatewayWorld, WebSocket, RawBackend, Socket[]]> => {
    const dialled: Socket[] = []
    const backend = await createRawBackend(socket => void dialled.push(socket.resume()))
    const world = await createWorld(
      configOf([backend.target], [route({ message: any, handshake: { ticket: { carrier: 'first-message' } } })]),
    )
    const client = await world.connect()
    const proven = messages(client, 1)
    client.send(JSON.stringify({ type: 'auth', csrfToken: await world.ticket() }))
    assert.deepEqual(await proven, ['{"type":"authenticated"}'])
    client.send('waits for the backend')
    while (dialled.length === 0) await new Promise(setImmediate)
    return [world, client, backend, dialled]
  }

  test('a ping is answered, and a close frame ends it and the attempt at the backend', AT_ONCE, async () => {
    const [world, client, backend, dialled] = await waiting()
    const pong = once(client, 'pong')
    client.ping('now')
    assert.equal(String((await pong)[0]), 'now')
    const gone = once(dialled[0]!, 'close')
    client.close(1000)
    await Promise.all([closing(client), gone])
    await ended(world)
    await world.close()
    await backend.close()
  })

  test('a reset ends both', AT_ONCE, async () => {
    const [world, client, backend, dialled] = await waiting()
    const gone = once(dialled[0]!, 'close')
    Reflect.get(client, '_socket').resetAndDestroy()
    await gone
    await ended(world)
    await world.close()
    await backend.close()
  })
})

describe('a client that is not read, since its backend does not read', () => {
  const flooded = async (): Promise<readonly [GatewayWorld, WebSocket, RawBackend]> => {
    const backend = await createRawBackend(answering(socket => void socket.pause()))
    const relay = { bufferBytes: 65_536, stallMs: 60_000, heartbeatMs: null }
    const world = await createWorld(configOf([backend.target], [route({ message: any, relay })]))
    const client = await world.connect()
    const filler = 'x'.repeat(60_000)
    // Until nothing more is taken: a second of turns without change.
    let still = 0
    for (let before = -1; still < 200; ) {
      if (client.bufferedAmount < 2_000_000) client.send(filler)
      await new Promise(resolve => setTimeout(resolve, 1))
      still = client.bufferedAmount === before ? still + 1 : 0
      before = client.bufferedAmount
    }
    return [world, client, backend]
  }

  test('a reset is found all the same, and the pair is ended', AT_ONCE, async () => {
    const [world, client, backend] = await flooded()
    Reflect.get(client, '_socket').resetAndDestroy()
    await ended(world)
    await world.close()
    await backend.close()
  })

  test('a revocation closes it at once', AT_ONCE, async () => {
    const [world, client, backend] = await flooded()
    const close = closing(client)
    const [guard] = world.gateway.guards.values()
    await guard!.revoke({ session: 's1' })
    assert.deepEqual(await close, [4401, 'SALLY_LIFETIME_REVOKED'])
    await world.close()
    await backend.close()
  })
})
