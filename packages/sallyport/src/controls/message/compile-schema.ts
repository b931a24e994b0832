import { compileAjv, compileJsonSchema, compileTypeBox, isAjv, isTypeBoxValidator } from '../../schema/json-schema.ts'
import { schemaError } from '../../schema/schema-error.ts'
import type { JsonSchema, Schema } from '../../model/schema-kinds.ts'
import type { SchemaCheck, SchemaOptions } from '../../schema/schema-result.ts'
import { compileStandard, isStandardSchema } from '../../schema/standard-schema.ts'

/**
 * Compiles the schema of one message type, of any supported kind. Throws a SchemaError (`code: 'SALLY_SCHEMA_INVALID'`)
 * that names the type, the place in the schema and the remedy.
 */
export function compileSchema(type: string, schema: Schema, options: SchemaOptions): SchemaCheck {
  if (isStandardSchema(schema)) return compileStandard(type, schema, options)
  if (isAjv(schema)) return compileAjv(type, schema, options)
  if (isTypeBoxValidator(schema)) return compileTypeBox(type, schema, options)
  if (isPlainObject(schema)) return compileJsonSchema(type, schema, options)
  const remedy =
    'Give a Standard Schema (Zod, Valibot, ArkType, Joi 18), a JSON Schema, or a compiled Ajv or TypeBox validator.'
  throw schemaError(type, `${kindOf(schema)} is no schema`, remedy)
}

function isPlainObject(schema: unknown): schema is JsonSchema {
  return typeof schema === 'object' && schema !== null && !Array.isArray(schema)
}

function kindOf(schema: unknown): string {
  if (schema === null) return 'null'
  return Array.isArray(schema) ? 'a list' : `a ${typeof schema}`
}
