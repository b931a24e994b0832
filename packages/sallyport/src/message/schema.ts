import { PASS, deny } from '../policy/verdict.ts'
import type { Denial, Verdict } from '../policy/verdict.ts'
import { compileSchema } from './compile-schema.ts'
import type { MessageControl, MessageSubject } from './message-control.ts'
import type { SchemaMap } from '../policy/types.ts'
import type { SchemaCheck, SchemaOptions, SchemaResult } from './schema-result.ts'

const NOT_OBJECT: Denial = deny('SALLY_MESSAGE_TYPE', 'the message is not an object, so it names no type')
const UNKNOWN: Denial = deny('SALLY_MESSAGE_TYPE', 'the type is missing, is not text, or is not declared')

/**
 * Denies a message whose type is not declared, or that the schema of its type refuses. What passes on is the
 * validated value without the fields that the schema does not declare, at any depth (CWE-915).
 */
export const schema: MessageControl = {
  id: 'message/schema',
  compile({ message }) {
    const policy = message.schema
    if (policy === null) return null
    const checks = compileSchemas(policy.types, policy)
    return subject => {
      const { value } = subject
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return NOT_OBJECT
      const type = typeOf(value, policy.discriminator)
      const check = type === null ? undefined : checks.get(type)
      if (type === null || check === undefined) return UNKNOWN
      // Before the verdict, so that report mode hands a refused message to its handler.
      subject.type = type
      const result = check(value)
      return result instanceof Promise ? result.then(late => judge(subject, type, late)) : judge(subject, type, result)
    }
  },
}

/** Compiles every schema of a map. A Map, so that `toString` and `__proto__` are no types. */
export function compileSchemas(types: SchemaMap, options: SchemaOptions): ReadonlyMap<string, SchemaCheck> {
  return new Map(Object.entries(types).map(([type, declared]) => [type, compileSchema(type, declared, options)]))
}

/** The type that a message names; null where it is missing, inherited or not text. */
export function typeOf(value: object, discriminator: string): string | null {
  if (!Object.hasOwn(value, discriminator)) return null
  const type = (value as Record<string, unknown>)[discriminator]
  return typeof type === 'string' ? type : null
}

function judge(subject: MessageSubject, type: string, result: SchemaResult): Verdict {
  if (!result.ok) return deny('SALLY_MESSAGE_INVALID', `${type}: ${result.detail}`)
  subject.value = result.value
  return PASS
}
