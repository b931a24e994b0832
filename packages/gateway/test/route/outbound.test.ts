import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createBackend } from '../support/backends.ts'
import { configOf, createWorld, messages, route } from '../support/gateway-world.ts'

const outbound = {
  row: { type: 'object', properties: { type: { const: 'row' }, name: { type: 'string' } }, required: ['type', 'name'] },
}

describe('message/outbound holds for what a backend sends', () => {
  test('undeclared fields, types and bytes never reach the client; the rest does, in order', async () => {
    const backend = await createBackend({ echo: false })
    const world = await createWorld(
      configOf([backend.target], [route({ message: { schema: { chat: CHAT }, outbound } })]),
    )
    const client = await world.connect()
    const got = messages(client, 2)
    const socket = backend.sockets[0]!
    socket.send('{"type":"row","name":"a","passwordHash":"$2b$"}')
    socket.send('{"type":"debug","stack":"…"}')
    socket.send('no JSON')
    socket.send(Buffer.from('bytes'))
    socket.send('{"type":"row","name":7}')
    socket.send('{"type":"row","name":"b"}')
    assert.deepEqual(await got, ['{"type":"row","name":"a"}', '{"type":"row","name":"b"}'])
    assert.equal(world.events.filter(({ code }) => code === 'SALLY_OUTBOUND_INVALID').length, 4)
    await world.close()
    await backend.close()
  })

  test('where none is declared a backend says what it likes', async () => {
    const backend = await createBackend({ echo: false })
    const world = await createWorld(configOf([backend.target]))
    const client = await world.connect()
    const got = messages(client, 2)
    backend.sockets[0]!.send('no JSON, é')
    backend.sockets[0]!.send(Buffer.from('bytes'))
    assert.deepEqual(await got, ['no JSON, é', 'bytes'])
    await world.close()
    await backend.close()
  })
})

const CHAT = { type: 'object', properties: { type: { const: 'chat' } }, required: ['type'] }
