import type { Ground } from './ground.ts'

const exhibits = new WeakMap<Ground, unknown>()

/** Lays open what a flaw's `harmed` looks at: state of the app itself, for this ground alone. */
export function exhibit(ground: Ground, what: unknown): void {
  exhibits.set(ground, what)
}

/** What the app of this ground laid open. The flaw knows its type. Throws where the app laid nothing open. */
export function exhibited<T>(ground: Ground): T {
  if (!exhibits.has(ground)) throw new Error('the app did not call exhibit')
  return exhibits.get(ground) as T
}
