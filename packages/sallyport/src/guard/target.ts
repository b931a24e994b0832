import { nearest } from '../policy/nearest.ts'
import { kindOf, show } from '../policy/shown.ts'
import { isThenable } from '../policy/thenable.ts'
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
      const what = id === '' ? 'an empty string' : kindOf(id)
      throw new TypeError(`guard.revoke: ${key} is ${what}; give the ${key}'s id, a string. Nothing was revoked`)
    }
    const odd = keys.find(one => one !== 'session' && one !== 'user')
    if (odd !== undefined && !isThenable(target)) {
      const near = nearest(odd, ['session', 'user'])
      const meant = near === undefined ? "write { session: id }, { user: id } or 'all'" : `write { ${near}: id }`
      throw new TypeError(`guard.revoke: unknown key ${show(odd)}; ${meant}. Nothing was revoked`)
    }
  }
  throw new TypeError(
    `guard.revoke: ${kindOf(target)} names nobody; write { session: id }, { user: id } or 'all'. Nothing was revoked`,
  )
}
