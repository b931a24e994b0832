import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createBackend } from '../support/backends.ts'
import { closing, configOf, createWorld, messages, route, type RoutePart } from '../support/gateway-world.ts'

const chat = (message: string): string => JSON.stringify({ type: 'chat', message })
const auth = (ticket: string): string => JSON.stringify({ type: 'auth', csrfToken: ticket })
const mode: RoutePart = { handshake: { ticket: { carrier: 'first-message' } } }

describe('first-message mode: no backend sees a client before it has proved itself', () => {
  test('the ticket opens the backend, and what comes behind it arrives in order', async () => {
    const backend = await createBackend()
    const world = await createWorld(configOf([backend.target], [route(mode)]))
    const client = await world.connect()
    assert.equal(backend.sockets.length, 0)
    const got = messages(client, 4)
    client.send(auth(await world.ticket()))
    for (const text of ['1', '2', '3']) client.send(chat(text))
    assert.deepEqual(await got, ['{"type":"authenticated"}', chat('1'), chat('2'), chat('3')])
    assert.equal(backend.sockets.length, 1)
    assert.equal(backend.received.length, 3)
    assert.equal([...world.gateway.connections()].length, 1)
    await world.close()
    await backend.close()
  })

  for (const [name, text] of [
    ['a false ticket', auth('x'.repeat(76))],
    ['another message first', chat('1')],
  ] as const) {
    test(`${name}: 4401, and the backend never saw it`, async () => {
      const backend = await createBackend()
      const world = await createWorld(configOf([backend.target], [route(mode)]))
      const client = await world.connect()
      client.send(text)
      assert.equal((await closing(client))[0], 4401)
      assert.equal(backend.sockets.length, 0)
      await world.close()
      await backend.close()
    })
  }

  test('the backend is down: 1013, and the operator is told', async () => {
    const backend = await createBackend()
    await backend.close()
    const world = await createWorld(configOf([backend.target], [route(mode)]))
    const client = await world.connect()
    client.send(auth(await world.ticket()))
    assert.equal((await closing(client))[0], 1013)
    assert.equal(
      world.logged.some(({ facts }) => facts['code'] === 'GATEWAY_UPSTREAM_UNREACHABLE'),
      true,
    )
    assert.equal([...world.gateway.connections()].length, 0)
    await world.close()
  })

  test('in report mode a first message that proves nothing is a message like any other', async () => {
    const backend = await createBackend()
    const world = await createWorld(configOf([backend.target], [route({ ...mode, report: true })]))
    const client = await world.connect()
    const got = messages(client, 2)
    client.send(chat('1'))
    client.send(chat('2'))
    assert.deepEqual(await got, [chat('1'), chat('2')])
    await world.close()
    await backend.close()
  })
})
