import type { Store, Target } from 'sallyport'

/**
 * One store for all routes and for every guard that a route ever gets: what a client has used up is not given back by a
 * reload, and a revocation holds on every route. Counts are a route's own.
 *
 * A guard that was replaced never says so; its listener is held weakly, so that two hundred reloads hold one guard.
 */
export function createRouteStores(store: Store): (route: string) => Store {
  const listeners = new Set<WeakRef<(target: Target) => void>>()
  store.onRevoked(target => {
    for (const held of listeners) {
      const listener = held.deref()
      if (listener === undefined) listeners.delete(held)
      else listener(target)
    }
  })
  const onRevoked = (listener: (target: Target) => void): ReturnType<Store['onRevoked']> => {
    for (const held of listeners) if (held.deref() === undefined) listeners.delete(held)
    const held = new WeakRef(listener)
    listeners.add(held)
    return () => void listeners.delete(held)
  }
  return route => {
    const of = (key: string): string => `${route}/${key}`
    return {
      take: (key, cost, budget) => store.take(of(key), cost, budget),
      once: (key, ttlMs) => store.once(of(key), ttlMs),
      lease: (key, id, cap, ttlMs) => store.lease(of(key), id, cap, ttlMs),
      release: (key, id) => store.release(of(key), id),
      revoke: (target, ttlMs) => store.revoke(target, ttlMs),
      revokedAt: (session, user) => store.revokedAt(session, user),
      onRevoked,
    }
  }
}
