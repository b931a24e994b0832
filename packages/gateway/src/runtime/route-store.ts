import type { Store } from 'sallyport'

/** Names beyond these are of routes long gone. */
const MOST_ROUTES = 10_000

/**
 * One store for all routes and for every guard that a route ever gets: what a client has used up is not given back by a
 * reload, and a revocation holds on every route. Counts are a route's own. A route has the same object each time: by that a
 * guard knows that the places of a connection are counted where it counts.
 */
export function createRouteStores(store: Store): (route: string) => Store {
  const known = new Map<string, Store>()
  return route => {
    const before = known.get(route)
    if (before !== undefined) return before
    if (known.size >= MOST_ROUTES) known.clear()
    const of = (key: string): string => `${route}/${key}`
    const made = {
      take: (key, cost, budget) => store.take(of(key), cost, budget),
      ...(store.takeShare === undefined
        ? {}
        : { takeShare: (key, cost, budget) => store.takeShare!(of(key), cost, budget) }),
      once: (key, ttlMs, bornAt) => store.once(of(key), ttlMs, bornAt),
      lease: (key, id, cap, ttlMs) => store.lease(of(key), id, cap, ttlMs),
      release: (key, id) => store.release(of(key), id),
      ...(store.remember === undefined || store.recall === undefined || store.forget === undefined
        ? {}
        : {
            remember: (key, value, ttlMs) => store.remember!(of(key), value, ttlMs),
            recall: key => store.recall!(of(key)),
            forget: key => store.forget!(of(key)),
          }),
      revoke: (target, ttlMs) => store.revoke(target, ttlMs),
      revokedAt: (session, user) => store.revokedAt(session, user),
      onRevoked: listener => store.onRevoked(listener),
      ...(store.onState === undefined ? {} : { onState: listener => store.onState!(listener) }),
    } satisfies Store
    known.set(route, made)
    return made
  }
}
