import type { ControlId } from './verdict.ts'

/** A denial's code, such as `SALLY_ORIGIN_NOT_ALLOWED`. The peer learns only this code. */
export type DenialCode =
  | 'SALLY_TRANSPORT_INSECURE'
  | 'SALLY_HOST_NOT_SERVED'
  | 'SALLY_REQUEST_MALFORMED'
  | 'SALLY_REQUEST_VERSION'
  | 'SALLY_REQUEST_TOO_LARGE'
  | 'SALLY_ORIGIN_MISSING'
  | 'SALLY_ORIGIN_NOT_ALLOWED'
  | 'SALLY_FETCH_METADATA'
  | 'SALLY_SUBPROTOCOL_NOT_SERVED'
  | 'SALLY_HANDSHAKE_RATE'
  | 'SALLY_CONNECTIONS_FULL'
  | 'SALLY_CONNECTIONS_IP'
  | 'SALLY_CONNECTIONS_USER'
  | 'SALLY_CONNECTIONS_SILENT'
  | 'SALLY_CONNECTIONS_DROPPED'
  | 'SALLY_SESSION_MISSING'
  | 'SALLY_SESSION_EXPIRED'
  | 'SALLY_SESSION_REVOKED'
  | 'SALLY_SESSION_UNAVAILABLE'
  | 'SALLY_TICKET_MISSING'
  | 'SALLY_TICKET_INVALID'
  | 'SALLY_TICKET_EXPIRED'
  | 'SALLY_TICKET_USED'
  | 'SALLY_TICKET_REVOKED'
  | 'SALLY_CSRF_INVALID'
  | 'SALLY_HANDSHAKE_FORBIDDEN'
  | 'SALLY_MESSAGE_TOO_BIG'
  | 'SALLY_MESSAGE_FRAGMENTS'
  | 'SALLY_CONTROL_FRAMES'
  | 'SALLY_MESSAGE_RATE'
  | 'SALLY_MESSAGE_RATE_SHARED'
  | 'SALLY_MESSAGE_NOT_TEXT'
  | 'SALLY_MESSAGE_NOT_UTF8'
  | 'SALLY_PROTOCOL_ERROR'
  | 'SALLY_MESSAGE_NOT_JSON'
  | 'SALLY_MESSAGE_SHAPE'
  | 'SALLY_MESSAGE_NUMBER'
  | 'SALLY_MESSAGE_KEY'
  | 'SALLY_MESSAGE_TYPE'
  | 'SALLY_MESSAGE_INVALID'
  | 'SALLY_MESSAGE_VALUE'
  | 'SALLY_MESSAGE_FIELDS'
  | 'SALLY_MESSAGE_STRIKES'
  | 'SALLY_MESSAGE_FORBIDDEN'
  | 'SALLY_MESSAGE_REPLAYED'
  | 'SALLY_MESSAGE_STALE'
  | 'SALLY_MESSAGE_REPLAYABLE'
  | 'SALLY_MESSAGE_CONCURRENCY'
  | 'SALLY_OUTBOUND_INVALID'
  | 'SALLY_HANDLER_FAILED'
  | 'SALLY_AUTHENTICATION_DEADLINE'
  | 'SALLY_AUTHENTICATION_FIRST'
  | 'SALLY_HEARTBEAT_LOST'
  | 'SALLY_IDLE'
  | 'SALLY_AGE'
  | 'SALLY_LIFETIME_EXPIRED'
  | 'SALLY_LIFETIME_REVOKED'
  | 'SALLY_LIFETIME_INVALID'
  | 'SALLY_LIFETIME_UNAVAILABLE'
  | 'SALLY_BACKPRESSURE'
  | 'SALLY_SHUTDOWN'
  | 'SALLY_CONTROL_FAILED'
  | 'SALLY_CONTROL_TIMEOUT'
  | 'SALLY_STORE_UNAVAILABLE'

/** How severe a denial is, in the levels of the OWASP Logging Vocabulary. */
export type Level = 'info' | 'warn' | 'error' | 'critical'

/**
 * What happens to the peer: an HTTP refusal, an error reply, a close frame, a cut, a dropped message, or a paused
 * socket.
 */
export type Action = 'refuse' | 'reply' | 'close' | 'terminate' | 'drop' | 'pause'

/** One row of the table of denials. */
export interface DenialRow {
  readonly control: ControlId
  readonly action: Action
  /** HTTP status of a denial before the upgrade. */
  readonly http?: number
  /** Close code of a denial on an open connection (RFC 6455 §7.4). Codes 44xx are ours. */
  readonly close?: number
  readonly level: Level
  /** Event name of the OWASP Logging Vocabulary. */
  readonly event: string
  /** Lines of `docs/requirements.md` that this denial fulfils. */
  readonly requirements: readonly string[]
  /** What is denied. For the operator. */
  readonly means: string
  /** What to do about it. For the operator. */
  readonly remedy: string
  /**
   * The sentence for one denial, with the names of its facts in braces. Several sentences if a fact `reason` chooses
   * one.
   */
  readonly tells?: string | { readonly [reason: string]: string }
}

const row = (
  control: ControlId,
  action: Action,
  status: { readonly http?: number; readonly close?: number },
  level: Level,
  event: string,
  requirements: readonly string[],
  means: string,
  remedy: string,
): DenialRow => Object.freeze({ control, action, ...status, level, event, requirements, means, remedy })

/** All denials: one row for each code. `docs/codes.md` is generated from this table. */
// biome-ignore format: a table is read by its rows
export const DENIALS: Readonly<Partial<Record<DenialCode, DenialRow>>> = Object.freeze({
  SALLY_AUTHENTICATION_DEADLINE: row('lifetime/authentication', 'close', { close: 4401 }, 'warn', 'authn_login_fail', ['S2', 'S9', 'WS-13'],
    'no valid first message within the deadline', 'Send {"type":"auth","csrfToken":…} as the first message; see `lifetime.authentication`.'),
  SALLY_AUTHENTICATION_FIRST: row('lifetime/authentication', 'close', { close: 4401 }, 'warn', 'sequence_fail', ['S2', 'WS-13'],
    'the first message was not a valid authentication', 'Send {"type":"auth","csrfToken":…} before anything else.'),
})
