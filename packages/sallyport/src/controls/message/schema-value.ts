import type { Unusable } from '../../shape/duration.ts'
import { nearest } from '../../shape/nearest.ts'

const KEYWORDS: readonly string[] = [
  'type',
  'properties',
  '$ref',
  'anyOf',
  'allOf',
  'oneOf',
  'enum',
  'const',
  'not',
  'if',
  'items',
  'prefixItems',
  'required',
  'additionalProperties',
  'patternProperties',
  'propertyNames',
  'dependentSchemas',
  'unevaluatedProperties',
  'minProperties',
  'maxProperties',
  '$dynamicRef',
]
const TYPES: readonly string[] = ['object', 'array', 'string', 'number', 'integer', 'boolean', 'null']
/** Methods of the schemas of libraries that do not support Standard Schema: yup, Superstruct, io-ts, runtypes. */
const METHODS: readonly string[] = ['validate', 'parse', 'validateSync', 'validator', 'decode', 'guard']
const KINDS = 'a Standard Schema (Zod, Valibot, ArkType, Joi 18), JSON Schema, or a compiled Ajv or TypeBox validator'

/** Null for a supported kind of schema. Otherwise the reason why the value is not one. */
export function faultOfSchema(value: unknown): Unusable | null {
  try {
    return examine(value)
  } catch {
    return { message: 'it cannot be read: looking at it throws', remedy: `write ${KINDS}` }
  }
}

function examine(value: unknown): Unusable | null {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) {
    return { message: 'not a schema', remedy: `write ${KINDS}` }
  }
  const has = (key: string): boolean => typeof Reflect.get(value, key) === 'function'
  const standard: unknown = Reflect.get(value, '~standard')
  if (standard !== undefined) {
    return typeof standard === 'object' && standard !== null && typeof Reflect.get(standard, 'validate') === 'function'
      ? null
      : { message: "its '~standard' has no validate function", remedy: `write ${KINDS}` }
  }
  if (typeof value === 'function') {
    if ('schema' in value) return null
    return {
      message: 'a function that is no compiled validator',
      remedy: `write ${KINDS}; a check of your own goes into message.authorize`,
    }
  }
  if (Array.isArray(value)) return { message: 'a list is no schema', remedy: 'write { anyOf: [ … ] }, or one schema' }
  if (has('Check') && has('Errors')) return null
  if ('$_root' in value || Reflect.get(value, 'isJoi') === true) {
    return {
      message: 'Joi is a Standard Schema from version 18 on, and this is older',
      remedy: 'update joi to 18, or write it as Zod or JSON Schema',
    }
  }
  if (METHODS.some(has)) {
    return {
      message: "a schema of a library without '~standard' (Standard Schema)",
      remedy: `update the library, or write ${KINDS}`,
    }
  }
  return faultOfJsonSchema(value)
}

function faultOfJsonSchema(value: object): Unusable | null {
  const keys = Object.keys(value)
  if (value instanceof RegExp || value instanceof Map || value instanceof Promise)
    return { message: 'not a schema', remedy: `write ${KINDS}` }
  if (keys.length === 0)
    return {
      message: 'an empty schema lets everything pass',
      remedy: "write { type: 'object', properties: { … }, required: [ … ] }",
    }
  if (!keys.some(key => KEYWORDS.includes(key))) {
    const near = keys.map(key => nearest(key, KEYWORDS)).find(found => found !== undefined)
    return {
      message: 'no JSON Schema: none of its keys is a keyword that restricts anything',
      remedy:
        near === undefined
          ? "write z.object({ … }), or { type: 'object', properties: { … } }"
          : `did you mean \`${near}\`?`,
      ...(near === undefined ? {} : { nearest: near }),
    }
  }
  if (!Object.hasOwn(value, 'type')) return null
  const type: unknown = Reflect.get(value, 'type')
  const types: readonly unknown[] = Array.isArray(type) ? type : [type]
  const odd = types.find(one => typeof one !== 'string' || !TYPES.includes(one))
  if (types.length > 0 && odd === undefined) {
    if (types.includes('object')) return null
    return {
      message: `it lets ${types.map(one => `'${String(one)}'`).join(', ')} pass, and a message is an object: none ever would`,
      remedy: "write { type: 'object', properties: { … } }",
    }
  }
  if (typeof odd !== 'string') {
    return {
      message: "its 'type' is no name of a JSON type: fields need an object schema around them",
      remedy: "write z.object({ … }), or { type: 'object', properties: { … } }",
    }
  }
  const near = nearest(odd, TYPES)
  return {
    message: 'its type is not one of JSON',
    remedy: near === undefined ? `write type: 'object' (${TYPES.join(', ')})` : `did you mean type: '${near}'?`,
    ...(near === undefined ? {} : { nearest: near }),
  }
}
