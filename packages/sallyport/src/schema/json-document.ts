import {
  BRANCHES,
  NUMBER_BOUNDS,
  NUMBERS,
  ONE_SCHEMA,
  OTHER,
  SCHEMA_LIST,
  SCHEMA_MAP,
  TYPES,
  UNSUPPORTED,
} from './json-keywords.ts'
import { schemaError } from './schema-error.ts'
import type { JsonSchema } from '../model/schema-kinds.ts'

/** A schema in a JSON Schema document: `true` is anything, `false` is nothing. */
export type JsonNode = boolean | JsonSchema

/** A JSON Schema document whose every reference is known to lead somewhere within it. */
export interface JsonDocument {
  readonly root: JsonSchema
  /** Where a `$ref` leads. */
  resolve(ref: string): JsonNode
  /** Schemas by `$id`, and those given beside the document. */
  readonly named: ReadonlyMap<string, JsonNode>
  /** Whether what is declared depends on the value: `anyOf`, `oneOf`, `if`. */
  readonly branches: boolean
  /** Every schema of the document that is no boolean. */
  readonly nodes: readonly JsonSchema[]
}

/** What is demanded of a document besides references that resolve. */
export interface DocumentRules {
  /** Schemas by name beside the document, as TypeBox's context. */
  readonly context?: { readonly [id: string]: unknown }
  /** For schemas that we compile: which formats are known. Unknown formats and keywords are errors then, never ignored. */
  readonly hasFormat?: (name: string) => boolean
  /** For a compiled validator, which ignores unknown formats: which formats are known. */
  readonly formats?: (name: string) => boolean
  /** Whether messages may hold bigints. */
  readonly bigIntegers?: boolean
}

/** Read once: what pollutes the prototype later is not in question here. */
const INHERITED: ReadonlySet<string> = new Set(Object.getOwnPropertyNames(Object.prototype))
/** Reads a document and throws a SchemaError that names `type`, the place and the remedy for what would be ignored or misread. */
export function readDocument(type: string, root: JsonSchema, rules: DocumentRules = {}): JsonDocument {
  const named = new Map<string, JsonNode>()
  const refs: { readonly ref: string; readonly path: string }[] = []
  const seen = new Set<JsonSchema>()
  let branches = false

  const name = (id: string, node: JsonNode, path: string): void => {
    if (named.has(id) && named.get(id) !== node) {
      throw schemaError(
        type,
        `${path} has the $id ${JSON.stringify(id)}, which another schema has`,
        'Give each its own.',
      )
    }
    named.set(id, node)
  }

  const walk = (node: unknown, path: string, nested: boolean): void => {
    if (typeof node === 'boolean') return
    if (!isRecord(node)) throw schemaError(type, `${path} is not a schema`, 'Write an object, true or false.')
    if (seen.has(node)) return
    seen.add(node)
    const id = own(node, '$id')
    if (typeof id === 'string') name(id, node, path)
    for (const key of Object.keys(node)) keyword(key, node[key], path, nested || (path !== '#' && id !== undefined))
  }

  const keyword = (key: string, value: unknown, path: string, nested: boolean): void => {
    const at = `${path}/${key}`
    if (BRANCHES.has(key)) branches = true
    if (ONE_SCHEMA.has(key)) walk(value, at, nested)
    else if (SCHEMA_LIST.has(key)) each(value, at, nested)
    else if (SCHEMA_MAP.has(key)) properties(value, at, nested, key === 'properties')
    else if (key === 'items') (Array.isArray(value) ? each : walk)(value, at, nested)
    else if (key === '$ref') refs.push({ ref: reference(value, at, nested), path: at })
    else if (UNSUPPORTED.has(key))
      throw schemaError(type, `${at} is not supported: no validator here enforces it`, UNSUPPORTED.get(key)!)
    else if (key === 'required') required(value, at)
    else if (rules.hasFormat !== undefined) strict(key, value, at, rules.hasFormat)
    else if (rules.formats !== undefined && key === 'format') known(value, at, rules.formats)
  }

  const each = (value: unknown, path: string, nested: boolean): void => {
    if (!Array.isArray(value)) throw schemaError(type, `${path} is not a list`, 'Write a list of schemas.')
    value.forEach((item, index) => walk(item, `${path}/${index}`, nested))
  }

  const properties = (value: unknown, path: string, nested: boolean, names: boolean): void => {
    if (!isRecord(value)) throw schemaError(type, `${path} is not an object`, 'Write schemas by name.')
    for (const key of Object.keys(value)) {
      if (names) nameable(key, path)
      walk(value[key], `${path}/${key}`, nested)
    }
  }

  const required = (value: unknown, path: string): void => {
    if (!Array.isArray(value))
      throw schemaError(type, `${path} is not a list`, 'Write the names of the required fields.')
    for (const key of value) nameable(String(key), path)
  }

  /** Validators ask `key in value`, to which Object.prototype says yes for these. */
  const nameable = (key: string, path: string): void => {
    if (!INHERITED.has(key)) return
    throw schemaError(type, `${path} names ${key}, which every object inherits`, 'Name the field otherwise.')
  }

  const reference = (ref: unknown, path: string, nested: boolean): string => {
    if (typeof ref !== 'string')
      throw schemaError(type, `${path} is not text`, 'Write a local reference: "#/$defs/name".')
    if (nested && ref.startsWith('#')) {
      throw schemaError(
        type,
        `${path} is relative to an inner $id`,
        'Drop that $id, and keep shared schemas in the $defs of the root.',
      )
    }
    return ref
  }

  const known = (format: unknown, path: string, hasFormat: (format: string) => boolean): void => {
    if (typeof format === 'string' && hasFormat(format)) return
    const remedy = 'Use one that typebox knows (uuid, email, uri, date-time…), register it there, or write a pattern.'
    throw schemaError(type, `${path}: the format ${JSON.stringify(format)} is unknown and would be ignored`, remedy)
  }

  const strict = (key: string, value: unknown, path: string, hasFormat: (format: string) => boolean): void => {
    if (key === 'format') known(value, path, hasFormat)
    const kind = kindOf(key)
    if (kind !== null && !kind.fits(value)) {
      throw schemaError(type, `${path} is not ${kind.is}, and would be ignored`, `Write ${kind.is}.`)
    }
    exactly(key, value, path)
    if (OTHER.has(key) || key.startsWith('x-') || key.startsWith('~')) return
    throw schemaError(
      type,
      `${path}: the keyword ${JSON.stringify(key)} is unknown and would be ignored`,
      'Check its spelling.',
    )
  }

  /** Refuses a number that JavaScript rounded when the schema was read: it is not the one that was written. */
  const exactly = (key: string, value: unknown, path: string): void => {
    if (key === 'multipleOf' && !(Number(value) > 0))
      throw schemaError(type, `${path} is ${String(value)}`, 'Write a number above 0.')
    const isJudged = key === 'const' || key === 'enum' || (NUMBER_BOUNDS.has(key) && rules.bigIntegers === true)
    const rounded = isJudged ? roundedIn(value) : undefined
    if (rounded === undefined) return
    const remedy =
      rules.bigIntegers === true
        ? 'Write a bigint, such as 9007199254740993n.'
        : 'Compare text, or set message.format.bigIntegers and write a bigint.'
    throw schemaError(type, `${path}: ${String(rounded)} is beyond ±(2^53 − 1), where numbers are rounded`, remedy)
  }

  const resolve = (ref: string): JsonNode | undefined => {
    if (ref.startsWith('#')) return pointer(root, ref)
    return named.get(ref)
  }

  if (rules.context !== undefined) {
    for (const id of Object.keys(rules.context)) {
      name(id, rules.context[id] as JsonNode, id)
      walk(rules.context[id], id, true)
    }
  }
  walk(root, '#', false)
  for (const { ref, path } of refs) {
    if (resolve(ref) === undefined) {
      throw schemaError(
        type,
        `${path}: ${JSON.stringify(ref)} leads nowhere in this schema`,
        'Only local references are followed: put it in $defs.',
      )
    }
    if (branches && ref.startsWith('#') && !/^#\/(\$defs|definitions)\//.test(ref)) {
      const remedy = 'In a schema with anyOf, oneOf, if or dependentSchemas, refer to $defs of the root.'
      throw schemaError(type, `${path}: ${JSON.stringify(ref)} is not in $defs`, remedy)
    }
  }
  return { root, named, branches, nodes: [...seen], resolve: ref => resolve(ref) ?? false }
}

