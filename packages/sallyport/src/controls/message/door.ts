import { authorize } from './authorize.ts'
import { format } from './format.ts'
import type { MessageControl } from './message-control.ts'
import { cost, rate } from './rate.ts'
import { schema } from './schema.ts'
import { size } from './size.ts'

/** The message door: cheapest first. `cost` is the second step of `message/rate`: the type must be known. */
export const MESSAGE_DOOR: readonly MessageControl[] = Object.freeze([size, rate, format, schema, cost, authorize])

/** What the messages of a subprotocol's own pass, before their own schema. */
export const OWN_MESSAGE_DOOR: readonly MessageControl[] = Object.freeze([size, rate, format])
