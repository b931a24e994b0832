import type { JsonDocument, JsonNode } from './json-document.ts'
import { elementNodes, fieldNodes, leaf } from './strip-leaf.ts'
import type { Leaf } from './strip-leaf.ts'
import { put } from './numbers.ts'

/** Drops what no schema declares. Answers the same reference where nothing is to drop; never changes its input. */
export type Strip = (value: object) => object

/** Compiles the check of one schema of the document; used to see which branches hold. */
export type CompileBranch = (node: JsonNode) => (value: unknown) => boolean

/** A part of the declaration that depends on the value. */
interface Condition {
  holds(value: object): boolean
  readonly yes: readonly JsonNode[]
  readonly no: readonly JsonNode[]
}

/** What one schema of the document declares of a value: what always applies, and what depends on the value. */
interface Declaration {
  readonly leaves: readonly Leaf[]
  readonly conditions: readonly Condition[]
  /** What to do with a value to which this declaration alone applies; null until it is first needed. */
  strip: Strip | null
}

/**
 * Compiles the stripping of valid values of a document. A field stays where a schema that holds for its object
 * declares it: by `properties`, `patternProperties`, or an `additionalProperties` that is true or a schema. Of `anyOf`,
 * `oneOf`, `if` and `dependentSchemas`, only the branches that the value satisfies count: what a branch that does not
 * hold declares was never validated. A value whose schema says nothing about it (`{}`, `true`) stays whole;
 * one that has no schema (an element where `items` is missing) loses its fields.
 * `keep` is a top-level field that always stays.
 *
 * One declaration is kept for each schema of the document, whatever messages come: which branches hold, and which
 * schemas meet at one place, is found again for each value. So the memory is bounded by the document, and the time of a
 * message by its size times the number of schemas at one place.
 */
export function compileStrip(document: JsonDocument, branch: CompileBranch, keep: string | null): Strip {
  const declarations = new Map<JsonNode, Declaration>()
  const checks = new Map<JsonNode, (value: unknown) => boolean>()

  const holds = (node: JsonNode): ((value: unknown) => boolean) => {
    let check = checks.get(node)
    if (check === undefined) checks.set(node, (check = branch(node)))
    return check
  }

  const declarationOf = (node: JsonNode): Declaration => {
    let found = declarations.get(node)
    if (found === undefined) declarations.set(node, (found = declare(node, document, holds)))
    return found
  }

  /** The leaves that apply to a value of these schemas; `seen` are the schemas that were counted already. */
  const collect = (nodes: readonly JsonNode[], value: object, into: Set<Leaf>, seen: Set<JsonNode>): void => {
    for (const node of nodes) {
      if (seen.has(node)) continue
      seen.add(node)
      const { leaves, conditions } = declarationOf(node)
      for (const part of leaves) into.add(part)
      for (const { holds: isSo, yes, no } of conditions) collect(isSo(value) ? yes : no, value, into, seen)
    }
  }

  const stripBy = (nodes: readonly JsonNode[], value: object, kept: string | null): object => {
    const leaves = new Set<Leaf>()
    collect(nodes, value, leaves, new Set())
    return planOf([...leaves], stripOf, kept)(value)
  }

  const stripOf: StripOf = nodes => {
    const [only] = nodes
    if (only === undefined || nodes.length > 1) return value => stripBy(nodes, value, null)
    const declaration = declarationOf(only)
    return (declaration.strip ??=
      declaration.conditions.length === 0
        ? planOf(declaration.leaves, stripOf, null)
        : value => stripBy(nodes, value, null))
  }

  const root = declarationOf(document.root)
  if (root.conditions.length > 0) return value => stripBy([document.root], value, keep)
  return planOf(root.leaves, stripOf, keep)
}

