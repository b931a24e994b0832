import { listener } from './listener-shape.ts'
import { policySection } from './policy-shape.ts'
import { route } from './route-shape.ts'
import { choice, count, duration, type FieldsOf, may, must, named, object, secret, text } from './shape.ts'
import * as checks from './text-checks.ts'
import { address, plaintext } from './text-shapes.ts'
import { upstream } from './upstream-shape.ts'

/** The whole file. */
export const FILE = object({
  $schema: may(text(checks.faultOfText, "'gateway.schema.json'"), null, 'For editors.'),
  name: may(
    text(checks.faultOfWord, 'the name of the app'),
    'sallyport',
    'Name of the app in events and logs. Default sallyport.',
  ),
  listeners: must(
    named(listener, 'a listener'),
    "write listeners: { public: { address: '0.0.0.0:8443', tls: { cert: …, key: … } } }",
    'Where clients come in.',
  ),
  proxy: may(
    policySection('proxy'),
    null,
    'Reverse proxies in front whose word about the client is believed: trust, header.',
  ),
  upstreams: must(
    named(upstream, 'an upstream'),
    "write upstreams: { app: { targets: ['ws://127.0.0.1:9000'] } }",
    'The backends, in groups.',
  ),
  routes: must(
    named(route, 'a route'),
    'write routes: { chat: { path: /ws, upstream: app, … } }',
    'What each host and path leads to, and what is allowed there.',
  ),
  admin: may(
    object({
      address: must(
        address,
        "write address: '127.0.0.1:9901' or 'unix:/run/sallyport/admin.sock'",
        'On loopback, or a unix socket.',
      ),
      token: must(
        secret(checks.faultOfSecret(32), checks.GENERATE),
        'write token: ${ADMIN_TOKEN}',
        'What the operator sends as Authorization: Bearer.',
      ),
    }),
    null,
    "The operator's door.",
  ),
  store: may(
    object({
      redis: must(
        object({
          url: must(
            secret(checks.faultOfRedis, 'write redis://127.0.0.1:6379, or ${REDIS_URL} where it has a password'),
            'write url: ${REDIS_URL}',
            'redis:// or rediss://, with user and password where it wants them.',
          ),
          secret: must(
            secret(checks.faultOfSecret(32), checks.GENERATE),
            'write secret: ${STORE_SECRET}',
            'The same on every gateway: keys are hashed under it, tickets and event hashes derived from it.',
          ),
          prefix: may(text(checks.faultOfPrefix, "'sallyport'"), 'sallyport', 'Begins every key. Default sallyport.'),
          dangerouslyAllowPlaintext: plaintext,
        }),
        "write redis: { url: '${REDIS_URL}', secret: '${STORE_SECRET}' }",
        'A Redis 6.2 or later, or Valkey; needs `npm install redis` beside the gateway.',
      ),
    }),
    null,
    'What several gateways share: limits, counts, tickets, revocations. Default: each counts for itself.',
  ),
  log: may(
    object({
      level: may(choice('debug', 'info', 'warn', 'error', 'silent'), 'info' as const, 'Default info.'),
      format: may(choice('json', 'text'), 'json' as const, 'Default json.'),
    }),
    () => ({ level: 'info' as const, format: 'json' as const }),
    'What is written to standard output.',
  ),
  workers: may(count(1, 256), 1, 'Processes that share the listeners. Default 1.'),
  drain: may(duration(0), 10_000, 'How long a stopping gateway lets connections go. Default 10 s.'),
})

/** What the file says, before references are looked at. */
export type ReadFields = FieldsOf<{
  file: { shape: typeof FILE; doc: string; must: null; fallback: undefined }
}>['file']
