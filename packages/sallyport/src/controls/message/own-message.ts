import { isReported, type Reporting } from '../../model/reporting.ts'
import { type Denial, PASS, type Verdict } from '../../model/verdict.ts'
import type { SchemaCheck } from '../../schema/schema-result.ts'
import type { ControlContext } from '../context.ts'
import { createDoor, type Door, type DoorCheck, type ObserveDenial } from '../run.ts'
import { type MessagePolicy, OWN_MESSAGE_DOOR } from './door.ts'
import type { MessageConnection, MessageSubject } from './message-control.ts'
import { judgeBySchema } from './schema.ts'

/**
 * A message that belongs to a subprotocol itself, so that no type of the policy describes it. An example is an
 * acknowledgement of Socket.IO.
 */
export interface OwnMessage extends MessageSubject {
  readonly own: OwnRule
}

/** Decides about such a message instead of its type. */
export interface OwnRule {
  /** Why it is refused after its budget was charged. Null if the schema decides. */
  readonly refused: Denial | null
  /** Its schema, and its name in events. Null if every well-formed message passes. */
  readonly schema: { readonly name: string; readonly check: SchemaCheck } | null
}

/**
 * Compiles the part of the message door for such messages: size, rate, format if there is text, and their own schema.
 */
export function createOwnDoor(
  policy: MessagePolicy & Reporting & { readonly timeoutMs: number },
  parts: ControlContext,
  observe: ObserveDenial<MessageSubject, MessageConnection>,
): Door<OwnMessage, MessageConnection> {
  const checks: DoorCheck<OwnMessage, MessageConnection>[] = []
  for (const control of OWN_MESSAGE_DOOR) {
    const check = control.compile(policy, parts)
    if (check === null) continue
    const ofText: typeof check = (subject, connection) => (subject.text === null ? PASS : check(subject, connection))
    checks.push({ id: control.id, check: control.id === 'message/format' ? ofText : check })
  }
  const bigIntegers = policy.message.format?.bigIntegers ?? 'refuse'
  const reports = isReported(policy, 'message/schema')
  const judge = (subject: OwnMessage): Verdict | Promise<Verdict> => {
    const { refused, schema } = subject.own
    if (refused !== null) return refused
    if (schema === null) return PASS
    const run = { subject, type: schema.name, check: schema.check, bigIntegers, takesBytes: false, reports }
    return judgeBySchema(run, subject.value as object)
  }
  checks.push({ id: 'message/schema', check: judge })
  return createDoor({ checks, report: policy.report, timeoutMs: policy.timeoutMs, observe, timers: parts.runtime })
}
