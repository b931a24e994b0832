import type { Core } from './core.ts'
import type { Observer } from './observer.ts'

/** What is behind each guard: for the package's other entry points, out of the user's sight. */
const insides = new WeakMap<object, Inside>()

/** What is inside a guard. */
export interface Inside {
  readonly core: Core
  readonly observer: Observer
}

export function registerInside(guard: object, inside: Inside): void {
  insides.set(guard, inside)
}

/** Throws a `TypeError` for anything that `createGuard` did not make. */
export function insideOf(guard: object): Inside {
  const inside = insides.get(guard)
  if (inside === undefined) throw new TypeError('guard must be what createGuard() returned')
  return inside
}
