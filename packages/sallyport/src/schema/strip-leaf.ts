import type { JsonNode } from './json-document.ts'
import type { JsonSchema } from '../model/schema-kinds.ts'

/** What one schema says of the fields and elements of a value, read once. */
export interface Leaf {
  /** It says nothing: any value stays whole. */
  readonly open: boolean
  readonly properties: ReadonlyMap<string, JsonNode>
  readonly patterns: readonly { readonly pattern: RegExp; readonly node: JsonNode }[]
  /** What other fields are; null where they are not declared. */
  readonly additional: JsonNode | null
  readonly prefix: readonly JsonNode[]
  /** What further elements are; null where they are not declared. */
  readonly items: JsonNode | null
  readonly ref: string | null
  readonly allOf: readonly JsonNode[]
  /** Of `anyOf` and `oneOf`. */
  readonly choices: readonly JsonNode[]
  readonly if: JsonNode | null
  /** Of `then`. */
  readonly yes: readonly JsonNode[]
  /** Of `else`. */
  readonly no: readonly JsonNode[]
  readonly dependent: readonly (readonly [key: string, node: JsonNode])[]
}

/** Keywords that describe no content. `const` and `enum` are here: what equals them holds nothing else. */
const SILENT: ReadonlySet<string> = new Set(
  '$schema $id $anchor $comment $defs definitions title description default examples deprecated readOnly writeOnly const enum'.split(
    ' ',
  ),
)

/** Reads one schema of a document that `readDocument` accepted. */
export function leaf(node: JsonNode): Leaf {
  const schema: JsonSchema = typeof node === 'boolean' ? {} : node
  const own = (key: string): unknown => (Object.hasOwn(schema, key) ? schema[key] : undefined)
  const one = (key: string): JsonNode | null => (own(key) as JsonNode | undefined) ?? null
  const list = (key: string): readonly JsonNode[] => (own(key) as readonly JsonNode[] | undefined) ?? []
  const some = (key: string): readonly JsonNode[] => (own(key) === undefined ? [] : [own(key) as JsonNode])
  const map = (key: string): readonly (readonly [string, JsonNode])[] => Object.entries(own(key) ?? {})
  const tuple = Array.isArray(own('items'))
  return {
    open: Object.keys(schema).every(key => SILENT.has(key) || key.startsWith('x-') || key.startsWith('~')),
    properties: new Map(map('properties')),
    patterns: map('patternProperties').map(([source, child]) => ({ pattern: regExp(source), node: child })),
    additional: declared(one('additionalProperties') ?? one('unevaluatedProperties')),
    prefix: tuple ? list('items') : list('prefixItems'),
    items: declared((tuple ? one('additionalItems') : one('items')) ?? one('unevaluatedItems')),
    ref: (own('$ref') as string | undefined) ?? null,
    allOf: list('allOf'),
    choices: [...list('anyOf'), ...list('oneOf')],
    if: one('if'),
    yes: some('then'),
    no: some('else'),
    dependent: map('dependentSchemas'),
  }
}

/** The schemas that declare the field `key` of an object to which the leaves apply. */
export function fieldNodes(leaves: readonly Leaf[], key: string): readonly JsonNode[] {
  return leaves.flatMap(({ properties, patterns, additional }) => {
    const found = patterns.filter(({ pattern }) => pattern.test(key)).map(({ node }) => node)
    const property = properties.get(key)
    if (property !== undefined) found.push(property)
    else if (found.length === 0 && additional !== null) found.push(additional)
    return found
  })
}

/** The schemas that declare the element at `index` of an array to which the leaves apply. */
export function elementNodes(leaves: readonly Leaf[], index: number): readonly JsonNode[] {
  return leaves.flatMap(({ prefix, items }): readonly JsonNode[] => {
    const node = prefix[index] ?? items
    return node === null ? [] : [node]
  })
}

function declared(node: JsonNode | null): JsonNode | null {
  return node === false ? null : node
}

/** As TypeBox and Ajv read patterns: by code points where the pattern allows it. */
function regExp(source: string): RegExp {
  try {
    return new RegExp(source, 'u')
  } catch {
    return new RegExp(source)
  }
}
