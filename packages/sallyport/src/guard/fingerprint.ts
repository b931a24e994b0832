import { createHash } from 'node:crypto'

/** Greatest depth that is compared. */
const DEEPEST = 64

/**
 * A hash of all plain data in a policy. Functions and instances of classes count only as present or absent: two copies
 * of one app have different ones with the same meaning. Secrets enter only as part of the hash.
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

/** Writes a length before each text, so that two different values never give one text. */
function scalar(value: unknown): string {
  const text = typeof value === 'symbol' ? '' : String(value)
  return `${text.length} ${text}`
}

/**
 * The entries of a plain object, a list or a set, in a fixed order. Null for any other object, or for one that cannot
 * be read.
 */
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