/** A JSON Pointer in a URI fragment (RFC 6901 §6). */
function pointer(root: JsonSchema, ref: string): JsonNode | undefined {
  let node: unknown = root
  if (ref !== '#' && !ref.startsWith('#/')) return undefined
  for (const part of ref.split('/').slice(1)) {
    const key = unescape(part)
    if (key === null || typeof node !== 'object' || node === null || !Object.hasOwn(node, key)) return undefined
    node = (node as Record<string, unknown>)[key]
  }
  return typeof node === 'boolean' || isRecord(node) ? node : undefined
}

function unescape(part: string): string | null {
  try {
    return decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')
  } catch {
    return null
  }
}

/** What the value of a keyword must be: validators ignore a keyword whose value they do not understand. */
function kindOf(key: string): { readonly is: string; fits(value: unknown): boolean } | null {
  if (NUMBERS.has(key)) return { is: 'a number', fits: value => typeof value === 'number' || typeof value === 'bigint' }
  if (key === 'type') return { is: 'a type of JSON Schema', fits: value => [value].flat().every(isType) }
  if (key === 'enum') return { is: 'a list', fits: Array.isArray }
  if (key === 'uniqueItems') return { is: 'true or false', fits: value => typeof value === 'boolean' }
  if (key === 'pattern') return { is: 'text', fits: value => typeof value === 'string' || value instanceof RegExp }
  if (key === 'dependentRequired') return { is: 'an object of lists', fits: isRecord }
  return null
}

/** A rounded integer in a constant, at any depth of it. */
function roundedIn(value: unknown): number | undefined {
  if (isRounded(value)) return value
  if (typeof value !== 'object' || value === null) return undefined
  for (const inner of Object.values(value)) {
    const found = roundedIn(inner)
    if (found !== undefined) return found
  }
  return undefined
}

/** An integer of up to 64 bits that a number does not hold for certain. */
function isRounded(value: unknown): value is number {
  return Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(value as number) < 2 ** 64
}

function isType(name: unknown): boolean {
  return typeof name === 'string' && TYPES.has(name)
}

function own(node: JsonSchema, key: string): unknown {
  return Object.hasOwn(node, key) ? node[key] : undefined
}

function isRecord(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
