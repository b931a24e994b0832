import { createGuard, type Guard } from 'sallyport'
import { policyInputOf } from '../config/route-policy.ts'
import type { GatewayConfig, RouteConfig } from '../model/config.ts'
import { resolverOf } from '../session/resolver.ts'
import { createRouteStores } from './route-store.ts'
import { requireSharedParts, type SharedParts } from './shared-parts.ts'

/** Makes the guard of a route: its policy as the file says it, its session resolver inside. Throws what `createGuard` does; a `TypeError` for invalid parts. */
export function createGuardOf(parts: SharedParts): (route: RouteConfig, config: GatewayConfig) => Guard {
  requireSharedParts(parts)
  const storeOf = createRouteStores(parts.store)
  return (route, config) => {
    const guard = createGuard(
      policyInputOf(route, config, resolverOf(route.session), {
        store: storeOf(route.id),
        ticketSecret: parts.ticketSecret,
        events: { log: parts.logOf(route.id), hashKey: parts.hashKey },
      }),
    )
    const { report } = route.policy
    if (report !== undefined && report !== false) {
      guard.on(event => {
        if (event.kind === 'denial' && event.enforced === false) parts.reported(route.id, event)
      })
    }
    return guard
  }
}
