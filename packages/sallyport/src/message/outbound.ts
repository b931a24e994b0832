import type { Policy } from '../policy/types.ts'
import { compileSchemas, typeOf } from './schema.ts'

/** What may be sent, or why nothing is. `detail` names a path and a keyword, never a value. */
export type OutboundResult =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly detail: string }

/** Checks one message of the app on its way out. Never throws. */
export type OutboundCheck = (value: object) => OutboundResult

/**
 * Compiles `message.outbound`: what the app sends must match the schema of its type, and leaves without the fields
 * that the schema does not declare, so that a password hash in a row never does. Null where nothing is declared.
 * An asynchronous schema refuses every message: what is sent must keep its order.
 */
export function compileOutbound({ message }: Policy): OutboundCheck | null {
  const policy = message.outbound
  if (policy === null) return null
  const { types, discriminator } = policy
  const checks = compileSchemas(types, { discriminator, unknownFields: 'strip' })
  return value => {
    const type = typeOf(value, discriminator)
    const check = type === null ? undefined : checks.get(type)
    if (check === undefined) return { ok: false, detail: `the type is not declared in message.outbound` }
    try {
      const result = check(value)
      if (!(result instanceof Promise)) return result.ok ? result : { ok: false, detail: `${type}: ${result.detail}` }
      result.catch(() => {})
      return {
        ok: false,
        detail: `${type}: the schema is asynchronous (or threw); message.outbound takes synchronous ones alone`,
      }
    } catch (error) {
      const thrown = error instanceof Error ? error.constructor.name : typeof error
      return { ok: false, detail: `${type}: the schema threw ${thrown}` }
    }
  }
}
