import type { Store } from 'sallyport'

type Listener = Parameters<Store['onRevoked']>[0]
type StateListener = Parameters<NonNullable<Store['onState']>>[0]
type Unsubscribe = ReturnType<Store['onRevoked']>

/**
 * One store for all routes and for every guard that a route ever gets: what a client has used up is not given back by a
 * reload, and a revocation holds on every route. Counts are a route's own.
 *
 * A guard that was replaced never says so; its listeners are held weakly, so that two hundred reloads hold one guard.
 */
export function createRouteStores(store: Store): (route: string) => Store {
  const revoked = createWeakListeners<Parameters<Listener>>()
  const states = createWeakListeners<Parameters<StateListener>>()
  store.onRevoked(revoked.tell)
  store.onState?.(states.tell)
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
      onRevoked: revoked.add,
      ...(store.onState === undefined ? {} : { onState: states.add }),
    } satisfies Store
  }
}

interface WeakListeners<A extends unknown[]> {
  add(listener: (...args: A) => void): Unsubscribe
  tell(...args: A): void
}

function createWeakListeners<A extends unknown[]>(): WeakListeners<A> {
  const all = new Set<WeakRef<(...args: A) => void>>()
  return {
    add(listener) {
      for (const held of all) if (held.deref() === undefined) all.delete(held)
      const held = new WeakRef(listener)
      all.add(held)
      return () => void all.delete(held)
    },
    tell(...args) {
      for (const held of all) {
        const listener = held.deref()
        if (listener === undefined) all.delete(held)
        else listener(...args)
      }
    },
  }
}
