import { kindOf } from '../shape/shown.ts'
import { isThenable } from '../model/thenable.ts'
import type { Core } from './core.ts'
import type { Observer } from './observer.ts'

/** The inside of each guard. It is for the other entry points of the package, and users cannot reach it. */
const insides = new WeakMap<object, Inside>()

/** The inside of a guard. */
export interface Inside {
  readonly core: Core
  readonly observer: Observer
}

export function registerInside(guard: object, inside: Inside): void {
  insides.set(guard, inside)
}

/** Throws a `TypeError` for any value that `createGuard` did not make. */
export function insideOf(guard: object): Inside {
  const inside = insides.get(guard)
  if (inside !== undefined) return inside
  const remedy = isThenable(guard) ? 'await it first' : 'give what createGuard() returned'
  throw new TypeError(`guard is ${kindOf(guard)}, which createGuard() did not make; ${remedy}`)
}
