import { authorize } from './authorize.ts'
import { connections, connectionsOfUser } from './connections.ts'
import { fetchMetadata } from './fetch-metadata.ts'
import { halfOpen } from './half-open.ts'
import type { PolicyOf } from '../definition.ts'
import type { HandshakeControl } from './handshake-control.ts'
import { host } from './host.ts'
import { origin } from './origin.ts'
import { rate, rateOfTicketRequest, rateOfUser } from './rate.ts'
import { request, requestSize } from './request.ts'
import { session } from './session.ts'
import { subprotocol } from './subprotocol.ts'
import { ticket } from './ticket.ts'
import { transport } from './transport.ts'

/** The handshake door, cheapest control first. No shared state is touched before the Origin is accepted. */
export const HANDSHAKE_DOOR = [
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
] as const

/** What of a policy the handshake door looks at. */
export type HandshakePolicy = PolicyOf<(typeof HANDSHAKE_DOOR)[number] | (typeof TICKET_DOOR)[number]>

/**
 * The controls for a ticket request before its session is looked up: those of the door that do not concern the upgrade.
 */
export const TICKET_DOOR = [transport, requestSize, host, origin, rateOfTicketRequest] as const

/**
 * The controls for an open connection under a new policy: those of the door that do not concern the moment of opening.
 */
export const STANDING_DOOR: readonly HandshakeControl<HandshakePolicy>[] = HANDSHAKE_DOOR.filter(
  control => control.id !== 'handshake/rate' && control !== halfOpen && control !== ticket,
)

/**
 * The controls for the first request of a session over long polling: those of the door that do not concern the upgrade.
 * For browsers this request is a fetch, so `handshake/fetch-metadata` has nothing to compare.
 */
export const POLLING_DOOR: readonly HandshakeControl<HandshakePolicy>[] = HANDSHAKE_DOOR.filter(
  control => control !== fetchMetadata && control !== subprotocol,
).map(control => (control === request ? requestSize : control))
