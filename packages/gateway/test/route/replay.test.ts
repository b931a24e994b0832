import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stringify } from 'yaml'
import { parseConfig } from '../../src/config/parse.ts'
import { goodConfig } from '../config/good-config.ts'
import { createBackend } from '../support/backends.ts'
import { configOf, createWorld, messages, route } from '../support/gateway-world.ts'

test('message.replay in a file: the backend gets each payment once', async () => {
  const config = goodConfig()
  config.routes.chat.message = '{}'
  const pay = '{ type: object, properties: { type: { const: pay }, id: { type: string } } }'
  const section = `{ schema: { pay: ${pay} }, replay: { nonce: id, time: sentAt, window: 10 s } }`
  const text = stringify(config).replace(/message: .*/, `message: ${section}`)
  const { message } = parseConfig(text, { file: 'gateway.yaml', env: {} }).routes[0]!.policy

  const backend = await createBackend()
  const world = await createWorld(configOf([backend.target], [route({ message })]))
  const [one, two] = [await world.connect(), await world.connect()]
  const now = Date.now()
  const payment = (id: string, sentAt: number): string => `{ "type":"pay","id":"${id}","sentAt":${sentAt}}`
  const ask = async (client: typeof one, sent: string): Promise<string> => {
    const answer = messages(client, 1)
    client.send(sent)
    return (await answer)[0]!
  }
  const refused = (code: string): string => `{"type":"error","code":"${code}"}`
  await ask(one, payment('a', now))
  assert.equal(await ask(one, payment('a', now)), refused('SALLY_MESSAGE_REPLAYED'))
  assert.equal(await ask(two, payment('a', now)), refused('SALLY_MESSAGE_REPLAYED'))
  assert.equal(await ask(two, payment('b', now - 11_000)), refused('SALLY_MESSAGE_STALE'))
  await ask(two, payment('b', now))
  assert.deepEqual(
    backend.received.map(({ data }) => String(data)),
    ['{"type":"pay","id":"a"}', '{"type":"pay","id":"b"}'],
    'without the field that no schema declares',
  )
  await world.close()
  await backend.close()
})
