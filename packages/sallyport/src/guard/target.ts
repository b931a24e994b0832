import type { Target } from '../store/store.ts'

/**
 * Throws a `TypeError` for what names nobody. A logout whose session id is undefined would else resolve, and leave every
 * socket open.
 */
export function requireTarget(target: unknown): asserts target is Target {
  if (target === 'all') return
  if (typeof target === 'object' && target !== null) {
    const keys = Object.keys(target)
    const [key] = keys
    if (keys.length === 1 && (key === 'session' || key === 'user')) {
      const id: unknown = Reflect.get(target, key)
      if (typeof id === 'string' && id !== '') return
      const what = id === '' ? 'an empty string' : id === null ? 'null' : `of type ${typeof id}`
      throw new TypeError(
        `guard.revoke: ${key} is ${what}; give the ${key === 'user' ? 'user' : 'session'}'s id. Nothing was revoked`,
      )
    }
  }
  throw new TypeError("guard.revoke: write { session: id }, { user: id } or 'all'. Nothing was revoked")
}
