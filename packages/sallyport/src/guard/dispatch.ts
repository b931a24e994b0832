import type { Policy } from '../policy/types.ts'
import type { Connection } from './connection.ts'
import type { Delivery } from './hub.ts'

/** Handlers by message type, before their types are known. */
export interface AnyHandlers {
  readonly [type: string]: (message: never, connection: never) => unknown
}

type Handler = (message: unknown, connection: Connection) => unknown

/**
 * Compiles handlers into what a connection calls. Throws a `TypeError` that names every declared type without a handler
 * and every handler without a declared type: both are mistakes that would else be seen in production.
 */
export function createDispatch(policy: Policy, handlers: AnyHandlers): Delivery['message'] {
  const { schema } = policy.message
  const given = Object.keys(handlers)
  for (const type of given) {
    if (typeof handlers[type] !== 'function') throw new TypeError(`handlers.${type} must be a function`)
  }
  if (schema === null) {
    throw new TypeError(
      'handlers need `message.schema` in the policy; with dangerouslyAcceptAnyMessage give `message` instead',
    )
  }
  const declared = Object.keys(schema.types)
  const missing = declared.filter(type => !Object.hasOwn(handlers, type))
  const unknown = given.filter(type => !Object.hasOwn(schema.types, type))
  if (missing.length > 0)
    throw new TypeError(`message.schema declares ${missing.join(', ')}: add a handler of that name`)
  if (unknown.length > 0) throw new TypeError(`handlers has ${unknown.join(', ')}: declare the type in message.schema`)
  const table = new Map<string, Handler>(given.map(type => [type, handlers[type] as Handler]))
  // In report mode a message of no known type comes here too; nobody handles it.
  return (subject, connection) =>
    subject.type === null ? undefined : table.get(subject.type)?.(subject.value, connection)
}
