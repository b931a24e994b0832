import { Ajv2020 } from 'ajv/dist/2020.js'
import * as ajvFormats from 'ajv-formats'
import { type } from 'arktype'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import * as v from 'valibot'
import * as z from 'zod'
import type { SchemaMap } from '../../src/model/schema-kinds.ts'

/*
 * The seed's Joi schemas, in each kind that a policy takes:
 *   chat:      { type: 'chat', message: string.max(1000), roomId: string.uuid }
 *   subscribe: { type: 'subscribe', channels: array(string.alphanum).max(10) }
 */

const CHAT = {
  type: 'object',
  properties: {
    type: { const: 'chat' },
    message: { type: 'string', maxLength: 1000 },
    roomId: { type: 'string', format: 'uuid' },
  },
  required: ['type', 'message', 'roomId'],
}
const SUBSCRIBE = {
  type: 'object',
  properties: {
    type: { const: 'subscribe' },
    channels: { type: 'array', maxItems: 10, items: { type: 'string', pattern: '^[a-zA-Z0-9]+$' } },
  },
  required: ['type', 'channels'],
}

const ajv = new Ajv2020()
ajvFormats.default.default(ajv)

const TypeBoxChat = Type.Object({
  type: Type.Literal('chat'),
  message: Type.String({ maxLength: 1000 }),
  roomId: Type.String({ format: 'uuid' }),
})
const TypeBoxSubscribe = Type.Object({
  type: Type.Literal('subscribe'),
  channels: Type.Array(Type.String({ pattern: '^[a-zA-Z0-9]+$' }), { maxItems: 10 }),
})

export const SEED_SCHEMAS: Readonly<Record<string, SchemaMap>> = {
  Zod: {
    chat: z.object({ type: z.literal('chat'), message: z.string().max(1000), roomId: z.uuid() }),
    subscribe: z.object({
      type: z.literal('subscribe'),
      channels: z.array(z.string().regex(/^[a-zA-Z0-9]+$/)).max(10),
    }),
  },
  Valibot: {
    chat: v.object({
      type: v.literal('chat'),
      message: v.pipe(v.string(), v.maxLength(1000)),
      roomId: v.pipe(v.string(), v.uuid()),
    }),
    subscribe: v.object({
      type: v.literal('subscribe'),
      channels: v.pipe(v.array(v.pipe(v.string(), v.regex(/^[a-zA-Z0-9]+$/))), v.maxLength(10)),
    }),
  },
  ArkType: {
    chat: type({ type: "'chat'", message: 'string <= 1000', roomId: 'string.uuid' }),
    subscribe: type({ type: "'subscribe'", channels: '/^[a-zA-Z0-9]+$/[] <= 10' }),
  },
  TypeBox: { chat: TypeBoxChat, subscribe: TypeBoxSubscribe },
  'TypeBox compiled': { chat: Compile(TypeBoxChat), subscribe: Compile(TypeBoxSubscribe) },
  'JSON Schema': { chat: CHAT, subscribe: SUBSCRIBE },
  'Ajv compiled': { chat: ajv.compile(CHAT), subscribe: ajv.compile(SUBSCRIBE) },
}
