import type { ControlId } from './verdict.ts'

/** A denial's code: `SALLY_ORIGIN_NOT_ALLOWED`… The peer learns this and nothing else. */
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

/** How loud a denial is, in the words of the OWASP logging vocabulary's levels. */
export type Level = 'info' | 'warn' | 'error' | 'critical'

/** What happens to the peer: an HTTP refusal, an error reply, a close frame, a cut, a dropped message, a paused socket. */
export type Action = 'refuse' | 'reply' | 'close' | 'terminate' | 'drop' | 'pause'

/** One row of the table of denials. */
export interface DenialRow {
  readonly control: ControlId
  readonly action: Action
  /** HTTP status when it is decided before the upgrade. */
  readonly http?: number
  /** Close code when it is decided on an open connection (RFC 6455 §7.4; 44xx are ours). */
  readonly close?: number
  readonly level: Level
  /** Event name of the OWASP Logging Vocabulary. */
  readonly event: string
  /** Lines of `docs/requirements.md` that the denial answers. */
  readonly requirements: readonly string[]
  /** What is denied, for the operator. */
  readonly means: string
  /** What to do about it, for the operator. */
  readonly remedy: string
  /** The sentence of one denial, with its facts in braces; several, where facts name a `reason`. */
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

/** Every denial there is: one code, one row. `docs/codes.md` is generated from it. */
// biome-ignore format: a table is read by its rows
export const DENIALS: Readonly<Partial<Record<DenialCode, DenialRow>>> = Object.freeze({
  SALLY_TRANSPORT_INSECURE: row('handshake/transport', 'refuse', { http: 426 }, 'warn', 'malicious_extraneous', ['S8', 'WS-1', 'ASVS-4.4.1', 'RFC-10.6'],
    'the handshake did not come over TLS', 'Use wss://. Behind a TLS proxy, name it in `proxy.trust` and let it send X-Forwarded-Proto.'),
  SALLY_REQUEST_MALFORMED: row('handshake/request', 'refuse', { http: 400 }, 'warn', 'malicious_extraneous', ['WS-2', 'RFC-10.7'],
    'the request is not a clean RFC 6455 opening handshake', 'Nothing to configure: the client, or a proxy on the way, sends a broken or hostile request.'),
  SALLY_REQUEST_VERSION: row('handshake/request', 'refuse', { http: 426 }, 'info', 'malicious_extraneous', ['WS-2'],
    'the WebSocket version is not 13', 'Only RFC 6455 (version 13) is spoken; update the client.'),
  SALLY_REQUEST_TOO_LARGE: row('handshake/request', 'refuse', { http: 431 }, 'warn', 'malicious_extraneous', ['WS-2'],
    'the request line or the headers exceed their bound', 'Raise `handshake.request` bounds if honest clients send so much.'),
  SALLY_FETCH_METADATA: row('handshake/fetch-metadata', 'refuse', { http: 403 }, 'warn', 'malicious_csrf', ['S11', 'WS-6'],
    'Sec-Fetch-* contradicts the Origin or a WebSocket handshake', 'Nothing to configure: a browser sends consistent metadata.'),
  SALLY_SUBPROTOCOL_NOT_SERVED: row('handshake/subprotocol', 'refuse', { http: 400 }, 'info', 'input_validation_fail', ['WS-2'],
    'none of the offered subprotocols is served', 'Add the name to `handshake.subprotocol.serve`.'),
  SALLY_HANDSHAKE_RATE: row('handshake/rate', 'refuse', { http: 429 }, 'warn', 'excess_rate_limit_exceeded', ['S9', 'WS-18', 'WS-28'],
    'too many attempts of this user, or of strangers from this address or in all', 'Raise `handshake.rate`. Behind a proxy, name it in `proxy.trust`, so that clients have their own addresses. Let a resolver of your own say what it `reads`.'),
  SALLY_CONNECTIONS_FULL: row('handshake/connections', 'refuse', { http: 503 }, 'error', 'excess_sessions_exceeded', ['S9', 'WS-22'],
    'the server holds as many connections as the policy allows', 'Raise `handshake.connections.total`, or add a node.'),
  SALLY_CONNECTIONS_IP: row('handshake/connections', 'refuse', { http: 429 }, 'warn', 'excess_sessions_exceeded', ['S9', 'WS-22'],
    'this address holds as many connections as the policy allows', 'Raise `handshake.connections.perIp`, or `strangersPerIp` for those without a known user; behind a proxy, name it in `proxy.trust`.'),
  SALLY_CONNECTIONS_USER: row('handshake/connections', 'refuse', { http: 429 }, 'warn', 'excess_sessions_exceeded', ['S9', 'WS-22', 'ASVS-7.1.2'],
    'this user holds as many connections as the policy allows', 'Raise `handshake.connections.perUser`, or look for a client that does not close.'),
  SALLY_CONNECTIONS_SILENT: row('handshake/connections', 'terminate', {}, 'warn', 'excess_sessions_exceeded', ['S9', 'WS-22'],
    'sockets of this address had sent no request while others needed their places', 'Nothing to configure: somebody opens sockets and sends nothing. Behind a proxy, name it in `proxy.trust`.'),
  SALLY_CONNECTIONS_DROPPED: row('handshake/connections', 'terminate', {}, 'error', 'excess_sessions_exceeded', ['S9', 'WS-22'],
    'the server held as many sockets as it may, and closed some that were no WebSockets', 'Look for an address with many slow requests; raise `handshake.connections.total`, or add a node.'),
  SALLY_SESSION_MISSING: row('handshake/session', 'refuse', { http: 401 }, 'info', 'authn_login_fail', ['S4', 'WS-27'],
    'no valid session', 'The user must sign in over HTTP first.'),
  SALLY_SESSION_EXPIRED: row('handshake/session', 'refuse', { http: 401 }, 'info', 'session_use_after_expire', ['S4', 'WS-10', 'ASVS-7.4.1'],
    'the session is past its expiry', 'The user must sign in again.'),
  SALLY_SESSION_REVOKED: row('handshake/session', 'refuse', { http: 401 }, 'warn', 'session_use_after_expire', ['S4', 'WS-12', 'ASVS-7.4.1'],
    'the session was revoked', 'The user must sign in again; revocation is final for a session id.'),
  SALLY_SESSION_UNAVAILABLE: row('handshake/session', 'refuse', { http: 503 }, 'error', 'sys_crash', ['S4', 'ASVS-16.5.3'],
    'the session store did not answer, so nobody can be told from anybody', 'Repair the session store; no handshake is let through without it.'),
  SALLY_TICKET_MISSING: row('handshake/ticket', 'refuse', { http: 403 }, 'warn', 'malicious_csrf', ['S2', 'WS-8', 'ASVS-4.4.4'],
    'the handshake has no ticket', 'Fetch one from the ticket endpoint and offer it by the configured carrier; `sallyport/client` does.'),
  SALLY_TICKET_INVALID: row('handshake/ticket', 'refuse', { http: 403 }, 'warn', 'malicious_csrf', ['S2', 'WS-8', 'ASVS-9.1.1'],
    'the ticket was not issued here for this session, Origin and path', 'Fetch the ticket in the page that connects, for the path it connects to; share `handshake.ticket.secret` between nodes.'),
  SALLY_TICKET_EXPIRED: row('handshake/ticket', 'refuse', { http: 403 }, 'info', 'session_use_after_expire', ['S2', 'WS-8', 'ASVS-9.2.1'],
    'the ticket is past its expiry', 'Fetch a ticket right before connecting; check the clocks of the nodes.'),
  SALLY_TICKET_USED: row('handshake/ticket', 'refuse', { http: 403 }, 'critical', 'authn_token_reuse', ['S2', 'WS-8', 'ASVS-7.2.4'],
    'the ticket was already used', 'Fetch a new ticket for every connection. Seen without a client bug: somebody replays.'),
  SALLY_TICKET_REVOKED: row('handshake/ticket', 'refuse', { http: 403 }, 'warn', 'authn_token_revoked', ['S2', 'WS-12', 'ASVS-7.4.1'],
    'the ticket was issued before its session or user was revoked', 'The user must sign in again.'),
  SALLY_CSRF_INVALID: row('handshake/ticket', 'refuse', { http: 403 }, 'warn', 'malicious_csrf', ['S2', 'WS-8'],
    "the app's own CSRF token did not verify", 'Send the token of the page that connects; see `handshake.ticket.csrf`.'),
  SALLY_HANDSHAKE_FORBIDDEN: row('handshake/authorize', 'refuse', { http: 403 }, 'warn', 'authz_fail', ['S4', 'WS-15', 'WS-27'],
    "the app's own rule refuses this session on this path", 'See the rule given as `handshake.authorize`.'),
  SALLY_AUTHENTICATION_DEADLINE: row('lifetime/authentication', 'close', { close: 4401 }, 'warn', 'authn_login_fail', ['S2', 'S9', 'WS-13'],
    'no valid first message within the deadline', 'Send {"type":"auth","csrfToken":…} as the first message; see `lifetime.authentication`.'),
  SALLY_AUTHENTICATION_FIRST: row('lifetime/authentication', 'close', { close: 4401 }, 'warn', 'sequence_fail', ['S2', 'WS-13'],
    'the first message was not a valid authentication', 'Send {"type":"auth","csrfToken":…} before anything else.'),
  SALLY_CONTROL_FAILED: row('handshake/request', 'refuse', { http: 503, close: 1011 }, 'critical', 'sys_crash', ['ASVS-16.5.3'],
    'a control threw; it denies', 'See the detail for the control; a policy function or the store failed.'),
  SALLY_CONTROL_TIMEOUT: row('handshake/request', 'refuse', { http: 503, close: 1013 }, 'error', 'sys_crash', ['ASVS-16.5.3'],
    'a control did not answer in time; it denies', 'See the detail for the control; raise `timeout`, or make what it waits for faster.'),
  SALLY_STORE_UNAVAILABLE: row('handshake/request', 'refuse', { http: 503, close: 1013 }, 'error', 'sys_crash', ['ASVS-16.5.3'],
    'the store did not answer; what needs it is denied', 'Repair the store.'),
})
