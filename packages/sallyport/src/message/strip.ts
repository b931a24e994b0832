import type { JsonDocument, JsonNode } from './json-document.ts'
import { leaf } from './strip-leaf.ts'
import type { Leaf } from './strip-leaf.ts'
import { stripArray, stripObject } from './strip-value.ts'

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

/** Plans that depend on the value are kept for so many combinations of branches; more are built anew each time. */
const COMBINATIONS = 64

/**
 * Compiles the stripping of valid values of a document. A field stays where a schema that holds for its object
 * declares it: by `properties`, `patternProperties`, or an `additionalProperties` that is true or a schema. Of `anyOf`,
 * `oneOf`, `if` and `dependentSchemas`, only the branches that the value satisfies count: what a branch that does not
 * hold declares was never validated. A value whose schema says nothing about it (`{}`, `true`) stays whole;
 * one that has no schema (an element where `items` is missing) loses its fields.
 * `keep` is a top-level field that always stays.
 */
export function compileStrip(document: JsonDocument, branch: CompileBranch, keep: string): Strip {
  const ids = new Map<JsonNode, number>()
  const plans = new Map<string, Strip>()
  const checks = new Map<JsonNode, (value: unknown) => boolean>()

  const holds = (node: JsonNode): ((value: unknown) => boolean) => {
    let check = checks.get(node)
    if (check === undefined) checks.set(node, (check = branch(node)))
    return check
  }
  const id = (node: JsonNode): number => {
    if (!ids.has(node)) ids.set(node, ids.size)
    return ids.get(node)!
  }

  /** The plan for a place where all of `nodes` apply. Built at first use: schemas may be recursive. */
  const at = (nodes: readonly JsonNode[]): Strip => {
    const key = [...new Set(nodes.map(id))].toSorted((a, b) => a - b).join()
    let plan = plans.get(key)
    if (plan === undefined) {
      let built: Strip | null = null
      plan = value => (built ??= build([], nodes, null))(value)
      plans.set(key, plan)
    }
    return plan
  }

  const build = (known: readonly Leaf[], nodes: readonly JsonNode[], kept: string | null): Strip => {
    const { leaves, conditions } = expand(nodes)
    const all = [...known, ...leaves]
    if (conditions.length === 0) return final(all, kept)
    const built = new Map<string, Strip>()
    return value => {
      let key = ''
      for (const condition of conditions) key += condition.holds(value) ? '1' : '0'
      let plan = built.get(key)
      if (plan === undefined) {
        plan = build(
          all,
          conditions.flatMap(({ yes, no }, index) => (key[index] === '1' ? yes : no)),
          kept,
        )
        if (built.size < COMBINATIONS) built.set(key, plan)
      }
      return plan(value)
    }
  }

  /** Follows what always applies; what depends on the value becomes a condition. */
  const expand = (nodes: readonly JsonNode[]): { readonly leaves: Leaf[]; readonly conditions: Condition[] } => {
    const leaves: Leaf[] = []
    const conditions: Condition[] = []
    const pending = [...nodes]
    const seen = new Set<JsonNode>()
    for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
      if (seen.has(node) || node === false) continue
      seen.add(node)
      const part = leaf(node)
      leaves.push(part)
      if (part.ref !== null) pending.push(document.resolve(part.ref))
      pending.push(...part.allOf)
      for (const choice of part.choices) conditions.push({ holds: holds(choice), yes: [choice], no: [] })
      if (part.if !== null) {
        conditions.push({ holds: holds(part.if), yes: [part.if, ...part.yes], no: part.no })
      }
      for (const [key, dependent] of part.dependent) {
        conditions.push({ holds: value => Object.hasOwn(value, key), yes: [dependent], no: [] })
      }
    }
    return { leaves, conditions }
  }

  const final = (leaves: readonly Leaf[], kept: string | null): Strip => {
    const described = leaves.filter(part => !part.open)
    if (leaves.length > 0 && described.length === 0) return value => value
    const object = stripObject(described, at, kept)
    const array = stripArray(described, at)
    return value => (Array.isArray(value) ? array(value) : object(value))
  }

  return build([], [document.root], keep)
}
