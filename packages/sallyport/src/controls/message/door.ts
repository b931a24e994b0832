import { authorize } from './authorize.ts'
import { format } from './format.ts'
import type { MessageControl } from './message-control.ts'
import { cost, rate } from './rate.ts'
import { replay, replayFields } from './replay.ts'
import { schema } from './schema.ts'
import { size } from './size.ts'

/**
 * The message door: cheapest first. `cost` is the second step of `message/rate`: the type must be known. `replay` is the
 * second step of `message/replay`: what another control refuses uses up no nonce.
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

/** What the messages of a subprotocol's own pass, before their own schema. */
export const OWN_MESSAGE_DOOR: readonly MessageControl[] = Object.freeze([size, rate, format])
