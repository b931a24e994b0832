import { type ExactNumbers, sameNumbers, withExactNumbers } from './exact-numbers.ts'
import { readDocument } from './json-document.ts'
import type { DocumentRules, JsonDocument, JsonNode } from './json-document.ts'
import { schemaError } from './schema-error.ts'
import type { AjvValidate, JsonSchema, TypeBoxValidator } from '../model/schema-kinds.ts'
import { UNKNOWN_FIELDS, refusal } from './schema-result.ts'
import type { SchemaCheck, SchemaOptions, SchemaResult } from './schema-result.ts'
import { leaf } from './strip-leaf.ts'
import { keepsValid } from './strip-proof.ts'
import { compileStrip, type Strip } from './strip.ts'
import { isOwnValidator, typebox } from './typebox.ts'

/** Compiles a plain JSON Schema (or a TypeBox type) with the optional peer `typebox`. Unknown formats and keywords are errors. */
export function compileJsonSchema(type: string, schema: JsonSchema, options: SchemaOptions): SchemaCheck {
  const { compile, hasFormat } = typebox(type, 'a JSON Schema')
  const bigIntegers = takesBigints(options)
  const document = readDocument(type, schema, { hasFormat, bigIntegers })
  refuseWhatNeverPasses(type, schema, options)
  const exact = withExactNumbers(schema, bigIntegers)
  const validator = attempt(type, () => compile({}, exact.root))
  const check = checkWith(document, typeboxValidate(validator), type, options, exact)
  return Object.assign(check, { isPure: true, judgesBigints: true })
}

function takesBigints({ bigIntegers }: SchemaOptions): boolean {
  return bigIntegers !== undefined && bigIntegers !== 'refuse'
}

/** More rounds of stripping need as many branches that depend on each other. */
const ROUNDS_MOST = 8
const ONCE_STRIPPED = 'once undeclared fields are stripped'

/** A compiled Ajv function: its `schema` tells what it declares. */
export function isAjv(schema: unknown): schema is AjvValidate {
  return typeof schema === 'function' && typeof (schema as Partial<AjvValidate>).schema === 'object'
}

/** Takes a compiled Ajv function. Its formats and keywords are Ajv's; what it coerces or fills in passes on. */
export function compileAjv(type: string, validate: AjvValidate, options: SchemaOptions): SchemaCheck {
  const schema = validate.schema as JsonSchema
  if (schema.$async === true) {
    throw schemaError(
      type,
      'an asynchronous Ajv schema',
      'Drop $async; look things up in message.authorize or the handler.',
    )
  }
  if (takesBigints(options)) {
    throw schemaError(
      type,
      'a compiled Ajv function, which lets bigints pass unjudged',
      "Give the JSON Schema itself, or leave message.format.bigIntegers 'refuse'.",
    )
  }
  const check = checkWith(
    readDocument(type, schema),
    value => (validate(value) ? null : explain(validate.errors)),
    type,
    options,
  )
  return Object.assign(check, { mayChange: true })
}

/** A compiled TypeBox validator, of `typebox/schema` or `typebox/compile`. */
export function isTypeBoxValidator(schema: unknown): schema is TypeBoxValidator {
  if (typeof schema !== 'object' || schema === null) return false
  const { Check, Errors } = schema as Partial<TypeBoxValidator>
  return typeof Check === 'function' && typeof Errors === 'function'
}

/** Takes a compiled TypeBox validator; its own schema tells what it declares. */
export function compileTypeBox(type: string, validator: TypeBoxValidator, options: SchemaOptions): SchemaCheck {
  const { Schema, Type, Context } = validator as {
    Schema?: () => unknown
    Type?: () => unknown
    Context?: () => unknown
  }
  const schema = (Schema ?? Type)?.call(validator)
  if (typeof schema !== 'object' || schema === null) {
    throw schemaError(
      type,
      'a validator with Check but without Schema() or Type()',
      'Give what typebox/compile or typebox/schema returns.',
    )
  }
  const context = Context?.call(validator) as DocumentRules['context']
  const document = readDocument(type, schema as JsonSchema, {
    ...(context !== undefined && { context }),
    // Of another copy of typebox the formats are not known.
    ...(isOwnValidator(validator) && { formats: typebox(type, 'a TypeBox validator').hasFormat }),
  })
  const check = checkWith(document, typeboxValidate(validator), type, options)
  return Object.assign(check, { judgesBigints: true })
}

