import type { PolicyInput, SessionResolver } from 'sallyport'
import type { GatewayConfig, RouteConfig } from '../model/config.ts'

/** The policy of a route, as the library takes it: its sections, and what the gateway itself provides. */
export function policyInputOf(
  route: Pick<RouteConfig, 'hosts' | 'policy'>,
  config: Pick<GatewayConfig, 'name' | 'proxy'>,
  session: SessionResolver | { readonly dangerouslyAnonymous: true },
  own: Pick<PolicyInput, 'store' | 'events'> & { readonly ticketSecret?: string } = {},
): PolicyInput {
  const { handshake, message, lifetime, report, timeout } = route.policy
  const { store, events, ticketSecret } = own
  return {
    name: config.name,
    ...(config.proxy === null || config.proxy === undefined ? {} : { proxy: config.proxy }),
    handshake: {
      ...handshake,
      ...(route.hosts.length === 0 ? {} : { host: hostsOf(handshake?.host, route.hosts) }),
      ...(ticketSecret === undefined ? {} : { ticket: ticketOf(handshake?.ticket, session, ticketSecret) }),
      session,
    },
    message,
    ...(lifetime === undefined ? {} : { lifetime }),
    ...(report === undefined ? {} : { report }),
    ...(timeout === undefined ? {} : { timeout }),
    ...(store === undefined ? {} : { store }),
    ...(events === undefined ? {} : { events }),
  } as PolicyInput
}

type Handshake = RouteConfig['policy']['handshake']

/** The names of a route are served, besides those of its origins. */
function hostsOf(host: Handshake['host'], hosts: readonly string[]): unknown {
  if (host === undefined || host === null) return { allow: hosts }
  if (typeof host !== 'object' || (host.allow !== undefined && !Array.isArray(host.allow))) return host
  return { ...host, allow: [...(host.allow ?? []), ...hosts] }
}

/** A random secret of the process, where the file names none: a reload and another worker must not void tickets. */
function ticketOf(ticket: Handshake['ticket'], session: unknown, secret: string): unknown {
  const isAsked =
    ticket !== undefined || (typeof session === 'function' && (session as SessionResolver).ambient !== false)
  if (!isAsked || ticket?.dangerouslyWithoutTicket === true || ticket?.secret !== undefined) return ticket
  return { ...ticket, secret }
}
