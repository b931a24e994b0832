import { nearest } from '../shape/nearest.ts'
import { kindOf, show } from '../shape/shown.ts'
import { isThenable } from '../model/thenable.ts'
import { isOfName } from '../store/named-store.ts'
import type { RevocationTarget } from '../model/store.ts'

/** What `guard.revoke` ends: one session, all sessions of a user, or all sessions. */
export type Revocable =
  | {
      readonly session: string
      /** When the session would have ended, in ms since the epoch. The revocation is not needed for longer. */
      readonly expiresAt?: number
    }
  | {
      readonly user: string
      /** When the last present session of the user would have ended, in ms since the epoch. */
      readonly expiresAt?: number
    }
  | 'all'

/** Times below this are in seconds. Read as ms they would lie in 1973. */
const SECONDS_BELOW = 100_000_000_000

/**
 * The target of a revocation, and the given time until which it must be remembered (null if none was given). Throws a
 * `TypeError` for a value that names no target. Otherwise a logout with an undefined session id would resolve and leave
 * every socket open.
 */
export function readTarget(given: unknown): { readonly target: RevocationTarget; readonly expiresAt: number | null } {
  requireTarget(given)
  if (given === 'all') return { target: 'all', expiresAt: null }
  const target: RevocationTarget = 'session' in given ? { session: given.session } : { user: given.user }
  return { target, expiresAt: given.expiresAt ?? null }
}

function requireTarget(target: unknown): asserts target is Revocable {
  if (target === 'all') return
  if (typeof target === 'object' && target !== null) {
    const keys = Object.keys(target).filter(one => one !== 'expiresAt')
    const [key] = keys
    if (keys.length === 1 && (key === 'session' || key === 'user')) {
      requireId(key, Reflect.get(target, key))
      requireExpiry(Reflect.get(target, 'expiresAt'))
      return
    }
    const odd = keys.find(one => one !== 'session' && one !== 'user')
    if (odd !== undefined && !isThenable(target)) {
      const near = nearest(odd, ['session', 'user', 'expiresAt'])
      const meant =
        near === 'expiresAt'
          ? 'write { session: id, expiresAt: ms }'
          : near === undefined
            ? "write { session: id }, { user: id } or 'all', with `expiresAt` beside an id where it is known"
            : `write { ${near}: id }`
      throw new TypeError(`guard.revoke: unknown key ${show(odd)}; ${meant}. Nothing was revoked`)
    }
  }
  throw new TypeError(
    `guard.revoke: ${kindOf(target)} names nobody; write { session: id }, { user: id } or 'all'. Nothing was revoked`,
  )
}

function requireId(key: string, id: unknown): void {
  if (typeof id === 'string' && id !== '' && !isOfName(id)) return
  const what = id === '' ? 'an empty string' : typeof id === 'string' ? 'a text that no session can have' : kindOf(id)
  throw new TypeError(`guard.revoke: ${key} is ${what}; give the ${key}'s id, a string. Nothing was revoked`)
}

function requireExpiry(expiresAt: unknown): void {
  if (expiresAt === undefined) return
  if (typeof expiresAt === 'number' && Number.isFinite(expiresAt) && expiresAt >= SECONDS_BELOW) return
  const [what, remedy] =
    typeof expiresAt !== 'number'
      ? [kindOf(expiresAt), expiresAt instanceof Date ? 'write expiresAt.getTime()' : 'write ms since the epoch']
      : Number.isFinite(expiresAt)
        ? [String(expiresAt), 'it is read as ms since the epoch: write seconds * 1000']
        : [String(expiresAt), 'leave it out where it is not known']
  throw new TypeError(`guard.revoke: expiresAt is ${what}; ${remedy}. Nothing was revoked`)
}
