import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ajv } from 'ajv'
import { type } from 'arktype'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { Compile as CompileSchema } from 'typebox/schema'
import * as v from 'valibot'
import * as z from 'zod'
import type { Handlers } from '../../src/model/message-types.ts'
import type { SchemaMap } from '../../src/model/schema-kinds.ts'

const TypeBoxChat = Type.Object({
  type: Type.Literal('typebox'),
  text: Type.String(),
  count: Type.Optional(Type.Integer()),
  tags: Type.Array(Type.Union([Type.Literal('a'), Type.Literal('b')])),
  pair: Type.Tuple([Type.String(), Type.Number()]),
  map: Type.Record(Type.String(), Type.Boolean()),
})

const schemas = {
  zod: z.object({ type: z.literal('zod'), text: z.string() }),
  bare: z.object({ text: z.string() }),
  valibot: v.object({ type: v.literal('valibot'), count: v.number() }),
  arktype: type({ type: "'arktype'", 'flag?': 'boolean' }),
  typebox: TypeBoxChat,
  compiled: Compile(Type.Object({ type: Type.Literal('compiled'), n: Type.Number() })),
  schema: CompileSchema({ type: 'object', properties: { text: { type: 'string' } }, required: ['text'] }),
  ajv: new Ajv().compile<{ type: 'ajv'; room: string }>({ type: 'object' }),
  plain: { type: 'object', properties: { text: { type: 'string' } } },
}
type Schemas = typeof schemas
type MessagesOf<M extends SchemaMap, D extends string = 'type'> = Parameters<Handlers<M, never, D>[keyof M & string]>[0]
type Message = MessagesOf<Schemas>
type Connection = { readonly send: (text: string) => void }

const messages: readonly Message[] = [
  { type: 'zod', text: 'x' },
  { type: 'bare', text: 'x' },
  { type: 'valibot', count: 1 },
  { type: 'arktype', flag: true },
  { type: 'typebox', text: 'x', tags: ['a'], pair: ['x', 1], map: { x: true } },
  { type: 'compiled', n: 1 },
  { type: 'schema', text: 'x' },
  { type: 'ajv', room: 'x' },
]

/** The union is told apart by its type, where no plain JSON Schema widens it. */
function read(message: MessagesOf<Omit<Schemas, 'plain'>>): string | number | boolean | undefined {
  switch (message.type) {
    case 'zod':
    case 'bare':
    case 'schema':
      return message.text
    case 'valibot':
      // @ts-expect-error -- another type's field
      void message.text
      return message.count
    case 'arktype':
      return message.flag
    case 'typebox': {
      const tag: 'a' | 'b' | undefined = message.tags[0]
      const count: number | undefined = message.count
      return tag ?? count ?? message.pair[1]
    }
    case 'compiled':
      return message.n
    case 'ajv':
      return message.room
    default:
      return message satisfies never
  }
}

const handlers: Handlers<Schemas, Connection> = {
  zod: ({ text }, connection) => connection.send(text),
  bare: (message, connection) => {
    const named: 'bare' = message.type
    connection.send(named + message.text)
  },
  valibot: ({ count }) => count + 1,
  arktype: message => message.flag === true,
  typebox: ({ text, map }) => text + String(map['x']),
  compiled: ({ n }) => n,
  schema: ({ text }) => text,
  ajv: ({ room }) => room,
  plain: message => message['text'],
}

// @ts-expect-error -- a type without a handler
const missing: Handlers<Schemas, Connection> = { zod: () => {} }

const wrong: Pick<Handlers<Schemas, Connection>, 'zod'> = {
  // @ts-expect-error -- a field that the schema does not declare
  zod: message => message.isAdmin,
}

type ByKind = MessagesOf<{ readonly join: typeof schemas.bare }, 'kind'>
const join: ByKind = { kind: 'join', text: 'x' }

test('handlers and messages are typed by their schemas', () => {
  const sent: string[] = []
  handlers.bare({ type: 'bare', text: '!' }, { send: text => sent.push(text) })
  assert.deepEqual(sent, ['bare!'])
  assert.equal(read({ type: 'zod', text: 'x' }), 'x')
  assert.equal(messages.length, 8)
  assert.equal(join.kind, 'join')
  assert.deepEqual([Object.keys(missing), Object.keys(wrong)], [['zod'], ['zod']])
})
