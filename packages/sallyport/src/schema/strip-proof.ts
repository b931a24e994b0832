import type { JsonDocument, JsonNode } from './json-document.ts'
import type { JsonSchema } from '../model/schema-kinds.ts'

/** Keywords that judge no object by which fields it has, nor a list by what fields its elements have. */
const HARMLESS: ReadonlySet<string> = new Set(
  `$schema $id $anchor $comment $ref $defs definitions title description default examples deprecated readOnly writeOnly
   ~kind ~optional ~readonly type properties patternProperties additionalProperties maxProperties propertyNames
   items prefixItems additionalItems minItems maxItems allOf
   format pattern minLength maxLength minimum maximum exclusiveMinimum exclusiveMaximum multipleOf`.split(/\s+/),
)
const SCALARS: ReadonlySet<unknown> = new Set(['string', 'number', 'integer', 'boolean', 'null', 'bigint'])

/**
 * Whether it follows from the schemas that a valid message is still valid once it was stripped, so that it need not be
 * validated a second time.
 *
 * Stripping removes only fields that no schema of their object declares; a declared field is stripped by all schemas
 * that declare it. So by induction over the depth: `properties`, `patternProperties`, `additionalProperties` and the
 * items of a list hold for what is left of each field and element; `required` holds if it names fields that the same
 * schema declares; fewer fields satisfy `maxProperties` and `propertyNames`; the length of a list stays; `const`,
 * `enum` and `uniqueItems` are safe where they see scalars alone. `allOf` and `$ref` only add schemas. Any other keyword
 * (`not`, `oneOf`, `if`, `contains`, `minProperties`, one that is not known here…) may see that a field is gone.
 */
export function keepsValid({ nodes }: Pick<JsonDocument, 'nodes'>): boolean {
  return nodes.every(isHarmless)
}

function isHarmless(node: JsonNode): boolean {
  if (typeof node === 'boolean') return true
  return Reflect.ownKeys(node).every(key => typeof key === 'string' && isHarmlessKey(node, key))
}

function isHarmlessKey(node: JsonSchema, key: string): boolean {
  const value = node[key]
  if (HARMLESS.has(key) || key.startsWith('x-')) return true
  if (key === 'const') return isScalar(value)
  if (key === 'enum') return Array.isArray(value) && value.every(isScalar)
  if (key === 'required') return Array.isArray(value) && value.every(name => declares(node, name))
  if (key === 'uniqueItems') return value === false || isOfScalars(node['items'])
  return false
}

function isScalar(value: unknown): boolean {
  return typeof value !== 'object' || value === null
}

function declares({ properties }: JsonSchema, name: unknown): boolean {
  return (
    typeof properties === 'object' && properties !== null && typeof name === 'string' && Object.hasOwn(properties, name)
  )
}

/** Whether elements are scalars, as their own schema says. */
function isOfScalars(items: unknown): boolean {
  if (typeof items !== 'object' || items === null || Array.isArray(items)) return false
  const { type } = items as JsonSchema
  return type !== undefined && [type].flat().every(one => SCALARS.has(one))
}
