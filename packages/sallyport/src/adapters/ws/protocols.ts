import type { ServerOptions } from 'ws'
import { isTicketProtocol } from '../../request/carriers.ts'

type HandleProtocols = NonNullable<ServerOptions['handleProtocols']>

const hiding = new WeakSet<HandleProtocols>()

/**
 * Hides tickets from the function that chooses the subprotocol, and drops a ticket that it answers. graphql-ws puts its own
 * function into the server's options. `ws` by itself answers with the first name offered, even a ticket.
 */
export function hideTickets(options: { handleProtocols?: HandleProtocols | null }, own: HandleProtocols): void {
  const choose = options.handleProtocols ?? own
  if (options.handleProtocols === choose && (choose === own || hiding.has(choose))) return
  const hidden: HandleProtocols = (offered, request) => {
    const chosen = choose(new Set([...offered].filter(name => !isTicketProtocol(name))), request)
    return typeof chosen === 'string' && !isTicketProtocol(chosen) ? chosen : false
  }
  hiding.add(hidden)
  options.handleProtocols = hidden
}
