import { authorize } from './authorize.ts'
import { format } from './format.ts'
import type { MessageControl } from './message-control.ts'
import { cost, rate } from './rate.ts'
import { replay, replayFields } from './replay.ts'
import { schema } from './schema.ts'
import { size } from './size.ts'

/**
 * The message door, cheapest control first. `cost` is the second step of `message/rate`, because it needs the type. `replay`
 * is the second step of `message/replay`, so that a message that another control refuses uses no nonce.
 */
export const MESSAGE_DOOR: readonly MessageControl[] = Object.freeze([
  size,
  rate,
  format,
  replayFields,
  schema,
  cost,
  authorize,
  replay,
])

/** The controls for messages that belong to a subprotocol itself. They run before the schema of such a message. */
export const OWN_MESSAGE_DOOR: readonly MessageControl[] = Object.freeze([size, rate, format])
