import type { MessageSubject } from '../controls/message/message-control.ts'
import { denialRow } from '../policy/denials.ts'
import { type Denial, deny } from '../model/verdict.ts'
import { end } from './ending.ts'
import { replyError } from './outbound.ts'
import type { ConnectionState } from './state.ts'
import { delay } from './waiting.ts'

const STRIKE_WINDOW_MS = 60_000

/** Treats a refused message as the row of its denial says: drops, delays or answers it, or ends the connection. */
export function refuseMessage(connection: ConnectionState, subject: MessageSubject, denial: Denial): void {
  const row = denialRow(denial.code)
  const { rate, format } = connection.services.policy.message
  if (row.control === 'message/rate' && rate?.exceed === 'drop') return
  if (row.control === 'message/rate' && rate?.exceed === 'delay') {
    delay(connection, subject, (denial.retryAfter ?? 1) * 1000)
    return
  }
  if (row.action !== 'reply' || format?.data === 'binary') {
    end(connection, { kind: 'refused', denial, closeCode: row.close ?? 1008 })
    return
  }
  strike(connection)
  replyError(connection, denial.code)
}

/** Counts a message that was refused and answered. Too many of them within a minute end the connection. */
export function strike(connection: ConnectionState): void {
  const now = connection.services.now()
  const rare = connection.ownRare()
  if (now - rare.strikesSince > STRIKE_WINDOW_MS) {
    rare.strikesSince = now
    rare.strikes = 0
  }
  if (++rare.strikes <= connection.services.policy.message.strikes) return
  const denial = deny('SALLY_MESSAGE_STRIKES', { count: rare.strikes })
  end(connection, { kind: 'denied', denial })
}
