import type { PolicyOf } from '../definition.ts'
import { authorize } from './authorize.ts'
import { format } from './format.ts'
import { cost, rate } from './rate.ts'
import { replay, replayFields } from './replay.ts'
import { schema } from './schema.ts'
import { size } from './size.ts'

/**
 * The message door, cheapest control first. `cost` is the second step of `message/rate`, because it needs the type. `replay`
 * is the second step of `message/replay`, so that a message that another control refuses uses no nonce.
 */
export const MESSAGE_DOOR = Object.freeze([size, rate, format, replayFields, schema, cost, authorize, replay] as const)

/** The controls for messages that belong to a subprotocol itself. They run before the schema of such a message. */
export const OWN_MESSAGE_DOOR = Object.freeze([size, rate, format] as const)

/** What of a policy the message door looks at. */
export type MessagePolicy = PolicyOf<(typeof MESSAGE_DOOR)[number]>
