import { outbound } from '../controls/message/outbound.ts'
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
import { host } from '../controls/handshake/host.ts'
import { origin } from '../controls/handshake/origin.ts'
import { heartbeat } from '../controls/lifetime/heartbeat.ts'

/** The definition of every control, in the order in which docs and reports tell of them. */
export const DEFINITIONS = [
  host,
  origin,
  size,
  messageRate,
  format,
  schema,
  messageAuthorize,
  concurrency,
  outbound,
  heartbeat,
  idle,
  age,
  session,
  backpressure,
  shutdown,
] as const
