import { requirement } from './requirement.ts'
import type { Requirement } from './requirement.ts'

const JWT = ['session/jwt.test.ts', 'ticket/token.test.ts']
const EVENTS = ['event/emit.test.ts']

/** OWASP Application Security Verification Standard 5.0. */
export const ASVS: readonly Requirement[] = [
  requirement('ASVS-4.1.3', 'Forwarded headers are not overridable by the client', ['policy/mistakes.test.ts']),
  requirement('ASVS-4.4.1', 'WSS everywhere', ['server/serve.test.ts']),
  requirement('ASVS-4.4.2', 'Origin is checked against a list', ['policy/origin-value.test.ts']),
  requirement('ASVS-4.4.3', 'Dedicated tokens meet the session rules', ['ticket/token.test.ts']),
  requirement('ASVS-4.4.4', 'Tokens are obtained or validated through the authenticated HTTPS session', [
    'ticket/endpoint.test.ts',
  ]),
  requirement('ASVS-7.1.1', 'Idle and absolute lifetimes are documented', [
    'policy/defaults.test.ts',
    'test/docs/drift.test.ts',
  ]),
  requirement('ASVS-7.1.2', 'The limit of concurrent sessions, and what happens at it, is documented', [
    'test/docs/drift.test.ts',
  ]),
  requirement('ASVS-7.2.1', 'Tokens are verified in a trusted backend', JWT),
  requirement('ASVS-7.2.2', 'Tokens are dynamic, not static keys', ['ticket/token.test.ts']),
  requirement('ASVS-7.2.3', 'Reference tokens come from a CSPRNG and have 128 bits or more', [
    'ticket/token.test.ts',
    'policy/secret-value.test.ts',
  ]),
  requirement(
    'ASVS-7.2.4',
    'Re-authentication makes a new token and ends the old one',
    ['ticket/token.test.ts'],
    'The app’s login makes the new session id and calls `guard.revoke({ session })` for the old one; a ticket of the old one is refused.',
  ),
  requirement('ASVS-7.3.1', 'Inactivity time-out'),
  requirement('ASVS-7.3.2', 'Absolute lifetime'),
  requirement('ASVS-7.4.1', 'Termination blocks all further use', ['store/memory.test.ts']),
  requirement(
    'ASVS-7.4.2',
    'A disabled account ends all its sessions',
    [],
    'The app calls `guard.revoke({ user })` where it disables an account.',
  ),
  requirement(
    'ASVS-7.4.5',
    'An administrator ends the sessions of one user or of all',
    [],
    "The app gives its administrators `guard.revoke({ user })` and `guard.revoke('all')`.",
  ),
  requirement(
    'ASVS-7.5.3',
    'Step-up for sensitive operations',
    [],
    'What is sensitive only the app knows; `message.authorize` sees the session as it is now and the message, and may demand a recent sign-in.',
  ),
  requirement('ASVS-8.3.2', 'Authorisation changes apply at once'),
  requirement('ASVS-9.1.1', 'Token signature is verified before its content is used', JWT),
  requirement('ASVS-9.1.2', 'Algorithms are an allow-list; `none` is not on it', ['session/jwt.test.ts']),
  requirement('ASVS-9.1.3', 'Key material comes from trusted, pre-configured sources', ['session/jwt.test.ts']),
  requirement('ASVS-9.2.1', 'A token is accepted only within its time of validity', JWT),
  requirement('ASVS-9.2.2', 'A token is of the type that is meant for the purpose', JWT),
  requirement('ASVS-9.2.3', 'A token is meant for this service (audience)', JWT),
  requirement(
    'ASVS-9.2.4',
    'An issuer that serves several audiences names the one',
    ['session/jwt.test.ts'],
    'Where the issuer is the app’s own, it puts the audience into the token; the resolver demands it.',
  ),
  requirement('ASVS-14.2.1', 'No session token in a URL', ['ticket/carriers.test.ts', 'event/redact.test.ts']),
  requirement('ASVS-16.2.1', 'A log entry says when, where, who and what', EVENTS),
  requirement(
    'ASVS-16.2.2',
    'Time is synchronised; stamps are in UTC or have their offset',
    EVENTS,
    'The host’s clock is the operator’s; stamps are ISO 8601 in UTC.',
  ),
  requirement(
    'ASVS-16.2.3',
    'Logs go only where the inventory says',
    ['event/log.test.ts'],
    'The logger is the app’s: nothing is written but to the one given as `events.log`.',
  ),
  requirement('ASVS-16.2.4', 'Logs are in a common format that a log processor can read and correlate', [
    'event/catalogue.test.ts',
    'event/emit.test.ts',
  ]),
  requirement('ASVS-16.2.5', 'Sensitive data is not logged, or only masked or hashed', ['event/redact.test.ts']),
  requirement('ASVS-16.3.1', 'Authentication is logged, successes and failures', EVENTS),
  requirement('ASVS-16.3.2', 'Failed authorisation is logged', EVENTS),
  requirement('ASVS-16.3.3', 'Security events, and attempts to pass the controls, are logged', [
    'event/emit.test.ts',
    'event/catalogue.test.ts',
  ]),
  requirement('ASVS-16.3.4', 'Unexpected errors and failures of security controls are logged', [
    'event/emit.test.ts',
    'policy/run-door.test.ts',
  ]),
  requirement('ASVS-16.4.1', 'Log data is encoded against injection', ['event/redact.test.ts', 'event/log.test.ts']),
  requirement(
    'ASVS-16.4.2',
    'Logs are protected from unauthorised access and change',
    [],
    'Where logs are kept is the operator’s. They hold no secret and, of people, keyed hashes.',
  ),
  requirement(
    'ASVS-16.4.3',
    'Logs are sent to a separate system',
    [],
    'The app’s logger ships them; events are plain objects made for that, and their volume is bounded.',
  ),
  requirement('ASVS-16.5.3', 'The application fails securely; nothing fails open', ['policy/run-door.test.ts']),
]

