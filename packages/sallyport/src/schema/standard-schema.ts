import type { StandardSchemaV1 } from '@standard-schema/spec'
import { schemaError } from './schema-error.ts'
import { UNKNOWN_FIELDS, refusal } from './schema-result.ts'
import type { SchemaCheck, SchemaOptions, SchemaResult } from './schema-result.ts'

/** Whether a schema speaks Standard Schema (Zod, Valibot, ArkType, Joi…). ArkType's are functions. */
export function isStandardSchema(schema: unknown): schema is StandardSchemaV1 {
  if ((typeof schema !== 'object' && typeof schema !== 'function') || schema === null) return false
  const standard = (schema as Partial<StandardSchemaV1>)['~standard']
  return typeof standard === 'object' && standard !== null && typeof standard.validate === 'function'
}

/**
 * Compiles a Standard Schema. What passes on is the schema's output: Zod's and Valibot's objects strip what they do
 * not declare; ArkType's and Joi's are told to. What the validator throws is thrown on.
 */
export function compileStandard(type: string, schema: StandardSchemaV1, options: SchemaOptions): SchemaCheck {
  const { discriminator, unknownFields } = options
  const standard = stripping(type, schema)['~standard']
  const refuse = unknownFields === 'refuse'
  const unstripped = deletesLate(schema) ? schema['~standard'] : null

  const judge = (input: object, result: StandardSchemaV1.Result<unknown>): SchemaResult => {
    if (result.issues) return explain(result.issues)
    // A result with neither issues nor a value is no success.
    if (!('value' in result)) return refusal('', 'no-result')
    const value = withDiscriminator(input, result.value, discriminator)
    if (!(refuse || unstripped !== null) || !lost(input, value)) return { ok: true, value }
    if (refuse) return UNKNOWN_FIELDS
    // ArkType deletes a field after its predicates have seen it.
    const again = unstripped?.validate(value)
    return again !== undefined && 'issues' in again && again.issues ? explain(again.issues) : { ok: true, value }
  }
  let validate: Validate = value => standard.validate(value)
  return input => {
    const result = validate(input)
    if (!('then' in result)) return judge(input, result)
    return Promise.resolve(result).then(late => {
      validate = asynchronous(schema) ?? validate
      return judge(input, late)
    })
  }
}

type Validate = (value: unknown) => StandardSchemaV1.Result<unknown> | Promise<StandardSchemaV1.Result<unknown>>

/**
 * Zod tries every value synchronously first and, where the schema is asynchronous, a second time; a refinement that
 * rejects in the first try is a rejection that nobody handles. Once a schema is known to be asynchronous it is called so.
 */
function asynchronous(schema: StandardSchemaV1): Validate | null {
  if (schema['~standard'].vendor !== 'zod') return null
  const { safeParseAsync } = schema as { safeParseAsync?: (value: unknown) => Promise<ZodResult> }
  if (typeof safeParseAsync !== 'function') return null
  return async value => {
    const result = await safeParseAsync.call(schema, value)
    return result.success ? { value: result.data } : { issues: result.error?.issues ?? [] }
  }
}

interface ZodResult {
  readonly success: boolean
  readonly data?: unknown
  readonly error?: { readonly issues: readonly StandardSchemaV1.Issue[] }
}

/** ArkType keeps undeclared keys and Joi refuses them, unless they are told otherwise. */
function stripping(type: string, schema: StandardSchemaV1): StandardSchemaV1 {
  const { vendor } = schema['~standard']
  if (vendor === 'joi') {
    const { prefs } = schema as { prefs?: (preferences: { stripUnknown: boolean }) => StandardSchemaV1 }
    return prefs?.call(schema, { stripUnknown: true }) ?? schema
  }
  if (vendor !== 'arktype') return schema
  const { onDeepUndeclaredKey } = schema as { onDeepUndeclaredKey?: (behavior: 'delete') => StandardSchemaV1 }
  if (typeof onDeepUndeclaredKey !== 'function') {
    throw schemaError(type, 'this ArkType has no onDeepUndeclaredKey', 'Update arktype to 2.0 or later.')
  }
  return onDeepUndeclaredKey.call(schema, 'delete')
}

/** Whether fields are deleted after the schema was checked, and values are not transformed: then it can be checked again. */
function deletesLate(schema: StandardSchemaV1): boolean {
  return (
    schema['~standard'].vendor === 'arktype' && (schema as { includesTransform?: boolean }).includesTransform === false
  )
}

function withDiscriminator(input: object, output: unknown, discriminator: string | null): unknown {
  if (discriminator === null || !isPlain(output) || Object.hasOwn(output, discriminator)) return output
  return { ...output, [discriminator]: (input as Record<string, unknown>)[discriminator] }
}

/** Whether a key of the input is missing from the output, at any depth. What a transform replaced is not compared. */
function lost(input: unknown, output: unknown): boolean {
  if (Array.isArray(input)) {
    return Array.isArray(output) && input.length === output.length && input.some((item, at) => lost(item, output[at]))
  }
  if (!isPlain(input) || !isPlain(output)) return false
  return Object.keys(input).some(key => !Object.hasOwn(output, key) || lost(input[key], output[key]))
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function explain(issues: readonly StandardSchemaV1.Issue[]): SchemaResult {
  const issue = issues[0]
  const path = (issue?.path ?? []).map(segment => `/${String(typeof segment === 'object' ? segment.key : segment)}`)
  // Not in the standard: Zod and ArkType name the rule in `code`, Valibot in `type`. Never `message`: it may hold the value.
  const { code, type } = (issue ?? {}) as { code?: unknown; type?: unknown }
  return refusal(path.join(''), code ?? type)
}
