const CHARS = 4
const RANGE = 0x10000

/**
 * A number from 0 up to but not including 1. It is always the same for an id, and evenly spread over random ids. It
 * takes no memory. Thousands of connections that opened in one second need different deadlines.
 */
export function spreadOf(id: string): number {
  let hash = 0
  for (let at = Math.max(0, id.length - CHARS); at < id.length; at++) {
    hash = Math.imul(hash ^ id.charCodeAt(at), 0x9e3779b1)
    hash ^= hash >>> 15
  }
  return (hash & (RANGE - 1)) / RANGE
}
