import type { Store } from 'sallyport'

/**
 * One store for all routes and for every guard that a route ever gets: what a client has used up is not given back by a
 * reload, and a revocation holds on every route. Counts are a route's own.
 */
export function createRouteStores(store: Store): (route: string) => Store {
  return route => {
    const of = (key: string): string => `${route}/${key}`
    return {
      take: (key, cost, budget) => store.take(of(key), cost, budget),
      ...(store.takeShare === undefined
        ? {}
        : { takeShare: (key, cost, budget) => store.takeShare!(of(key), cost, budget) }),
      once: (key, ttlMs, bornAt) => store.once(of(key), ttlMs, bornAt),
      lease: (key, id, cap, ttlMs) => store.lease(of(key), id, cap, ttlMs),
      release: (key, id) => store.release(of(key), id),
      revoke: (target, ttlMs) => store.revoke(target, ttlMs),
      revokedAt: (session, user) => store.revokedAt(session, user),
      onRevoked: listener => store.onRevoked(listener),
      ...(store.onState === undefined ? {} : { onState: listener => store.onState!(listener) }),
    } satisfies Store
  }
}
