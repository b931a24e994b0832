import { isTypeBoxValidator } from '../schema/json-schema.ts'
import type { JsonSchema, Schema } from '../model/schema-kinds.ts'
import { compileLeaf, type Leaf } from './template-leaf.ts'
import { isStandardSchema } from '../schema/standard-schema.ts'
import { isOwnValidator } from '../schema/typebox.ts'

/** What a field may be. */
export type FieldPlan = ObjectPlan | Leaf

/** What an object of a message may be, as its schema says. */
export interface ObjectPlan {
  /** By name; a field that is declared, but not readable here, is missing. */
  readonly fields: ReadonlyMap<string, FieldPlan>
  readonly required: readonly string[]
  /** Whether a field that is not declared is refused. */
  readonly closed: boolean
  readonly least: number
  readonly most: number
}

/** Keywords that no value is judged by. TypeBox's own are hidden properties. */
const SILENT: ReadonlySet<string> = new Set(
  `$id $schema $comment $defs definitions title description default examples deprecated readOnly writeOnly
   ~kind ~optional ~readonly`.split(/\s+/),
)
const OBJECT: ReadonlySet<string> = new Set([
  'type',
  'properties',
  'required',
  'additionalProperties',
  'minProperties',
  'maxProperties',
])
const DEPTH_MOST = 32

/**
 * Reads a schema for what may be checked in the bytes of a message. Null where there is a keyword at its root that is
 * not known here. A field with such a keyword is left out: messages without it are judged by the rest alone.
 */
export function planOf(schema: Schema): ObjectPlan | null {
  const root = jsonOf(schema)
  const plan = root === null ? null : planField(root, 1)
  return plan !== null && isObjectPlan(plan) ? plan : null
}

/** Whether the plan is that of an object. */
export function isObjectPlan(plan: FieldPlan): plan is ObjectPlan {
  return 'fields' in plan
}

function jsonOf(schema: Schema): unknown {
  // In the order of compileSchema: what is both is asked as a Standard Schema.
  if (isStandardSchema(schema)) return null
  if (!isTypeBoxValidator(schema)) return schema
  const { Schema: own, Type: type } = schema as { Schema?: () => unknown; Type?: () => unknown }
  return isOwnValidator(schema) ? (own ?? type)?.call(schema) : null
}

function planField(schema: unknown, depth: number): FieldPlan | null {
  if (!isPlain(schema) || depth > DEPTH_MOST) return null
  const keywords = Reflect.ownKeys(schema).filter(key => !SILENT.has(String(key)) && !String(key).startsWith('x-'))
  if (!keywords.every(key => typeof key === 'string')) return null
  if (schema['type'] !== 'object' && !keywords.includes('properties')) return compileLeaf(schema, keywords)
  return keywords.every(key => OBJECT.has(key)) ? planObject(schema, keywords, depth) : null
}

function planObject(schema: JsonSchema, keywords: readonly string[], depth: number): ObjectPlan | null {
  const own = (key: string, otherwise: unknown): unknown => (keywords.includes(key) ? schema[key] : otherwise)
  const properties = own('properties', {})
  const required = own('required', [])
  const additional = own('additionalProperties', true)
  const least = own('minProperties', 0)
  const most = own('maxProperties', Number.MAX_SAFE_INTEGER)
  if (own('type', 'object') !== 'object' || !isPlain(properties) || typeof additional !== 'boolean') return null
  if (!Array.isArray(required) || !required.every(name => typeof name === 'string')) return null
  if (typeof least !== 'number' || typeof most !== 'number' || !Number.isFinite(least + most)) return null
  const fields = new Map<string, FieldPlan>()
  for (const name of Object.keys(properties)) {
    const plan = planField(properties[name], depth + 1)
    if (plan !== null) fields.set(name, plan)
  }
  return { fields, required, closed: !additional, least, most }
}

/** An inherited keyword counts for validators: they ask `key in schema`. */
function isPlain(value: unknown): value is JsonSchema {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
