import { laterOf } from './marks.ts'
import type { Store, RevocationTarget } from '../model/store.ts'

/** A store and the text that ends each key in it. */
interface Origin {
  readonly store: Store
  readonly suffix: string
}

const origins = new WeakMap<Store, Origin>()
/** Per store, one named store for each policy name: guards compare stores to see whether they count in one place. */
const named = new WeakMap<Store, Map<string, Store>>()

/** The store holds a revocation of everybody of one name under a user id that no session can have. */
const EVERYBODY_OF = '\0sallyport: everybody of '

/** Whether an id stands for everybody of a name. No session and no user may have such an id. */
export function isOfName(id: string): boolean {
  return id.startsWith(EVERYBODY_OF)
}

/**
 * The same store, with the counts and budgets of one policy name: guards of another name on it count apart. Single uses
 * and the revocations of sessions and users stay common to all names: a ticket redeems once wherever its secret is known.
 * A revocation of everybody ends those of this name. The same store and name give the same object.
 */
export function namedStore(store: Store, name: string): Store {
  const names = named.get(store) ?? new Map<string, Store>()
  named.set(store, names)
  const before = names.get(name)
  if (before !== undefined) return before
  // A policy's name holds no control character: the last line break tells key and name apart, whatever a user id holds.
  const suffix = `\n${name}`
  const everybody = EVERYBODY_OF + name
  const made = Object.assign(Object.create(store) as Store, {
    take: (key, cost, budget, at) => store.take(key + suffix, cost, budget, at),
    ...(store.takeShare === undefined
      ? {}
      : { takeShare: (key, cost, budget) => store.takeShare!(key + suffix, cost, budget) }),
    once: (key, ttlMs, bornAt) => store.once(key, ttlMs, bornAt),
    lease: (key, id, cap, ttlMs) => store.lease(key + suffix, id, cap, ttlMs),
    release: (key, id) => store.release(key + suffix, id),
    ...(store.remember === undefined || store.recall === undefined || store.forget === undefined
      ? {}
      : {
          remember: (key, value, ttlMs) => store.remember!(key + suffix, value, ttlMs),
          recall: key => store.recall!(key + suffix),
          forget: key => store.forget!(key + suffix),
        }),
    revoke: (target, ttlMs) => store.revoke(target === 'all' ? { user: everybody } : target, ttlMs),
    revokedAt(session, user) {
      const own = store.revokedAt(session, user)
      const ofAll = store.revokedAt(everybody, everybody)
      if (own instanceof Promise || ofAll instanceof Promise) {
        return Promise.all([own, ofAll]).then(([one, other]) => laterOf(one, other))
      }
      return laterOf(own, ofAll)
    },
    onRevoked: listener =>
      store.onRevoked((target, at) => {
        const meant = ofThisName(target, everybody)
        if (meant !== null) listener(meant, at)
      }),
    ...(store.onState === undefined ? {} : { onState: listener => store.onState!(listener) }),
  } satisfies Store)
  origins.set(made, { store, suffix })
  names.set(name, made)
  return made
}

/** What a named store stands for: a caller that keeps its keys adds the suffix once and asks the store itself. */
export function originOf(store: Store): Origin {
  return origins.get(store) ?? { store, suffix: '' }
}

/** News as they concern one name; null for those of everybody of another name. */
function ofThisName(target: RevocationTarget, everybody: string): RevocationTarget | null {
  if (target === 'all' || 'session' in target || !isOfName(target.user)) return target
  return target.user === everybody ? 'all' : null
}
