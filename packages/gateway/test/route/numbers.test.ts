import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { stringify } from 'yaml'
import { parseConfig } from '../../src/config/parse.ts'
import { goodConfig } from '../config/good-config.ts'
import { createBackend } from '../support/backends.ts'
import { configOf, createWorld, messages, route } from '../support/gateway-world.ts'

/** The section `message` of a route, as a file says it. */
function messageOf(yaml: string): object {
  const config = goodConfig()
  config.routes.chat.message = '{}'
  const text = stringify(config).replace(/message: .*/, `message: ${yaml}`)
  return parseConfig(text, { file: 'gateway.yaml', env: {} }).routes[0]!.policy.message
}

const SCHEMA = `schema: { row: { type: object, properties: { type: { const: row }, id: { type: integer, maximum: 9223372036854775807 }, n: { type: number } } } }`

const modes: readonly (readonly [
  name: string,
  format: string,
  sent: readonly string[],
  received: readonly string[],
])[] = [
  [
    'by default integers beyond 2^53 are refused, and the rest passes byte for byte',
    'format: {}',
    [
      '{"type":"row","id":9007199254740993}',
      '{"type":"row","n":0.1000000000000000055511151231257827}',
      '{"type":"row","other":1E400}',
      ' {"n" : 1.50, "type":"row"}',
      '{"type":"row","n":-0,"other":[1.0]}',
      '{"type":"row","n":1e3,"id":9007199254740991}',
    ],
    [' {"n" : 1.50, "type":"row"}', '{"type":"row","n":-0}', '{"type":"row","n":1e3,"id":9007199254740991}'],
  ],
  ...(['text', 'bigint'] as const).map(
    mode =>
      [
        `bigIntegers: ${mode}: the backend receives the very digits, judged as sent`,
        `format: { bigIntegers: ${mode} }`,
        [
          '{ "type":"row","id":9007199254740993}',
          '{"type":"row","id":9223372036854775807,"admin":true}',
          '{"type":"row","id":9223372036854775808}',
          '{"type":"row","id":18446744073709551616}',
          '{"type":"row","id":-9223372036854775808,"n":5.0e-1}',
        ],
        [
          '{ "type":"row","id":9007199254740993}',
          '{"type":"row","id":9223372036854775807}',
          '{"type":"row","id":-9223372036854775808,"n":5.0e-1}',
        ],
      ] as const,
  ),
]

describe('numbers reach the backend as they were sent, or not at all', () => {
  for (const [name, format, sent, received] of modes) {
    test(name, async () => {
      const backend = await createBackend()
      const message = { ...messageOf(`{ strikes: 100, ${format}, ${SCHEMA} }`), rate: { dangerouslyOff: true } }
      const world = await createWorld(configOf([backend.target], [route({ message })]))
      const client = await world.connect()
      const answers = messages(client, sent.length)
      for (const text of sent) client.send(text)
      await answers
      assert.deepEqual(
        backend.received.map(({ data }) => String(data)),
        received,
      )
      await world.close()
      await backend.close()
    })
  }

  test('what a backend sends under message.outbound reaches the client byte for byte, or not at all', async () => {
    const backend = await createBackend({ echo: false })
    const outbound = { row: { type: 'object', properties: { type: { const: 'row' }, id: { type: 'integer' } } } }
    const world = await createWorld(configOf([backend.target], [route({ message: { outbound } })]))
    const client = await world.connect()
    const got = messages(client, 2)
    const [socket] = backend.sockets
    socket!.send('{"type":"row","id":9007199254740993}')
    socket!.send('{"id" : 1.0,"type":"row"}')
    socket!.send('{"type":"row","id":2.0,"hash":"x"}')
    assert.deepEqual(await got, ['{"id" : 1.0,"type":"row"}', '{"type":"row","id":2.0}'])
    await world.close()
    await backend.close()
  })
})

test('a bound of a schema in a file is read digit for digit', () => {
  const { schema } = messageOf(`{ ${SCHEMA} }`) as { schema: { row: { properties: { id: { maximum: unknown } } } } }
  assert.equal(schema.row.properties.id.maximum, 9223372036854775807n)
})
