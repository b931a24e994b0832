import { authorize } from './authorize.ts'
import { connections, connectionsOfUser } from './connections.ts'
import { fetchMetadata } from './fetch-metadata.ts'
import { halfOpen } from './half-open.ts'
import type { HandshakeControl } from './handshake-control.ts'
import { host } from './host.ts'
import { origin } from './origin.ts'
import { rate, rateOfTicketRequest, rateOfUser } from './rate.ts'
import { request, requestSize } from './request.ts'
import { session } from './session.ts'
import { subprotocol } from './subprotocol.ts'
import { ticket } from './ticket.ts'
import { transport } from './transport.ts'

/** The handshake door: cheapest first, and nothing shared is touched before the Origin is known to be ours. */
export const HANDSHAKE_DOOR: readonly HandshakeControl[] = [
  transport,
  request,
  host,
  origin,
  fetchMetadata,
  subprotocol,
  rate,
  halfOpen,
  session,
  rateOfUser,
  connections,
  connectionsOfUser,
  ticket,
  authorize,
]

/** What a request for a ticket must pass before its session is looked up: all of the door that is not about upgrading. */
export const TICKET_DOOR: readonly HandshakeControl[] = [transport, requestSize, host, origin, rateOfTicketRequest]

/** What an open connection must pass under a new policy: all of the door that is not of the moment when it opened. */
export const STANDING_DOOR: readonly HandshakeControl[] = HANDSHAKE_DOOR.filter(
  control => control.id !== 'handshake/rate' && control !== halfOpen && control !== ticket,
)

/**
 * What the first request of a session over long polling must pass: all of the door that is not about upgrading. Browsers say
 * of it that it is a fetch, and so `handshake/fetch-metadata` has nothing to compare.
 */
export const POLLING_DOOR: readonly HandshakeControl[] = HANDSHAKE_DOOR.filter(
  control => control !== fetchMetadata && control !== subprotocol,
).map(control => (control === request ? requestSize : control))
