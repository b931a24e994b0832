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
  SALLY_MESSAGE_TOO_BIG: row('message/size', 'close', { close: 1009 }, 'warn', 'input_validation_fail', ['S9', 'WS-17', 'RFC-10.4'],
    'a message, or the frames announced for it, exceed the bound in bytes', 'Raise `message.size.bytes`, or upload over HTTP.'),
  SALLY_MESSAGE_FRAGMENTS: row('message/size', 'close', { close: 1009 }, 'warn', 'malicious_extraneous', ['S9', 'WS-17', 'RFC-10.4'],
    'a message came in more fragments than the bound', 'Raise `message.size.fragments` if honest clients split so finely.'),
  SALLY_CONTROL_FRAMES: row('message/size', 'close', { close: 1008 }, 'warn', 'excess_rate_limit_exceeded', ['S7', 'WS-18'],
    'more ping or pong frames than the bound', 'Raise `message.size.controlFrames`.'),
  SALLY_MESSAGE_RATE: row('message/rate', 'close', { close: 1008 }, 'warn', 'excess_rate_limit_exceeded', ['S7', 'WS-18', 'WS-28'],
    "more messages or bytes than this connection's budget", 'Raise `message.rate`, or lower what the client sends.'),
  SALLY_MESSAGE_RATE_SHARED: row('message/rate', 'close', { close: 4429 }, 'warn', 'excess_rate_limit_exceeded', ['S7', 'WS-18', 'WS-28'],
    'more messages than the budget that all connections of this user or address share', 'Raise `message.rate.perUser` or `message.rate.perIp`.'),
  SALLY_MESSAGE_NOT_TEXT: row('message/format', 'close', { close: 1003 }, 'warn', 'input_validation_fail', ['S5', 'WS-16', 'WS-19', 'RFC-10.7'],
    'a binary message where text is meant, or the reverse', 'Set `message.format.data` to what the app speaks.'),
  SALLY_MESSAGE_NOT_UTF8: row('message/format', 'close', { close: 1007 }, 'warn', 'input_validation_fail', ['S5', 'RFC-10.7'],
    'a text message is not UTF-8, or holds a lone surrogate', 'Nothing to configure: such text cannot be passed on unchanged.'),
  SALLY_PROTOCOL_ERROR: row('message/format', 'close', { close: 1002 }, 'warn', 'malicious_extraneous', ['WS-29', 'RFC-10.7'],
    'the peer broke the WebSocket protocol', 'Nothing to configure: the client, or a proxy on the way, is broken or hostile.'),
  SALLY_MESSAGE_NOT_JSON: row('message/format', 'reply', { close: 1007 }, 'warn', 'input_validation_fail', ['S5', 'WS-16', 'WS-20', 'RFC-10.7'],
    'the message is not one JSON object', 'Send JSON objects with a type; see `message.format`.'),
  SALLY_MESSAGE_SHAPE: row('message/format', 'reply', { close: 1007 }, 'warn', 'malicious_extraneous', ['S5', 'WS-16'],
    'the message is deeper or wider than the bounds', 'Raise `message.format.depth` or `.width`.'),
  SALLY_MESSAGE_NUMBER: row('message/format', 'reply', { close: 1007 }, 'warn', 'input_validation_fail', ['S5', 'WS-16'],
    'a number of the message does not survive a JavaScript number', 'Send such a number as text; `message.format.bigIntegers` lets integers of 64 bits in. The detail names the field.'),
  SALLY_MESSAGE_KEY: row('message/format', 'reply', { close: 1007 }, 'critical', 'malicious_extraneous', ['S5', 'WS-16'],
    'the message repeats a key, or holds one that reaches into prototypes', 'No honest client sends these; see `message.format.dangerouslyAllowKeys` for an app whose data has such names.'),
  SALLY_MESSAGE_TYPE: row('message/schema', 'reply', { close: 1008 }, 'warn', 'input_validation_fail', ['S5', 'S13', 'WS-16', 'WS-28'],
    'the type of the message is not declared', 'Declare it in `message.schema`.'),
  SALLY_MESSAGE_INVALID: row('message/schema', 'reply', { close: 1008 }, 'warn', 'input_validation_fail', ['S5', 'S13', 'WS-16', 'WS-28'],
    'the message does not match the schema of its type', 'Compare the client with the schema; the detail names the path.'),
  SALLY_MESSAGE_VALUE: row('message/schema', 'reply', { close: 1008 }, 'error', 'input_validation_fail', ['S5'],
    'the schema made a value that text cannot carry (Map, Set, Date, bigint), and a listener of text would get it', 'Take the messages with `guard.handle(socket, handlers)`, which hands values over as they are, or drop the transform. The detail names the field.'),
  SALLY_MESSAGE_FIELDS: row('message/schema', 'drop', {}, 'info', 'input_validation_discrete_fail', ['S5', 'WS-16'],
    'in report mode: the message holds fields that the schema of its type does not declare', 'Declare them in `message.schema`; once the control is enforced they are stripped.'),
  SALLY_MESSAGE_STRIKES: row('message/schema', 'close', { close: 1008 }, 'warn', 'malicious_attack_tool', ['S5', 'S10', 'WS-28'],
    'too many refused messages on one connection', 'Raise `message.strikes`, or repair the client.'),
  SALLY_MESSAGE_FORBIDDEN: row('message/authorize', 'reply', { close: 1008 }, 'warn', 'authz_fail', ['S4', 'WS-15', 'WS-27', 'ASVS-8.3.2'],
    'this session may not send this message', 'See the rule given as `message.authorize`.'),
  SALLY_MESSAGE_CONCURRENCY: row('message/concurrency', 'pause', {}, 'info', 'excess_rate_limit_exceeded', ['S9', 'WS-25'],
    'as many handlers of this connection run as the bound allows; its socket is paused', 'Raise `message.concurrency.handlers`, or make the handler faster.'),
  SALLY_OUTBOUND_INVALID: row('message/outbound', 'drop', {}, 'error', 'input_validation_fail', ['S5', 'RFC-10.7'],
    'what the app sends does not match the outbound schema and was not sent', 'Repair the sender; the detail names the path.'),
  SALLY_HANDLER_FAILED: row('message/concurrency', 'reply', {}, 'error', 'sys_crash', ['ASVS-16.5.3'],
    "the app's handler threw", 'See the error given to the logger; the peer was told nothing of it.'),
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
