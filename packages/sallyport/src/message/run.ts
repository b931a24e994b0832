import type { Parts } from '../guard/parts.ts'
import { createDoor } from '../policy/run-door.ts'
import type { Door, DoorCheck, ObserveDenial } from '../policy/run-door.ts'
import type { Policy } from '../policy/types.ts'
import { MESSAGE_DOOR } from './door.ts'
import type { MessageConnection, MessageSubject } from './message-control.ts'

/** The compiled message door. The subject bears what passes on: `value` and `type`. Never throws, never rejects. */
export type MessageDoor = Door<MessageSubject, MessageConnection>

/**
 * Compiles the message door of a policy. Every denial is told to `observe`: enforced ones end the run, those of
 * report mode do not, and the run goes on with the value as it stands. Throws a SchemaError for a bad schema.
 */
export function createMessageDoor(
  policy: Policy,
  parts: Parts,
  observe: ObserveDenial<MessageSubject, MessageConnection>,
): MessageDoor {
  const checks: DoorCheck<MessageSubject, MessageConnection>[] = []
  for (const control of MESSAGE_DOOR) {
    const check = control.compile(policy, parts)
    if (check !== null) checks.push({ id: control.id, check })
  }
  return createDoor({ checks, report: policy.report, timeoutMs: policy.timeoutMs, observe })
}
