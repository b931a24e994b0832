import type { JsonNode } from './json-document.ts'
import { elementNodes, fieldNodes } from './strip-leaf.ts'
import type { Leaf } from './strip-leaf.ts'
import type { Strip } from './strip.ts'

/** Compiles the plan for a place where several schemas apply. */
type PlanAt = (nodes: readonly JsonNode[]) => Strip

/** Compiles the stripping of an object. `kept` is a field that stays also where it is not declared. */
export function stripObject(leaves: readonly Leaf[], at: PlanAt, kept: string | null): Strip {
  const plans = new Map<string, Strip>()
  for (const key of new Set(leaves.flatMap(({ properties }) => [...properties.keys()]))) {
    plans.set(key, at(fieldNodes(leaves, key)))
  }
  if (kept !== null && !plans.has(kept)) plans.set(kept, value => value)
  const closed = leaves.every(({ patterns, additional }) => patterns.length === 0 && additional === null)

  // A key that only the peer names is looked up each time: a memory of such keys would grow at its will.
  const plan = (key: string): Strip | null => {
    const known = plans.get(key)
    if (known !== undefined || closed) return known ?? null
    const nodes = fieldNodes(leaves, key)
    return nodes.length === 0 ? null : at(nodes)
  }

  return value => {
    const source = value as Record<string, unknown>
    const keys = Object.keys(source)
    let copy: object | null = null
    for (let index = 0; index < keys.length; index++) {
      const key = keys[index]!
      const strip = plan(key)
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
}

/** Compiles the stripping of an array: elements stay, what they do not declare goes. */
export function stripArray(leaves: readonly Leaf[], at: PlanAt): (value: readonly unknown[]) => object {
  const length = Math.max(0, ...leaves.map(({ prefix }) => prefix.length))
  const prefix = Array.from({ length }, (_, index) => at(elementNodes(leaves, index)))
  const rest = at(elementNodes(leaves, length))
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

/** Assigning `__proto__` would set the prototype. */
function put(target: object, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true })
  else (target as Record<string, unknown>)[key] = value
}
