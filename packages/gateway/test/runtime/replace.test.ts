import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { createBackend } from '../support/backends.ts'
import { closing, configOf, createWorld, messages, ORIGIN, route, type RoutePart } from '../support/gateway-world.ts'

const chat = (message: string, further: object = {}): string => JSON.stringify({ type: 'chat', message, ...further })
const TIGHT = {
  type: 'object',
  properties: { type: { const: 'chat' }, message: { type: 'string', maxLength: 3 } },
  required: ['type', 'message'],
}

describe('a reload in place', () => {
  test('an unchanged route keeps its sockets, guard and counts', async () => {
    const backend = await createBackend()
    const config = configOf([backend.target], [route(), route({ id: 'other', path: '/other' })])
    const world = await createWorld(config)
    const client = await world.connect()
    const guard = world.gateway.guards.get('chat')
    const result = await world.gateway.replace(
      configOf(
        [backend.target],
        [route(), route({ id: 'other', path: '/other', message: { schema: { chat: TIGHT } } })],
      ),
    )
    assert.deepEqual(result, { kept: ['chat'], changed: ['other'], added: [], removed: [] })
    assert.equal(world.gateway.guards.get('chat'), guard)
    client.send(chat('still the same'))
    assert.deepEqual(await messages(client, 1), [chat('still the same')])
    await world.close()
    await backend.close()
  })

  test('a changed schema holds for an open connection from its next message on', async () => {
    const backend = await createBackend()
    const world = await createWorld(configOf([backend.target]))
    const client = await world.connect()
    client.send(chat('long enough'))
    await messages(client, 1)
    await world.gateway.replace(configOf([backend.target], [route({ message: { schema: { chat: TIGHT } } })]))
    client.send(chat('long enough'))
    assert.deepEqual(await messages(client, 1), ['{"type":"error","code":"SALLY_MESSAGE_INVALID"}'])
    client.send(chat('ok'))
    assert.deepEqual(await messages(client, 1), [chat('ok')])
    assert.equal(backend.sockets.length, 1)
    assert.equal([...world.gateway.connections()].length, 1)
    await world.close()
    await backend.close()
  })

  const refusing: readonly [name: string, part: RoutePart, code: string][] = [
    [
      'another Origin',
      { handshake: { origin: { allow: ['http://else.localhost'], dangerouslyAllowInsecure: true } } },
      'SALLY_ORIGIN_NOT_ALLOWED',
    ],
    [
      'another Host',
      {
        handshake: { host: { allow: ['else.localhost'] }, origin: { allow: [ORIGIN], dangerouslyAllowInsecure: true } },
      },
      'SALLY_HOST_NOT_SERVED',
    ],
    [
      'a subprotocol that it must have',
      { handshake: { subprotocol: { serve: ['v2'], required: true } } },
      'SALLY_SUBPROTOCOL_NOT_SERVED',
    ],
  ]
  for (const [name, part, code] of refusing) {
    test(`a socket that the new policy would refuse is closed with its code: ${name}`, async () => {
      const backend = await createBackend()
      const world = await createWorld(configOf([backend.target]))
      const client = await world.connect()
      const backendClosed = once(backend.sockets[0]!, 'close')
      const closed = closing(client)
      await world.gateway.replace(configOf([backend.target], [route(part)]))
      assert.deepEqual(await closed, [1008, code])
      await backendClosed
      assert.equal([...world.gateway.connections()].length, 0)
      await world.close()
      await backend.close()
    })
  }

  test('a lower cap on connections closes those beyond it, and keeps the rest', async () => {
    const backend = await createBackend()
    const world = await createWorld(configOf([backend.target]))
    const clients = [await world.connect(), await world.connect(), await world.connect()]
    const closed = clients.map(client => closing(client))
    await world.gateway.replace(configOf([backend.target], [route({ handshake: { connections: { total: 2 } } })]))
    assert.deepEqual(await Promise.race(closed), [1013, 'SALLY_CONNECTIONS_FULL'])
    assert.equal([...world.gateway.connections()].length, 2)
    await world.close()
    await backend.close()
  })

  test('a removed route lets its connections go with 1012', async () => {
    const backend = await createBackend()
    const world = await createWorld(configOf([backend.target], [route(), route({ id: 'other', path: '/other' })]))
    const closed = closing(await world.connect({ path: '/other' }))
    const result = await world.gateway.replace(configOf([backend.target]))
    assert.deepEqual(result.removed, ['other'])
    assert.equal((await closed)[0], 1012)
    assert.deepEqual(await world.refusal({ path: '/other' }), [404, '{"code":"GATEWAY_NO_ROUTE"}'])
    await world.close()
    await backend.close()
  })

  test('a configuration that cannot be made changes nothing', async () => {
    const backend = await createBackend()
    const config = configOf([backend.target])
    const world = await createWorld(config)
    const client = await world.connect()
    const bad = [
      configOf([backend.target], [route({ message: { schema: { chat: { type: 'nonsense' } } } })]),
      configOf([backend.target], [route({ upstream: 'nowhere' })]),
      configOf(['ftp://127.0.0.1:21'], [route()]),
      configOf(
        [backend.target],
        [route()],
        {},
        {
          listeners: [
            ...config.listeners,
            { name: 'taken', address: { host: '127.0.0.1', port: backend.port }, tls: null, proxyProtocol: null },
          ],
        },
      ),
      configOf(
        [backend.target],
        [route()],
        {},
        {
          listeners: [
            {
              name: 'main',
              address: { host: '127.0.0.1', port: 0 },
              tls: { cert: '/nowhere.pem', key: '/nowhere.pem' },
              proxyProtocol: null,
            },
          ],
        },
      ),
    ]
    for (const one of bad) await assert.rejects(world.gateway.replace(one))
    client.send(chat('1'))
    assert.deepEqual(await messages(client, 1), [chat('1')])
    await world.connect()
    await world.close()
    await backend.close()
  })

  test('two reloads at once: one after the other, and the last one stands', async () => {
    const backend = await createBackend()
    const world = await createWorld(configOf([backend.target]))
    const client = await world.connect()
    const tight = configOf([backend.target], [route({ message: { schema: { chat: TIGHT } } })])
    const results = await Promise.all([world.gateway.replace(tight), world.gateway.replace(configOf([backend.target]))])
    assert.deepEqual(
      results.map(({ changed }) => changed),
      [['chat'], ['chat']],
    )
    client.send(chat('long enough again'))
    assert.deepEqual(await messages(client, 1), [chat('long enough again')])
    await world.close()
    await backend.close()
  })

  test('under load: 100 reloads of one route, and not a message of another is lost or out of order', async () => {
    const backend = await createBackend()
    const world = await createWorld(configOf([backend.target], [route(), route({ id: 'other', path: '/other' })]))
    const clients = await Promise.all(Array.from({ length: 50 }, () => world.connect()))
    const moved = await world.connect({ path: '/other' })
    const each = 400
    const results = clients.map(client => messages(client, each))
    const sent = (async () => {
      for (let index = 0; index < each; index++) {
        for (const client of clients) client.send(chat(String(index)))
        if (index % 4 === 0) await new Promise(resolve => setImmediate(resolve))
      }
    })()
    for (let reload = 0; reload < 100; reload++) {
      const message = { strikes: 5 + reload }
      await world.gateway.replace(
        configOf([backend.target], [route(), route({ id: 'other', path: '/other', message })]),
      )
      await new Promise(resolve => setImmediate(resolve))
    }
    await sent
    const expected = Array.from({ length: each }, (_, index) => chat(String(index)))
    for (const result of results) assert.deepEqual(await result, expected)
    moved.send(chat('moved a hundred times'))
    assert.deepEqual(await messages(moved, 1), [chat('moved a hundred times')])
    assert.equal([...world.gateway.connections()].length, 51)
    await world.close()
    await backend.close()
  })
})
