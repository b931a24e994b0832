import { createHash } from 'node:crypto'

/** Deeper than this nothing is compared. */
const DEEPEST = 64

/**
 * A hash of all that is data in a policy. Functions and objects of classes count as present or absent: two copies of one
 * app differ in them though they mean the same. Secrets enter as part of the hash alone.
 */
export function fingerprint(policy: object): string {
  const hash = createHash('sha256')
  const above = new Set<object>()

  const write = (value: unknown): void => {
    if (typeof value === 'function') hash.update('f;')
    else if (typeof value !== 'object' || value === null) hash.update(`${typeof value} ${scalar(value)};`)
    else if (above.size >= DEEPEST || above.has(value)) hash.update('o;')
    else {
      above.add(value)
      writeObject(value)
      above.delete(value)
    }
  }
  const writeObject = (value: object): void => {
    const entries = entriesOf(value)
    if (entries === null) {
      hash.update('o;')
      return
    }
    hash.update(Array.isArray(value) ? '[' : '{')
    for (const [key, entry] of entries) {
      hash.update(`${key.length} ${key}:`)
      write(entry)
    }
    hash.update('};')
  }

  write(policy)
  return hash.digest('base64url')
}

/** A length before each text, so that no two values are one text. */
function scalar(value: unknown): string {
  const text = typeof value === 'symbol' ? '' : String(value)
  return `${text.length} ${text}`
}

/** What a plain object, a list or a set holds, in an order of its own; null for any other object, or one that cannot be read. */
function entriesOf(value: object): readonly (readonly [string, unknown])[] | null {
  try {
    if (value instanceof Set)
      return [...value]
        .map(String)
        .toSorted()
        .map(one => [one, true] as const)
    const prototype: unknown = Object.getPrototypeOf(value)
    if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) return null
    return Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1))
  } catch {
    return null
  }
}
