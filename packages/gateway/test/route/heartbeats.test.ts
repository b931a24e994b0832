import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createBackend } from '../support/backends.ts'
import { configOf, createWorld, messages, route } from '../support/gateway-world.ts'

const PING = '{"type":"sallyport.ping"}'
const PONG = '{"type":"sallyport.pong"}'
const CHAT = '{"type":"chat","message":"x"}'
const handshake = { subprotocol: { serve: ['chat.v1', 'sallyport.v1'] } }
const message = { heartbeat: [{ text: 'ping', reply: 'pong' }] }

describe('a heartbeat', () => {
  for (const [name, carrier] of [
    ['with the ticket in the handshake', 'subprotocol'],
    ['with a first message', 'first-message'],
  ] as const)
    test(`is answered by the gateway, ${name}, and no backend sees it`, async () => {
      const backend = await createBackend()
      const part = { handshake: { ticket: { carrier }, session: undefined }, message }
      const world = await createWorld(configOf([backend.target], [route(part)]))
      const ticket = await world.ticket()
      const offered = carrier === 'subprotocol' ? [`sallyport.ticket.${ticket}`] : []
      const client = await world.connect({ protocols: ['sallyport.v1', ...offered] })
      if (carrier === 'first-message') {
        const authenticated = messages(client, 1)
        client.send(JSON.stringify({ type: 'auth', csrfToken: ticket }))
        await authenticated
      }
      for (const [sent, answer] of [
        [PING, PONG],
        ['ping', 'pong'],
        [CHAT, CHAT],
      ] as const) {
        const got = messages(client, 1)
        client.send(sent)
        assert.deepEqual(await got, [answer])
      }
      assert.deepEqual(
        backend.received.map(({ data }) => data.toString()),
        [CHAT],
      )
      await world.close()
      await backend.close()
    })

  test('of sallyport.v1 is refused where the backend chose a protocol of its own, after a reload too', async () => {
    const backend = await createBackend({ handleProtocols: () => 'chat.v1' })
    const world = await createWorld(configOf([backend.target], [route({ handshake })]))
    const client = await world.connect({ protocols: ['sallyport.v1', 'chat.v1'] })
    assert.equal(client.protocol, 'chat.v1')
    const ask = async (text: string): Promise<string[]> => {
      const got = messages(client, 1)
      client.send(text)
      return got
    }
    const refused = ['{"type":"error","code":"SALLY_MESSAGE_TYPE"}']
    assert.deepEqual(await ask(PING), refused)
    await world.gateway.replace(configOf([backend.target], [route({ handshake, message })]))
    assert.deepEqual(await ask(PING), refused)
    assert.deepEqual(await ask('ping'), ['pong'], 'the changed policy answers')
    await world.close()
    await backend.close()
  })

  test('of sallyport.v1 goes on being answered after a reload', async () => {
    const backend = await createBackend()
    const world = await createWorld(configOf([backend.target]))
    const client = await world.connect({ protocols: ['sallyport.v1'] })
    await world.gateway.replace(configOf([backend.target], [route({ message })]))
    const got = messages(client, 1)
    client.send(PING)
    assert.deepEqual(await got, [PONG])
    assert.deepEqual(backend.received, [])
    await world.close()
    await backend.close()
  })
})
