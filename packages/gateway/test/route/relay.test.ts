import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { createBackend } from '../support/backends.ts'
import { closing, configOf, createWorld, messages, route } from '../support/gateway-world.ts'

const chat = (message: string): string => JSON.stringify({ type: 'chat', message })

describe('relay', () => {
  test('a message goes through and its answer comes back', async () => {
    const backend = await createBackend()
    const world = await createWorld(configOf([backend.target]))
    const client = await world.connect()
    client.send(chat('héllo'))
    assert.deepEqual(await messages(client, 1), [chat('héllo')])
    assert.equal(backend.received[0]?.data.toString(), chat('héllo'))
    await world.close()
    await backend.close()
  })

  test('messages keep their order and none is lost or doubled, whatever their size', async () => {
    const backend = await createBackend()
    const world = await createWorld(configOf([backend.target]))
    const client = await world.connect()
    const sent = Array.from({ length: 2000 }, (_, index) => chat(`${index} ${'x'.repeat((index * 7919) % 20_000)}`))
    const got = messages(client, sent.length)
    for (const text of sent) client.send(text)
    assert.deepEqual(await got, sent)
    await world.close()
    await backend.close()
  })

  test('a refused message never reaches the backend, and those around it do', async () => {
    const backend = await createBackend()
    const world = await createWorld(configOf([backend.target]))
    const client = await world.connect()
    const got = messages(client, 3)
    client.send(chat('1'))
    client.send('{"type":"shell","message":"rm -rf /"}')
    client.send(chat('2'))
    assert.deepEqual(
      (await got).toSorted(),
      [chat('1'), chat('2'), '{"type":"error","code":"SALLY_MESSAGE_TYPE"}'].toSorted(),
    )
    assert.deepEqual(
      backend.received.map(({ data }) => data.toString()),
      [chat('1'), chat('2')],
    )
    await world.close()
    await backend.close()
  })

  const closes: readonly [name: string, code: number | undefined, client: number, backendSees: number][] = [
    ['normal', 1000, 1000, 1000],
    ['an app’s own code', 4321, 4321, 4321],
    ['without a code', undefined, 1005, 1005],
  ]
  for (const [name, code, , seen] of closes) {
    test(`a client closes, ${name}: the backend is told ${seen}`, async () => {
      const backend = await createBackend()
      const world = await createWorld(configOf([backend.target]))
      const client = await world.connect()
      const done = once(backend.sockets[0]!, 'close')
      client.close(code)
      assert.equal((await done)[0], seen)
      await world.close()
      await backend.close()
    })
  }

  const backendCloses: readonly [
    name: string,
    code: number | undefined,
    reason: string,
    seen: readonly [number, string],
  ][] = [
    ['normal', 1000, 'bye', [1000, 'bye']],
    ['service restart', 1012, '', [1012, '']],
    ['an app’s own code', 4001, 'sign in', [4001, 'sign in']],
    ['without a code', undefined, '', [1000, '']],
    ['1002 speaks of another hop', 1002, 'x', [1011, 'x']],
  ]
  for (const [name, code, reason, seen] of backendCloses) {
    test(`a backend closes, ${name}: the client is told ${seen[0]}`, async () => {
      const backend = await createBackend()
      const world = await createWorld(configOf([backend.target]))
      const client = await world.connect()
      const done = closing(client)
      backend.sockets[0]!.close(code, reason)
      assert.deepEqual(await done, seen)
      await world.close()
      await backend.close()
    })
  }

  test('a client that vanishes: the backend is told 1001, never 1006', async () => {
    const backend = await createBackend()
    const world = await createWorld(configOf([backend.target]))
    const client = await world.connect()
    const done = once(backend.sockets[0]!, 'close')
    client.terminate()
    assert.equal((await done)[0], 1001)
    assert.equal([...world.gateway.connections()].length, 0)
    await world.close()
    await backend.close()
  })

  test('binary passes where the policy says so, byte for byte', async () => {
    const backend = await createBackend()
    const any = { format: { data: 'any' }, schema: { dangerouslyAcceptAnyMessage: true } }
    const world = await createWorld(configOf([backend.target], [route({ message: any })]))
    const client = await world.connect()
    const bytes = Buffer.from([0, 255, 128, 1])
    client.send(bytes)
    const [data, isBinary] = (await once(client, 'message')) as [Buffer, boolean]
    assert.deepEqual([data, isBinary], [bytes, true])
    client.send('text, {"not":json}')
    assert.equal(String((await once(client, 'message'))[0]), 'text, {"not":json}')
    await world.close()
    await backend.close()
  })
})
