import { type Fields, refuse } from '../../shape/fields.ts'
import { choice, count, danger } from '../../shape/kinds.ts'
import { type InputOf, key, type Shape } from '../../shape/shape.ts'
import { show } from '../../shape/shown.ts'
import type { SchemaMap } from '../../model/schema-kinds.ts'

const FORBIDDEN: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

/** The key that names the type of a message. */
const discriminator: Shape<string, string> = {
  type: 'string',
  schema: { type: 'string' },
  read: readDiscriminator,
  words: name => `'${name}'`,
}

/** Schemas by message type. `readSchema` reads them. */
const schemas: Shape<SchemaMap | null, SchemaMap> = {
  type: '{ [type]: Schema }',
  schema: {},
  read: (_fields, _name, fallback) => fallback,
  words: () => 'none',
}

/** Keys of `message.schema`. A map of schemas by type is the section itself. */
export const SCHEMA_KEYS = {
  '': key(
    schemas,
    null,
    'Standard Schema (Zod, Valibot, ArkType, Joi 18), JSON Schema, compiled Ajv or TypeBox, by message type.',
    { shown: '*must be decided*' },
  ),
  dangerouslyAcceptAnyMessage: danger('Instead of schemas: whatever passes `message/format` reaches the app.'),
}

/** Keys of `message` that belong to schemas. */
export const BESIDE_SCHEMA = {
  discriminator: key(discriminator, 'type', 'The key that names the type of a message.'),
  unknownFields: key(choice('strip', 'refuse'), 'strip', 'What happens to fields that no schema declares.'),
  strikes: key(count(1, 10_000), 5, 'Refused messages of one connection within a minute before it is closed.', {
    because: 'one mistake is a bug, more than five within a minute are a probe',
  }),
}
/** What a policy may write beside `message.schema`. */
export type SchemaBesideInput = InputOf<typeof BESIDE_SCHEMA>

function readDiscriminator(message: Fields, name: string, fallback: string): string {
  const value = message.get(name)
  if (value === undefined) return fallback
  if (isFieldName(value)) return value
  refuse(message, name, show(value), 'not a key that can name the type', "write the key, such as 'type' or 'action'")
  return fallback
}

/** Whether a value of the policy can be the name of a field of messages. */
export function isFieldName(value: unknown): value is string {
  return typeof value === 'string' && /^[^\p{C}]{1,64}$/u.test(value) && !FORBIDDEN.has(value)
}
