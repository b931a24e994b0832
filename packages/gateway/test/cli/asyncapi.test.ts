import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createGuard } from 'sallyport'
import { stringify } from 'yaml'
import { readAsyncApi } from '../../src/cli/asyncapi.ts'

/** A chat as AsyncAPI 3 describes it, from the server's side. */
function chat(): any {
  return {
    asyncapi: '3.0.0',
    info: { title: 'chat', version: '1' },
    channels: {
      room: {
        address: '/ws',
        messages: {
          chat: { $ref: '#/components/messages/chat' },
          said: { payload: { type: 'object', properties: { type: { const: 'said' }, text: { type: 'string' } } } },
        },
      },
    },
    operations: {
      onChat: {
        action: 'receive',
        channel: { $ref: '#/channels/room' },
        messages: [{ $ref: '#/channels/room/messages/chat' }],
      },
      say: {
        action: 'send',
        channel: { $ref: '#/channels/room' },
        messages: [{ $ref: '#/channels/room/messages/said' }],
      },
    },
    components: {
      messages: { chat: { name: 'chat', payload: { $ref: '#/components/schemas/Chat' } } },
      schemas: {
        Chat: {
          type: 'object',
          'x-parser-schema-id': 'Chat',
          required: ['type', 'room'],
          properties: {
            type: { const: 'chat' },
            room: { $ref: '#/components/schemas/Room' },
            also: { type: 'array', items: { $ref: '#/components/schemas/Room' } },
          },
        },
        Room: { type: 'object', required: ['id'], properties: { id: { type: 'string', maxLength: 36 } } },
      },
    },
  }
}

const read = (change: (document: any) => void = () => {}, discriminator?: string): any => {
  const document = chat()
  change(document)
  return readAsyncApi(stringify(document, { aliasDuplicateObjects: false }), 'api.yaml', discriminator)
}

test('what the server receives is inbound, what it sends is outbound, by type', () => {
  const { inbound, outbound, notes } = read()
  assert.deepEqual(Object.keys(inbound), ['chat'])
  assert.deepEqual(Object.keys(outbound), ['said'])
  assert.deepEqual(notes, [])
  assert.deepEqual(inbound.chat.properties.room, { $ref: '#/$defs/Room' })
  assert.deepEqual(Object.keys(inbound.chat.$defs), ['Room'])
  assert.equal('x-parser-schema-id' in inbound.chat, false)
})

test('the library compiles what comes out, and it refuses what the document does not allow', async () => {
  const { inbound } = read()
  const guard = createGuard({
    handshake: { origin: { allow: ['https://a.example'] }, session: () => null },
    message: { schema: inbound },
  })
  assert.equal(guard.policy.message.schema?.types['chat'], inbound.chat)
})

test('a reference in a circle is a recursive schema, not an endless import', () => {
  const { inbound } = read(document => {
    document.components.schemas.Room.properties.parent = { $ref: '#/components/schemas/Room' }
  })
  assert.deepEqual(inbound.chat.$defs.Room.properties.parent, { $ref: '#/$defs/Room' })
})

test('without messages an operation has all of its channel', () => {
  const { inbound } = read(document => {
    delete document.operations.onChat.messages
  })
  assert.deepEqual(Object.keys(inbound), ['chat', 'said'])
})

test('a payload that fixes no type is taken by its name, and says so', () => {
  const { inbound, notes } = read(document => {
    document.components.schemas.Chat.properties.type = { type: 'string' }
  })
  assert.deepEqual(inbound.chat.properties.type, { const: 'chat' })
  assert.match(notes[0], /chat: its payload fixes no type/)
})

test('another key names the type; an enum of one fixes it; schemaFormat of JSON Schema is read', () => {
  const { inbound } = read(document => {
    document.components.schemas.Chat.properties.action = { enum: ['talk'] }
    document.components.messages.chat.payload = {
      schemaFormat: 'application/schema+json;version=draft-07',
      schema: { $ref: '#/components/schemas/Chat' },
    }
  }, 'action')
  assert.deepEqual(Object.keys(inbound), ['talk'])
})

describe('what is not read says so, with its place', () => {
  const rows: readonly [name: string, change: (document: any) => void, path: string, told: RegExp][] = [
    ['no AsyncAPI', d => delete d.asyncapi, '', /no AsyncAPI/],
    ['version 2', d => (d.asyncapi = '2.6.0'), 'asyncapi', /2\.6\.0 is not read/],
    [
      'another document',
      d => (d.components.messages.chat.payload = { $ref: './chat.json' }),
      'components.messages.chat.payload',
      /another document/,
    ],
    [
      'another document, deep inside',
      d => (d.components.schemas.Chat.properties.room = { $ref: 'https://evil.example/x.json' }),
      'components.schemas.Chat.properties.room',
      /another document/,
    ],
    [
      'a reference to nothing',
      d => (d.components.messages.chat.payload = { $ref: '#/components/schemas/Nobody' }),
      'components.messages.chat.payload',
      /nothing is at/,
    ],
    [
      'a reference into objects',
      d => (d.components.messages.chat.payload = { $ref: '#/constructor/prototype' }),
      'components.messages.chat.payload',
      /nothing is at/,
    ],
    [
      'references in a circle',
      d => (d.components.messages.chat = { $ref: '#/components/messages/chat' }),
      'operations.onChat.messages[0]',
      /without end/,
    ],
    [
      'Avro',
      d =>
        (d.components.messages.chat.payload = {
          schemaFormat: 'application/vnd.apache.avro;version=1.9.0',
          schema: {},
        }),
      'components.messages.chat.payload.schemaFormat',
      /no JSON Schema/,
    ],
    ['message traits', d => (d.components.messages.chat.traits = []), 'components.messages.chat.traits', /traits/],
    ['no payload', d => delete d.components.messages.chat.payload, 'components.messages.chat', /without payload/],
    ['another action', d => (d.operations.onChat.action = 'publish'), 'operations.onChat.action', /neither/],
    ['nothing received', d => delete d.operations.onChat, 'operations', /no operation receives/],
  ]
  for (const [name, change, path, told] of rows) {
    test(name, () => {
      const problems = read(change)
      assert.ok(Array.isArray(problems), 'it was read')
      assert.equal(problems[0].path, path)
      assert.match(problems[0].message, told)
      assert.ok(problems[0].line > 0)
    })
  }
})
