import type { SchemaMap } from '../../model/schema-kinds.ts'
import { entriesOf, type Fields, openChild, readDanger, refuse } from '../../shape/fields.ts'
import { kindOf, pathTo } from '../../shape/shown.ts'
import { faultOfSchema } from './schema-value.ts'

const ANY = 'dangerouslyAcceptAnyMessage'
const WRITE = 'write schema: { chat: ChatSchema }, a schema for every type of message that clients may send'
const LONGEST_TYPE = 128

/** A type that no message of the app may have, and the reason. */
export interface ReservedType {
  readonly type: string
  readonly fault: string
  readonly remedy: string
}

/**
 * `message.schema`: the accepted messages by type. The key is required. Null means "any message", which the policy must
 * request by name.
 */
export function readSchema(message: Fields, reserved: readonly ReservedType[]): SchemaMap | null {
  const said = message.get('schema')
  if (said === undefined) {
    refuse(message, 'schema', 'nothing', 'it must be decided what clients may send', WRITE)
    return null
  }
  if (isMarkedAny(said)) {
    const section = openChild(message, 'schema', [ANY])
    if (readDanger(section, ANY, 'message/schema')) return null
    if (section.get(ANY) === false)
      refuse(message, 'schema', 'an object', 'it must be decided what clients may send', WRITE)
    return null
  }
  if (isOneSchema(said)) {
    refuse(message, 'schema', kindOf(said), 'one schema, where a map of them by type of message is meant', WRITE)
    return null
  }
  return readSchemaMap(message, 'schema', reserved)
}

/**
 * A map of schemas by message type, on an object without a prototype. The schemas themselves belong to the app and are
 * not changed.
 */
export function readSchemaMap(message: Fields, key: string, reserved: readonly ReservedType[]): SchemaMap | null {
  const path = pathTo(message.path, key)
  const told = message.findings.problems.length
  const entries = entriesOf(message.get(key), path, message.findings)
  if (entries.length === 0 && told === message.findings.problems.length)
    refuse(message, key, 'an empty object', 'no type of message could be sent', WRITE)
  const at: Fields = { ...message, path }
  const map = new Map<string, SchemaMap[string]>()
  for (const [type, schema] of entries) {
    if (!isTypeName(type)) {
      refuse(
        at,
        type,
        kindOf(schema),
        'not a usable name for a type of message',
        'write a name of 1 to 128 characters that objects do not have by themselves',
      )
      continue
    }
    const taken = reserved.find(one => one.type === type)
    if (taken !== undefined) {
      refuse(at, type, kindOf(schema), taken.fault, taken.remedy)
      continue
    }
    const fault = faultOfSchema(schema)
    if (fault === null) map.set(type, schema as SchemaMap[string])
    else refuse(at, type, kindOf(schema), fault.message, fault.remedy, fault.nearest)
  }
  const types: { [type: string]: SchemaMap[string] } = Object.create(null)
  for (const [type, schema] of map) types[type] = schema
  return Object.freeze(types)
}

/** False for the empty name and for names that every object has: `__proto__`, `constructor`, `toString`… */
function isTypeName(name: string): boolean {
  return name !== '' && name.length <= LONGEST_TYPE && name !== 'prototype' && !(name in Object.prototype)
}

/** Whether the value is one schema of a library, or one JSON Schema. A map of schemas is neither. */
function isOneSchema(said: unknown): boolean {
  try {
    if ((typeof said !== 'object' && typeof said !== 'function') || said === null) return false
    if ('~standard' in said || ('Check' in said && 'Errors' in said)) return true
    return ['type', '$ref', '$schema'].some(
      key => Object.hasOwn(said, key) && typeof Reflect.get(said, key) === 'string',
    )
  } catch {
    return false
  }
}

function isMarkedAny(said: unknown): boolean {
  try {
    return typeof said === 'object' && said !== null && Object.hasOwn(said, ANY)
  } catch {
    return false
  }
}
