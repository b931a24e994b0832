import { requirement } from './requirement.ts'
import type { Requirement } from './requirement.ts'

const ATTACKS = 'examples/chat/test/attack-matrix.test.ts'

/** The checklist that the product began with. */
export const CHECKLIST: readonly Requirement[] = [
  requirement('S1', 'Exact-match Origin on every handshake', ['policy/origin-value.test.ts', ATTACKS]),
  requirement('S2', 'CSRF token in the handshake (query, or first message)', [
    'ticket/carriers.test.ts',
    'ticket/endpoint.test.ts',
    'ticket/token.test.ts',
  ]),
  requirement('S3', 'Never SameSite alone', [ATTACKS]),
  requirement('S4', 'Authenticate as HTTP endpoints do', [
    'session/express-session.test.ts',
    'session/signed-cookie.test.ts',
    'session/jwt.test.ts',
  ]),
  requirement(
    'S5',
    'Validate and sanitise every message (schema by type, unknown type refused, unknown fields stripped)',
    ['message/seed-schemas.test.ts'],
  ),
  requirement(
    'S6',
    'Parameterised queries',
    ['examples/chat/test/chat-store.test.ts'],
    'The queries are the app’s. It is given values that match their schema (`message/schema`), and `examples/chat` as the pattern: every query is a prepared statement with parameters.',
  ),
  requirement('S7', 'Rate limit per connection'),
  requirement('S8', 'wss only', ['server/serve.test.ts']),
  requirement('S9', 'Timeouts and connection caps'),
  requirement('S10', 'Log and monitor for anomalies', [
    'event/emit.test.ts',
    'event/log.test.ts',
    'event/counters.test.ts',
  ]),
  requirement('S11', 'The attacks: cross-site hijack that sends commands; one that reads and exfiltrates replies', [
    ATTACKS,
  ]),
  requirement('S12', 'Weak origin checks: `includes`, unanchored regex', ['policy/origin-value.test.ts']),
  requirement(
    'S13',
    'Message injection: shell command, SQL',
    ['message/seed-schemas.test.ts'],
    'What the app does with a valid value is its own: `execFile` with a list of arguments, parameterised queries. It is given the schema as the place to say what a file name or an id may be.',
  ),
  requirement(
    'S14',
    'CVE-2021-1403 (crafted link, device reload) and CVE-2019-13209 (commands on clusters with the victim’s rights)',
    [ATTACKS],
  ),
  requirement('S15', 'Browsers differ: Firefox’s Total Cookie Protection, Chrome and Edge by default', [ATTACKS]),
]

/** OWASP WebSocket Security Cheat Sheet, by its lines. */
export const OWASP: readonly Requirement[] = [
  requirement('WS-1', 'wss only', ['server/serve.test.ts']),
  requirement('WS-2', 'RFC 6455 only, no hixie or hybi-00', ['wire/upgrade.test.ts']),
  requirement('WS-3', 'permessage-deflate off unless needed', ['wire/extensions.test.ts', 'wire/deflate.test.ts']),
  requirement(
    'WS-4',
    'Proxies forward Upgrade and Connection, and have long-lived time-outs',
    [],
    'The proxy is the operator’s. It is given a heartbeat below the usual 60 s, and a refusal that names `proxy.trust` where TLS ended in front.',
  ),
  requirement('WS-5', 'What a WAF cannot see is validated and logged by the server', ['event/emit.test.ts']),
  requirement('WS-6', 'Origin allow-list on every handshake', [ATTACKS]),
  requirement('WS-7', 'No denylist, wildcard or substring', ['policy/origin-value.test.ts']),
  requirement('WS-8', 'CSRF token in the handshake', ['ticket/token.test.ts']),
  requirement(
    'WS-9',
    'SameSite=Lax or Strict cookies',
    [ATTACKS],
    'The cookie is set by the app’s own login. The product assumes the worst (SameSite=None) and is tested with every value.',
  ),
  requirement('WS-10', 'Close sockets when the session expires'),
  requirement('WS-11', 'Re-validate sessions (about every 30 min)'),
  requirement(
    'WS-12',
    'Logout closes all its sockets at once',
    [],
    'The app’s logout calls `guard.revoke({ session })`.',
  ),
  requirement('WS-13', 'Tokens rather than cookies alone; redact query tokens', [
    'ticket/carriers.test.ts',
    'event/redact.test.ts',
  ]),
  requirement('WS-14', 'Rotate tokens on long connections'),
  requirement(
    'WS-15',
    'Authorise every action',
    [],
    'The rules are the app’s: `handshake.authorize` and `message.authorize`. The report names both while they are unsaid.',
  ),
  requirement('WS-16', 'Schema and allow-list on all messages', ['message/seed-schemas.test.ts']),
  requirement('WS-17', 'Messages ≤ 64 KB', ['wire/bounds.test.ts']),
  requirement('WS-18', 'Rate limit (start at 100/min)', ['policy/defaults.test.ts']),
  requirement(
    'WS-19',
    'Binary: magic numbers, safe deserialisation',
    [],
    'Binary is refused unless `message.format.data` allows it; what the bytes mean is the app’s, which checks them in `message.authorize` or its handler.',
  ),
  requirement('WS-20', 'JSON.parse, never eval'),
  requirement(
    'WS-21',
    'Tunnelled TCP needs its own authentication',
    [],
    'The tunnelled protocol is the app’s. The handshake’s session says who opened the tunnel, not who speaks in it.',
  ),
  requirement('WS-22', 'Caps: total, per user, else per IP', ['store/memory.test.ts']),
  requirement('WS-23', 'Idle time-out'),
  requirement('WS-24', 'Ping and pong'),
  requirement('WS-25', 'Backpressure'),
  requirement('WS-26', 'Log open and close with user, IP, origin', ['event/emit.test.ts']),
  requirement('WS-27', 'Log authentication and authorisation at handshake and per message', [
    'event/emit.test.ts',
    'event/catalogue.test.ts',
  ]),
  requirement('WS-28', 'Log rate and validation violations', ['event/emit.test.ts', 'event/counters.test.ts']),
  requirement('WS-29', 'Log abnormal closes and protocol errors', ['event/emit.test.ts', 'wire/rfc6455.test.ts']),
  requirement('WS-30', 'Never log full messages, tokens, session ids, PII', [
    'event/redact.test.ts',
    'policy/property.test.ts',
  ]),
  requirement('WS-31', 'Test origin, authentication bypass, injection, DoS, session', [ATTACKS, 'wire/bounds.test.ts']),
  requirement(
    'WS-32',
    'Keep libraries patched',
    [],
    'The lock file of the deployment is the app’s. It is given few libraries to patch: four small parsers, everything else an optional peer.',
  ),
  requirement('WS-33', 'Reject replayed messages by a nonce or a time (March 2026)'),
]
