import { nearest } from '../shape/nearest.ts'
import { isOptions } from '../shape/options.ts'
import { kindOf } from '../shape/shown.ts'
import type { Policy } from '../policy/types.ts'
import type { Connection } from './connection.ts'
import type { Delivery } from './services.ts'

/** Handlers by message type, without the types of their messages. */
export interface AnyHandlers {
  readonly [type: string]: (message: never, connection: never) => unknown
}

/** Most names that an error message lists. */
const MOST_SHOWN = 3

type Handler = (message: unknown, connection: Connection) => unknown

/**
 * Compiles handlers into one function that a connection calls. Throws a `TypeError` that names every declared type
 * without a handler, and every handler without a declared type. Otherwise both mistakes would first show in production.
 */
export function createDispatch(policy: Policy, handlers: AnyHandlers): Delivery['message'] {
  const { schema } = policy.message
  if (schema === null) {
    throw new TypeError(
      'handlers need `message.schema` in the policy; with dangerouslyAcceptAnyMessage give `message` instead',
    )
  }
  const declared = Object.keys(schema.types)
  if (!isOptions(handlers)) {
    const write = declared.map(type => `${type}(message, connection) { … }`).slice(0, MOST_SHOWN)
    throw new TypeError(`handlers is ${kindOf(handlers)}, not an object; write { ${write.join(', ')} }`)
  }
  const given = Object.keys(handlers)
  const unknown = given.filter(type => !Object.hasOwn(schema.types, type))
  const missing = declared.filter(type => !Object.hasOwn(handlers, type))
  const [odd] = unknown
  if (odd !== undefined) {
    const near = nearest(odd, missing.length > 0 ? missing : declared)
    throw new TypeError(
      `handlers has ${unknown.join(', ')}: ${near === undefined ? '' : `did you mean ${near}? Else `}declare the type in message.schema`,
    )
  }
  if (missing.length > 0) {
    const inherited = missing.filter(type => type in handlers)
    throw new TypeError(
      inherited.length > 0
        ? `handlers inherits ${inherited.join(', ')}, and own functions alone are called: write { ${inherited[0]}: (message, connection) => it.${inherited[0]}(message, connection) }`
        : `message.schema declares ${missing.join(', ')}: add a handler of that name`,
    )
  }
  for (const type of given) {
    if (typeof handlers[type] === 'function') continue
    throw new TypeError(
      `handlers.${type} is ${kindOf(handlers[type])}, not a function; write ${type}(message, connection) { … }`,
    )
  }
  const table = new Map<string, Handler>(given.map(type => [type, handlers[type] as Handler]))
  // In report mode a message of an unknown type comes here too. No handler gets it.
  return (subject, connection) =>
    subject.type === null ? undefined : table.get(subject.type)?.(subject.value, connection)
}