/** Follows what always applies of a schema; what depends on the value becomes a condition. */
function declare(
  root: JsonNode,
  document: JsonDocument,
  holds: (node: JsonNode) => (value: unknown) => boolean,
): Declaration {
  const leaves: Leaf[] = []
  const conditions: Condition[] = []
  const pending = [root]
  const seen = new Set<JsonNode>()
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (seen.has(node) || node === false) continue
    seen.add(node)
    const part = leaf(node)
    leaves.push(part)
    if (part.ref !== null) pending.push(document.resolve(part.ref))
    pending.push(...part.allOf)
    for (const choice of part.choices) conditions.push({ holds: holds(choice), yes: [choice], no: [] })
    if (part.if !== null) conditions.push({ holds: holds(part.if), yes: [part.if, ...part.yes], no: part.no })
    for (const [key, dependent] of part.dependent) {
      conditions.push({ holds: value => Object.hasOwn(value, key), yes: [dependent], no: [] })
    }
  }
  return { leaves, conditions, strip: null }
}

/** The stripping of a value to which several schemas apply. */
type StripOf = (nodes: readonly JsonNode[]) => Strip

/** The stripping of a value to which these leaves apply. Its parts are made at first use: schemas may be recursive. */
function planOf(leaves: readonly Leaf[], stripOf: StripOf, kept: string | null): Strip {
  const described = leaves.filter(part => !part.open)
  if (leaves.length > 0 && described.length === 0) return whole
  const closed = described.every(({ patterns, additional }) => patterns.length === 0 && additional === null)
  const plan: ObjectPlan = { leaves: described, fields: new Map(), closed, stripOf, kept }
  let list: ((value: readonly unknown[]) => object) | null = null
  return value => (Array.isArray(value) ? (list ??= listPlan(described, stripOf))(value) : stripObject(value, plan))
}

const whole: Strip = value => value

/** What is known of an object. */
interface ObjectPlan {
  readonly leaves: readonly Leaf[]
  /** The stripping of the declared fields that were met. */
  readonly fields: Map<string, Strip>
  /** Whether it has no fields but those of `properties`. */
  readonly closed: boolean
  readonly stripOf: StripOf
  /** A field that stays also where it is not declared. */
  readonly kept: string | null
}

/** The stripping of a field; null where it is not declared. */
function fieldPlan({ leaves, fields, closed, stripOf, kept }: ObjectPlan, key: string): Strip | null {
  const isDeclared = leaves.some(({ properties }) => properties.has(key))
  const nodes = isDeclared || !closed ? fieldNodes(leaves, key) : []
  const strip = nodes.length > 0 ? stripOf(nodes) : key === kept ? whole : null
  // A key that only the peer names is looked up each time: a memory of such keys would grow at its will.
  if (strip !== null && (isDeclared || key === kept)) fields.set(key, strip)
  return strip
}

function stripObject(value: object, plan: ObjectPlan): object {
  const source = value as Record<string, unknown>
  const keys = Object.keys(source)
  let copy: Record<string, unknown> | null = null
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index]!
    const strip = plan.fields.get(key) ?? fieldPlan(plan, key)
    const before = source[key]
    const after = strip !== null && typeof before === 'object' && before !== null ? strip(before) : before
    if (copy === null) {
      if (strip !== null && after === before) continue
      copy = {}
      for (let back = 0; back < index; back++) put(copy, keys[back]!, source[keys[back]!])
    }
    if (strip !== null) put(copy, key, after)
  }
  return copy ?? value
}

/** Elements stay; what they do not declare goes. */
function listPlan(leaves: readonly Leaf[], stripOf: StripOf): (value: readonly unknown[]) => object {
  const length = Math.max(0, ...leaves.map(({ prefix }) => prefix.length))
  const prefix = Array.from({ length }, (_, index) => stripOf(elementNodes(leaves, index)))
  const rest = stripOf(elementNodes(leaves, length))
  return value => {
    let copy: unknown[] | null = null
    for (let index = 0; index < value.length; index++) {
      const before = value[index]
      if (typeof before !== 'object' || before === null) continue
      const after = (prefix[index] ?? rest)(before)
      if (after !== before) (copy ??= [...value])[index] = after
    }
    return copy ?? value
  }
}
