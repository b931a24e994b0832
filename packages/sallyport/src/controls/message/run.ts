import type { ControlContext } from '../context.ts'
import { createDoor } from '../run.ts'
import type { Door, DoorCheck, ObserveDenial } from '../run.ts'
import { isReported, type Reporting } from '../../model/reporting.ts'
import { PASS } from '../../model/verdict.ts'
import { MESSAGE_DOOR, type MessagePolicy } from './door.ts'
import type { MessageConnection, MessageSubject } from './message-control.ts'
import { createMessageReader, type MessageReader, type ReaderPolicy } from '../../fast-path/template.ts'

/**
 * The compiled message door. It writes the accepted `value` and `type` into the subject. Never throws, never rejects.
 */
export type MessageDoor = Door<MessageSubject, MessageConnection>

/**
 * Compiles the message door of a policy. `observe` gets every denial. An enforced denial ends the run. A denial in
 * report mode does not, and the run continues with the present value. Throws a SchemaError for an invalid schema.
 */
export function createMessageDoor(
  policy: MessagePolicy & ReaderPolicy & Reporting & { readonly timeoutMs: number },
  parts: ControlContext,
  observe: ObserveDenial<MessageSubject, MessageConnection>,
): MessageDoor {
  const checks: DoorCheck<MessageSubject, MessageConnection>[] = []
  for (const control of MESSAGE_DOOR) {
    const check = control.compile(policy, parts)
    if (check !== null) checks.push({ id: control.id, check })
  }
  const reader = createMessageReader(policy)
  // The reader strips fields without a report. In report mode that would change a message, and no event would show it.
  if (reader !== null && !isReported(policy, 'message/schema'))
    readBytes(checks, reader, policy.message.authorize !== null)
  return createDoor({ checks, report: policy.report, timeoutMs: policy.timeoutMs, observe, timers: parts.runtime })
}

/**
 * Puts a reader of bytes before `message/format` and `message/schema`. They are skipped for messages that it can read.
 */
function readBytes(
  checks: DoorCheck<MessageSubject, MessageConnection>[],
  reader: MessageReader,
  asksForValue: boolean,
): void {
  const format = checks.find(({ id }) => id === 'message/format')!
  const schema = checks.find(({ id }) => id === 'message/schema')!
  /**
   * The message that format has just accepted, and that schema judges next. A message that only report mode accepted
   * teaches the reader nothing.
   */
  let formatted: MessageSubject | null = null

  replace(checks, format, (subject, connection) => {
    const { lent } = subject
    const wantsValue = asksForValue || connection.takesBytes !== true
    const read = lent && subject.ascii ? reader.read(lent, subject.start!, subject.end!, wantsValue) : null
    subject.read = read !== null
    if (read !== null) {
      subject.type = read.type
      subject.exact = read.value === null
      subject.value = read.value ?? undefined
      return PASS
    }
    const verdict = format.check(subject, connection)
    if (verdict === PASS && lent && subject.ascii) formatted = subject
    return verdict
  })
  replace(checks, schema, (subject, connection) => {
    if (subject.read) return PASS
    const teaches = formatted === subject
    formatted = null
    const input = subject.value
    const verdict = schema.check(subject, connection)
    if (teaches && verdict === PASS) reader.learn(subject.text!, subject.type!, input, subject.value)
    return verdict
  })
}

function replace<T extends DoorCheck<MessageSubject, MessageConnection>>(list: T[], old: T, check: T['check']): void {
  list[list.indexOf(old)] = { ...old, check }
}
