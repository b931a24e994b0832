import { outbound } from '../controls/message/outbound.ts'
import { replay } from '../controls/message/replay.ts'
import { concurrency } from '../controls/message/concurrency.ts'
import { authorize as messageAuthorize } from '../controls/message/authorize.ts'
import { schema } from '../controls/message/schema.ts'
import { format } from '../controls/message/format.ts'
import { rate as messageRate } from '../controls/message/rate.ts'
import { size } from '../controls/message/size.ts'
import { shutdown } from '../controls/lifetime/shutdown.ts'
import { backpressure } from '../controls/lifetime/backpressure.ts'
import { session } from '../controls/lifetime/session.ts'
import { age } from '../controls/lifetime/age.ts'
import { idle } from '../controls/lifetime/idle.ts'
import { authorize } from '../controls/handshake/authorize.ts'
import { connections } from '../controls/handshake/connections.ts'
import { extensions } from '../controls/handshake/extensions.ts'
import { fetchMetadata } from '../controls/handshake/fetch-metadata.ts'
import { host } from '../controls/handshake/host.ts'
import { origin } from '../controls/handshake/origin.ts'
import { rate } from '../controls/handshake/rate.ts'
import { request } from '../controls/handshake/request.ts'
import { session as handshakeSession } from '../controls/handshake/session.ts'
import { subprotocol } from '../controls/handshake/subprotocol.ts'
import { ticket } from '../controls/handshake/ticket.ts'
import { transport } from '../controls/handshake/transport.ts'
import { authentication } from '../controls/lifetime/authentication.ts'
import { heartbeat } from '../controls/lifetime/heartbeat.ts'

/** The definitions of all controls, in the order of docs and reports. */
export const DEFINITIONS = [
  transport,
  host,
  request,
  origin,
  fetchMetadata,
  subprotocol,
  extensions,
  rate,
  connections,
  handshakeSession,
  ticket,
  authorize,
  size,
  messageRate,
  format,
  schema,
  messageAuthorize,
  replay,
  concurrency,
  outbound,
  authentication,
  heartbeat,
  idle,
  age,
  session,
  backpressure,
  shutdown,
] as const
