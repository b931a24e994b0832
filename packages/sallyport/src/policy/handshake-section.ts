import type { Earlier } from '../controls/definition.ts'
import { authorize } from '../controls/handshake/authorize.ts'
import { connections } from '../controls/handshake/connections.ts'
import { extensions } from '../controls/handshake/extensions.ts'
import { fetchMetadata } from '../controls/handshake/fetch-metadata.ts'
import { host } from '../controls/handshake/host.ts'
import { origin } from '../controls/handshake/origin.ts'
import { rate } from '../controls/handshake/rate.ts'
import { request } from '../controls/handshake/request.ts'
import { session } from '../controls/handshake/session.ts'
import { subprotocol } from '../controls/handshake/subprotocol.ts'
import { ticket } from '../controls/handshake/ticket.ts'
import { transport } from '../controls/handshake/transport.ts'
import type { Policy } from '../model/policy.ts'

/** Keys of `handshake`. */
export const HANDSHAKE_KEYS: readonly string[] = [
  'transport',
  'host',
  'request',
  'origin',
  'fetch-metadata',
  'subprotocol',
  'extensions',
  'rate',
  'connections',
  'session',
  'ticket',
  'authorize',
]

/**
 * Reads `handshake`: who may open. Origin and session come first, so that problems of required keys are reported first.
 */
export function readHandshake({ sectionOf }: Earlier): Policy['handshake'] {
  const pages = sectionOf(origin)
  const resolver = sectionOf(session)
  return Object.freeze({
    transport: sectionOf(transport),
    host: sectionOf(host),
    request: sectionOf(request),
    origin: pages,
    'fetch-metadata': sectionOf(fetchMetadata),
    subprotocol: sectionOf(subprotocol),
    extensions: sectionOf(extensions),
    rate: sectionOf(rate),
    connections: sectionOf(connections),
    session: resolver,
    ticket: sectionOf(ticket),
    authorize: sectionOf(authorize),
  })
}