/** RFC 6455 §10, Security Considerations. */
export const RFC: readonly Requirement[] = [
  requirement('RFC-10.1', 'Clients may not be browsers; Origin is forgeable there', [
    'handshake/session.test.ts',
    'handshake/ticket.test.ts',
  ]),
  requirement('RFC-10.2', 'Verify Origin, else 403', ['policy/origin-value.test.ts']),
  requirement('RFC-10.4', 'Limits on frame and reassembled size', ['wire/bounds.test.ts']),
  requirement('RFC-10.6', 'TLS', ['server/serve.test.ts']),
  requirement(
    'RFC-10.7',
    'Validate incoming data at both ends; text is UTF-8; invalid data gets a close code, or an HTTP status before the upgrade',
    ['wire/utf8.test.ts', 'wire/rfc6455.test.ts', 'client/connection-messages.test.ts'],
  ),
  requirement('RFC-10.8', 'SHA-1 is not relied on for security', ['wire/answer.test.ts', 'ticket/token.test.ts']),
]

/** OWASP Logging Vocabulary. */
export const LOGGING: readonly Requirement[] = [
  requirement(
    'LOG-1',
    'Event names: authn_login_success/fail/fail_max, authn_token_created/revoked/reuse/delete, authz_fail/change/admin, excess_rate_limit_exceeded, excess_sessions_exceeded, input_validation_fail, input_validation_discrete_fail, sequence_fail, malicious_csrf, malicious_cors, malicious_extraneous, malicious_attack_tool, malicious_sqli, malicious_direct_reference, session_created/renewed/expired/logout/use_after_expire, sys_startup/shutdown/restart/crash/monitor_disabled/enabled',
    ['event/catalogue.test.ts'],
  ),
  requirement(
    'LOG-2',
    'Fields: ISO 8601 with offset, appid, event, level, description, useragent, source_ip, host_ip, hostname, protocol, port, request_uri (redacted), request_method',
    ['event/emit.test.ts', 'event/redact.test.ts'],
  ),
]
