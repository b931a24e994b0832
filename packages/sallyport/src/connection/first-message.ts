import type { MessageSubject } from '../controls/message/message-control.ts'
import { denialRow } from '../policy/denials.ts'
import { deny, PASS, type Verdict } from '../model/verdict.ts'
import { tellAppOpen } from './dispatch.ts'
import { end } from './ending.ts'
import { sendQueued } from './outbound.ts'
import { type ConnectionState, isOpen } from './state.ts'

/** The answer to a valid first message in first-message mode. */
const AUTHENTICATED = '{"type":"authenticated"}'

/** Greatest size of a message in the present state, in bytes. */
export function messageBytes({ readyState, services }: ConnectionState): number {
  const { bytes, unauthenticatedBytes } = services.policy.message.size
  return readyState === 0 ? unauthenticatedBytes : bytes
}

/** Judges the first message, which must contain the ticket. */
export function judgeFirst(connection: ConnectionState, subject: MessageSubject): Verdict | Promise<Verdict> {
  const { services } = connection
  const most = messageBytes(connection)
  const denial =
    subject.bytes > most
      ? deny('SALLY_MESSAGE_TOO_BIG', { reason: 'first', bytes: subject.bytes, most })
      : deny('SALLY_AUTHENTICATION_FIRST', { reason: 'binary' })
  if (subject.bytes <= most && subject.text !== null) return services.admitFirst(subject.text, connection)
  const { control } = denialRow(denial.code)
  const enforced = services.enforced(control)
  services.denied(control, denial, enforced, connection)
  if (enforced) return denial
  connection.ownRare().unproven = true
  return PASS
}

/**
 * Acts on the verdict for a first message. Returns true if report mode accepts a message without a valid ticket. It
 * then counts as an ordinary message.
 */
export function settleFirst(connection: ConnectionState, verdict: Verdict): boolean {
  if (!verdict.pass) {
    const row = denialRow(verdict.code)
    // 4401 tells the client to sign in again. A wrong size, or a failure of our own store, has another code.
    const closeCode = row.control === 'message/size' || row.http === 503 ? (row.close ?? 1013) : 4401
    end(connection, { kind: 'refused', denial: verdict, closeCode })
    return false
  }
  connection.readyState = 1
  connection.transport.limit(messageBytes(connection))
  if (!connection.rare.unproven) {
    connection.transport.sendText(AUTHENTICATED)
    connection.services.authenticated(connection)
  }
  sendQueued(connection)
  if (isOpen(connection)) tellAppOpen(connection)
  return isOpen(connection) && connection.rare.unproven
}
