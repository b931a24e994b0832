import { createGuard, type Guard, type Logger, type SallyEvent, type Store } from 'sallyport'
import { policyInputOf } from '../config/route-policy.ts'
import type { GatewayConfig, RouteConfig } from '../config/types.ts'
import { resolverOf } from '../session/resolver.ts'
import { createRouteStores } from './route-store.ts'

/** What all guards of a gateway share, so that a reload, or another worker, changes nothing of it. */
export interface SharedParts {
  readonly store: Store
  /** Signs the tickets of routes that name no secret. */
  readonly ticketSecret: string
  /** Key of the hashes that stand for session and user in events. */
  readonly hashKey: string
  /** Gets the events of a route. */
  readonly logOf: (route: string) => Logger
  /** Hears of each denial in report mode. */
  readonly reported: (route: string, event: SallyEvent) => void
}

/** Makes the guard of a route: its policy as the file says it, its session resolver inside. Throws what `createGuard` does. */
export function createGuardOf(parts: SharedParts): (route: RouteConfig, config: GatewayConfig) => Guard {
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