/** Null when valid, else the refusal. */
type Validate = (value: object) => SchemaResult | null

function checkWith(
  document: JsonDocument,
  validate: Validate,
  type: string,
  options: SchemaOptions,
  exact: ExactNumbers = sameNumbers(document.root),
): SchemaCheck {
  if (leaf(document.root).open) {
    throw schemaError(
      type,
      'it describes nothing, so that any message would pass',
      'Declare properties, or additionalProperties: true.',
    )
  }
  const strip = compileStrip(document, compileBranch(document, type, exact), options.discriminator)
  const refuse = options.unknownFields === 'refuse'
  const staysValid = keepsValid(document)
  return input => {
    const refused = validate(input)
    if (refused !== null) return refused
    // The value of an acknowledgement may be a string or a number.
    const value = typeof input === 'object' && input !== null ? strip(input) : input
    if (value === input) return { ok: true, value }
    if (refuse) return UNKNOWN_FIELDS
    return staysValid ? { ok: true, value } : settled(value, strip, validate)
  }
}

/**
 * What is left of a message once nothing more is stripped from it. A field that goes can take the branch with it that
 * declared another field, so each rest is validated and stripped again; a rest that does not match is refused.
 */
function settled(first: object, strip: Strip, validate: Validate): SchemaResult {
  let value = first
  for (let round = 0; round < ROUNDS_MOST; round++) {
    const refused = validate(value)
    if (refused !== null) return refused.ok ? refused : { ok: false, detail: `${refused.detail} ${ONCE_STRIPPED}` }
    const next = strip(value)
    if (next === value) return { ok: true, value }
    value = next
  }
  return refusal('', 'unsettled')
}

/** Branches are checked by typebox whoever validates: Ajv's compiled function does not tell which branch held. */
function compileBranch(
  { named, branches }: JsonDocument,
  type: string,
  exact: ExactNumbers,
): (node: JsonNode) => (value: unknown) => boolean {
  if (!branches) return () => () => false
  const { compile } = typebox(type, 'stripping by anyOf, oneOf, if or dependentSchemas')
  const context = Object.fromEntries([...named].map(([id, node]) => [id, exact.of(node)]))
  const { $defs = {}, definitions = {} } = exact.root
  return node => {
    const validator = compile(context, { $defs, definitions, allOf: [exact.of(node)] })
    return value => validator.Check(value)
  }
}

function typeboxValidate(validator: TypeBoxValidator): Validate {
  return value => {
    if (validator.Check(value)) return null
    const errors = validator.Errors(value)
    // typebox/schema answers [result, errors], typebox/compile the errors.
    return explain(Array.isArray(errors) && Array.isArray(errors[1]) ? errors[1] : errors)
  }
}

function explain(errors: unknown): SchemaResult {
  const first: unknown = Array.isArray(errors) ? errors[0] : null
  const { instancePath, schemaPath, keyword, params } = (first ?? {}) as { readonly [key: string]: unknown }
  // TypeBox reports the schema `false`, which is rarely written.
  const isUnknownField = keyword === 'boolean' && String(schemaPath).endsWith('/additionalProperties')
  return refusal(
    typeof instancePath === 'string' ? instancePath : '',
    isUnknownField ? 'additionalProperties' : keyword === '~refine' ? messageOf(params) : keyword,
  )
}

/** Our own checks name their keyword in the message. */
function messageOf(params: unknown): unknown {
  return typeof params === 'object' && params !== null && 'message' in params ? params.message : 'refine'
}

function refuseWhatNeverPasses(
  type: string,
  { properties, additionalProperties }: JsonSchema,
  options: SchemaOptions,
): void {
  const { discriminator } = options
  if (discriminator === null || additionalProperties !== false) return
  if (typeof properties === 'object' && properties !== null && Object.hasOwn(properties, discriminator)) return
  const remedy = `Add ${JSON.stringify(discriminator)}: { const: ${JSON.stringify(type)} } to its properties.`
  throw schemaError(
    type,
    `additionalProperties is false and ${discriminator} is not declared: no message would pass`,
    remedy,
  )
}

function attempt<T>(type: string, build: () => T): T {
  try {
    return build()
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : 'it does not compile'
    throw schemaError(type, `typebox refuses it: ${problem}`, 'Correct the schema.', cause)
  }
}
