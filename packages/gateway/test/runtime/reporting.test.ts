// A route in report mode relays as a blind proxy does: every message, byte for byte and in order.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { WebSocket } from 'ws'
import { createBackend } from '../support/backends.ts'
import { configOf, createWorld, route } from '../support/gateway-world.ts'

const HOSTILE: readonly (string | Buffer)[] = [
  '{"type":"chat","message":"a","admin":true}',
  '{ "message" : "\\u0041\\/" , "type":"chat" }',
  '{"type":"nope"}',
  'no JSON, é',
  '{"type":"chat","type":"x","__proto__":{}}',
  '{"type":"chat","message":"a","id":9007199254740993,"n":1e400}',
  `{"type":"chat","message":"a","d":${'['.repeat(60)}${']'.repeat(60)}}`,
  Buffer.from([0, 255, 1]),
]

test('in report mode the backend gets what came, and every denial is only told', async () => {
  const backend = await createBackend({ echo: false })
  const world = await createWorld(
    configOf([backend.target], [route({ report: true, message: { rate: { messages: 3, per: '1 minute' } } })]),
  )
  const client = new WebSocket(`ws://127.0.0.1:${world.port}/ws`, { origin: 'https://evil.example' })
  await once(client, 'open')
  const closed = new Promise(resolve => backend.sockets[0]!.once('close', resolve))
  for (const message of HOSTILE) client.send(message)
  client.close(4000, 'done')
  await closed
  assert.deepEqual(
    backend.received.map(({ data, isBinary }) => (isBinary ? data.toString('hex') : data.toString())),
    HOSTILE.map(message => (typeof message === 'string' ? message : message.toString('hex'))),
  )
  const denials = world.events.filter(({ kind }) => kind === 'denial')
  assert.ok(denials.every(({ enforced }) => enforced === false))
  for (const code of ['SALLY_ORIGIN_NOT_ALLOWED', 'SALLY_MESSAGE_FIELDS', 'SALLY_MESSAGE_TYPE', 'SALLY_MESSAGE_RATE']) {
    assert.ok(
      denials.some(event => event.code === code),
      code,
    )
  }
  await world.close()
  await backend.close()
})
