import { pathText } from './path.ts'
import { POLICY_SECTIONS, policySection } from './policy-shape.ts'
import { refuse } from './reading.ts'
import { POLLING } from '../relay/plain-refusal.ts'
import { DEFAULT_TICKET_PATH } from './route-overlaps.ts'
import {
  choice,
  count,
  duration,
  either,
  type FieldsOf,
  flag,
  isObject,
  list,
  mapped,
  may,
  must,
  named,
  object,
  secret,
  type Shape,
  size,
  text,
} from './shape.ts'
import * as checks from './text-checks.ts'
import type { HealthConfig, IdentityJwt, ListenerConfig, SessionConfig } from './types.ts'

const host = mapped(text(checks.faultOfHost, "'app.company.com'"), name => name.toLowerCase())
const header = text(checks.faultOfHeader, "'X-User'")
const pem = secret(value => (value.includes('-----BEGIN') ? null : 'not PEM'), 'name a PEM file: file:/etc/ssl/ca.pem')
const fileName = text(checks.faultOfText, '/etc/sallyport/tls/cert.pem')

const address: Shape<ListenerConfig['address']> = mapped(
  text(checks.faultOfAddress, "'127.0.0.1:8443' or 'unix:/run/sallyport/gateway.sock'"),
  value => {
    if (value.startsWith('unix:')) return { socket: value.slice(5) }
    const split = value.lastIndexOf(':')
    return { host: value.slice(0, split).replace(/^\[|\]$/g, ''), port: Number(value.slice(split + 1)) }
  },
)

const listener = object({
  address: must(address, "write address: '0.0.0.0:8443'", 'Where clients come in: host:port, or unix:/path.'),
  tls: may(
    object({
      cert: must(
        fileName,
        'write cert: /etc/sallyport/tls/cert.pem',
        'PEM file of the certificate and its chain; read again at each reload.',
      ),
      key: must(fileName, 'write key: /etc/sallyport/tls/key.pem', 'PEM file of its private key.'),
    }),
    null,
    'Certificate and key. Left out: plain, for loopback or behind a proxy that ends TLS.',
  ),
  proxyProtocol: may(
    object({
      trust: must(
        list(text(checks.faultOfRange, "'10.0.0.0/24'"), 1, "'10.0.0.5'"),
        "write trust: ['10.0.0.5']",
        'Peers that must begin with a PROXY protocol header: IPs or CIDRs.',
      ),
    }),
    null,
    'PROXY protocol, version 1 or 2, from these peers.',
  ),
})

const health: Shape<HealthConfig> = mapped(
  object({
    path: must(
      text(checks.faultOfPlainPath, "'/healthz'"),
      "write path: '/healthz'",
      'What is asked for by GET: anything but 2xx or 3xx takes the target out.',
    ),
    interval: may(duration(100), 10_000, 'Time between two looks. Default 10 s.'),
    timeout: may(duration(1), 2000, 'Longest wait for the answer. Default 2 s.'),
  }),
  ({ path, interval, timeout }) => ({ path, intervalMs: interval, timeoutMs: timeout }),
)

const upstream = mapped(
  object({
    targets: must(
      list(
        text(checks.faultOfTarget, "'ws://127.0.0.1:9000', 'wss://backend:443' or 'unix:/run/app.sock'"),
        1,
        "'ws://127.0.0.1:9000'",
      ),
      "write targets: ['ws://127.0.0.1:9000']",
      'The backends, of which each connection gets one.',
    ),
    balance: may(
      choice('round-robin', 'least-connections'),
      'round-robin' as const,
      'How a backend is chosen. Default round-robin.',
    ),
    connectTimeout: may(duration(), 5000, 'TCP, TLS and the answer to the handshake together. Default 5 s.'),
    eject: may(duration(), 10_000, 'How long a backend is passed over that cannot be reached. Default 10 s.'),
    failures: may(count(1, 1000), 1, 'Failed connects in a row before that. Default 1.'),
    health: may(health, null, 'A look at each backend now and then.'),
    tls: may(
      object({
        ca: may(pem, null, 'PEM of the authorities to trust instead of the system: file:/etc/ssl/backend-ca.pem.'),
        serverName: may(host, null, 'Name to verify instead of the one in the target.'),
        dangerouslyAcceptAnyCertificate: may(flag, false, 'Trusts whoever answers.'),
      }),
      null,
      'For wss and https targets.',
    ),
  }),
  ({ connectTimeout, eject, ...rest }) => ({ ...rest, connectTimeoutMs: connectTimeout, ejectMs: eject }),
)

const forwardAuth = mapped(
  object({
    url: must(
      text(checks.faultOfUrl, "'http://127.0.0.1:9000/me'"),
      "write url: 'http://127.0.0.1:9000/me'",
      "The app's own endpoint: 2xx is yes, 401 and 403 no, anything else cannot tell (503).",
    ),
    timeout: may(duration(), 2000, 'Longest wait for its answer. Default 2 s.'),
    requestHeaders: may(
      list(header, 1, "'Cookie'"),
      ['Cookie', 'Authorization'] as readonly string[],
      'Request headers that are passed on. Default: Cookie and Authorization.',
    ),
    sessionHeader: may(
      header,
      null,
      'Response header that names the session. Default: a hash of the credentials stands for it.',
    ),
    userHeader: may(header, null, 'Response header that names the user. Default: the session stands for its user.'),
    expiresHeader: may(
      header,
      null,
      'Response header that says when the session ends: seconds or ms since the epoch, or an HTTP date.',
    ),
    cache: may(
      duration(0),
      5000,
      'Longest time that a yes is used again; Cache-Control and Expires shorten it. Default 5 s.',
    ),
  }),
  ({ timeout, cache, ...rest }): SessionConfig => ({
    kind: 'forwardAuth',
    ...rest,
    timeoutMs: timeout,
    cacheMs: cache,
  }),
)

const jwt = mapped(
  object({
    jwks: may(
      secret(() => null, ''),
      null,
      "The issuer's key set: its URL, or file: and a file that holds it.",
    ),
    secret: may(
      secret(value => (value.length > 0 ? null : 'empty'), checks.GENERATE),
      null,
      'Instead of jwks: an HMAC secret, or a public key as PEM or JWK.',
    ),
    algorithms: must(
      list(text(checks.faultOfText, "'RS256'"), 1, "'RS256'"),
      "write algorithms: ['RS256']",
      'What the issuer signs with.',
    ),
    issuer: must(
      text(checks.faultOfText, "'https://issuer.company.com'"),
      "write issuer: 'https://issuer.company.com'",
      'The `iss` that is accepted.',
    ),
    audience: must(
      text(checks.faultOfText, "'wss://app.company.com'"),
      "write audience: 'chat'",
      'The `aud` that this gateway is.',
    ),
    cookie: may(text(checks.faultOfCookieName, "'token'"), null, 'The cookie that bears the token.'),
    header: may(header, null, 'Or the header: `Authorization` is read as Bearer.'),
  }),
  (read): SessionConfig => ({ kind: 'jwt', ...read }),
)

const signedCookie = mapped(
  object({
    cookie: must(
      text(checks.faultOfCookieName, "'connect.sid'"),
      "write cookie: 'sid'",
      'Name of the cookie, signed as Express does.',
    ),
    secrets: must(
      list(secret(checks.faultOfSecret(16), checks.GENERATE), 1, '${COOKIE_SECRET}'),
      'write secrets: [${COOKIE_SECRET}]',
      'What it is signed with, newest first.',
    ),
  }),
  (read): SessionConfig => ({ kind: 'signedCookie', ...read }),
)

/** Exactly one key says which kind. */
export const SESSION_KINDS = {
  forwardAuth: may(forwardAuth, null, "A subrequest with the client's own cookies to the app."),
  jwt: may(jwt, null, 'A JWT from a cookie or header.'),
  signedCookie: may(signedCookie, null, 'A cookie signed as Express does; its value is session and user.'),
  dangerouslyAnonymous: may(flag, false, 'A public endpoint: nobody is asked who they are.'),
} as const

const identityJwt = mapped(
  object({
    header: may(header, 'X-Sallyport-Identity', 'Default X-Sallyport-Identity.'),
    key: must(
      secret(
        value =>
          value.includes('-----BEGIN') || Buffer.byteLength(value) >= 32 ? null : 'shorter than 32 bytes, and not PEM',
        checks.GENERATE,
      ),
      'write key: file:/run/secrets/identity.pem',
      'HS256 secret of 32 bytes or more, or a PKCS#8 PEM private key.',
    ),
    algorithm: must(choice('HS256', 'ES256', 'EdDSA', 'RS256'), 'write algorithm: ES256', 'What it is signed with.'),
    issuer: may(text(checks.faultOfText, "'sallyport'"), 'sallyport', 'Its `iss`. Default sallyport.'),
    audience: must(text(checks.faultOfText, "'chat-backend'"), "write audience: 'chat-backend'", 'Its `aud`.'),
    ttl: may(duration(1000), 60_000, 'How long it holds. Default 1 minute.'),
  }),
  ({ ttl, ...rest }): IdentityJwt => ({ ...rest, ttlMs: ttl }),
)

const identityDefaults = {
  sessionHeader: 'X-Sallyport-Session',
  userHeader: 'X-Sallyport-User',
  connectionHeader: 'X-Sallyport-Connection',
  jwt: null,
}
const none = (shape: Shape<string>): Shape<string | null> =>
  mapped(
    either<false, string>(value => value === false, flag as Shape<false>, shape),
    value => (value === false ? null : value),
  )
const identity = object({
  sessionHeader: may(
    none(header),
    identityDefaults.sessionHeader as string | null,
    'Header that names the session; false: none. Default X-Sallyport-Session.',
  ),
  userHeader: may(
    none(header),
    identityDefaults.userHeader as string | null,
    'Header that names the user; false: none. Default X-Sallyport-User.',
  ),
  connectionHeader: may(
    none(header),
    identityDefaults.connectionHeader as string | null,
    'Header that bears the id of the connection in events; false: none. Default X-Sallyport-Connection.',
  ),
  jwt: may(identityJwt, null, 'A short-lived JWT, for a backend that trusts signatures rather than the network.'),
})

const fixed = <W extends string>(words: Shape<W>, shape: Shape<string>): Shape<W | { readonly fixed: string }> =>
  either<{ readonly fixed: string }, W>(
    isObject,
    object({ fixed: must(shape, 'write { fixed: … }', 'This one, whatever the client says.') }),
    words,
  )

const headerValue = text(checks.faultOfHeaderValue, "'1'")
const headers: Shape<{ readonly [name: string]: string }> = {
  read(reading, path, value) {
    if (!isObject(value)) {
      refuse(reading, path, value, {
        message: 'names and values are meant here',
        remedy: "write headers: { X-Tenant: 'a' }",
      })
      return undefined
    }
    const found: { [name: string]: string } = {}
    for (const [name, entry] of Object.entries(value)) {
      const fault = checks.faultOfHeader(name)
      if (fault !== null)
        refuse(reading, [...path, name], undefined, { message: fault, remedy: 'choose another name', atKey: true })
      const one = headerValue.read(reading, [...path, name], entry)
      if (one !== undefined) found[name] = one
    }
    return found
  },
  schema: { type: 'object', additionalProperties: headerValue.schema },
}

const relay = mapped(
  object({
    host: may(
      fixed(choice('upstream', 'client'), text(checks.faultOfText, "'app.internal'")),
      'upstream' as const,
      'Host that the backend sees. Default: its own.',
    ),
    origin: may(
      fixed(choice('pass', 'strip'), text(checks.faultOfText, "'https://app.company.com'")),
      'pass' as const,
      'Origin that the backend sees. Default pass.',
    ),
    cookies: may(
      either<readonly string[], 'pass' | 'strip'>(
        Array.isArray,
        list(text(checks.faultOfCookieName, "'sid'"), 1, "'sid'"),
        choice('pass', 'strip'),
      ),
      'pass' as const,
      'Cookies that the backend sees: pass, strip, or a list of names.',
    ),
    path: may(
      text(checks.faultOfPlainPath, "'/socket'"),
      null,
      "Prefix in place of the route's. Default: the client's path.",
    ),
    headers: may(headers, () => ({}), 'Further headers for the backend; a client cannot forge them.'),
    forwarded: may(flag, true, 'X-Forwarded-For, -Proto and -Host of what the gateway knows. Default true.'),
    identity: may(identity, () => identityDefaults, 'Who the backend is told that the client is.'),
    messageBytes: may(size, 16 * 1024 * 1024, 'Greatest message of the backend. Default 16 MiB.'),
    bufferBytes: may(size, 256 * 1024, 'Bytes that may wait for a side that does not read. Default 256 KiB.'),
    stall: may(duration(), 30_000, 'How long a side may take nothing before the pair is closed. Default 30 s.'),
    heartbeat: may(
      either<false, number>(value => value === false, flag as Shape<false>, duration(1000)),
      30_000,
      'A backend that answers no ping within this time is lost; false: it is not pinged. Default 30 s.',
    ),
  }),
  ({ stall, heartbeat, ...rest }) => ({
    ...rest,
    stallMs: stall,
    heartbeatMs: heartbeat === false ? null : heartbeat,
  }),
)
const RELAY_DEFAULT = {
  host: 'upstream' as const,
  origin: 'pass' as const,
  cookies: 'pass' as const,
  path: null,
  headers: {},
  forwarded: true,
  identity: identityDefaults,
  messageBytes: 16 * 1024 * 1024,
  bufferBytes: 256 * 1024,
  stallMs: 30_000,
  heartbeatMs: 30_000 as number | null,
}

const http = mapped(
  object({
    path: may(text(checks.faultOfPlainPath, "'/'"), '/', 'Prefix; the longest match of the host wins. Default /.'),
    upstream: must(
      text(checks.faultOfWord, 'the name of an upstream'),
      'write upstream: app',
      'A name below `upstreams`.',
    ),
    timeout: may(duration(), 60_000, 'Longest wait for the head of the answer. Default 60 s.'),
    refuse: may(
      list(text(checks.faultOfRefused, "'/sockjs/*' or '?transport=polling'"), 0, "'/sockjs/*'"),
      [] as readonly string[],
      'What no backend gets, as transports beside the WebSocket: /path, /path/*, ?name or ?name=value. Besides: ?transport=polling.',
    ),
    dangerouslyPassPolling: may(
      flag,
      false,
      'Lets ?transport=polling pass: long polling of Socket.IO, around both doors.',
    ),
  }),
  ({ timeout, refuse: refused, dangerouslyPassPolling, ...rest }) => ({
    ...rest,
    timeoutMs: timeout,
    refuse: dangerouslyPassPolling ? refused : [...new Set([POLLING, ...refused])],
  }),
)

/** How the session of a route is found. */
export const SESSION: Shape<SessionConfig> = {
  read(reading, path, value) {
    const read = object(SESSION_KINDS).read(reading, path, value)
    if (read === undefined) return undefined
    const kinds = [
      read.forwardAuth,
      read.jwt,
      read.signedCookie,
      read.dangerouslyAnonymous ? ({ kind: 'anonymous' } as const) : null,
    ].filter(kind => kind !== null)
    if (kinds.length === 1) return kinds[0]
    reading.problems.push({
      file: reading.document.file,
      ...reading.document.atKey(path),
      path: pathText(path),
      value: '',
      message: kinds.length === 0 ? 'it must be decided how the session is found' : 'a session is found in one way',
      remedy: 'write one of forwardAuth, jwt, signedCookie, or dangerouslyAnonymous: true',
    })
    return undefined
  },
  schema: { ...object(SESSION_KINDS).schema, minProperties: 1, maxProperties: 1 },
}

const route = object({
  hosts: may(
    list(host, 1, "'app.company.com'"),
    [] as readonly string[],
    'Names as in Host, without port. Default: every name that no other route has.',
  ),
  path: must(
    text(checks.faultOfPath, "'/ws', or '/ws/*' for everything below it"),
    "write path: '/ws'",
    'The path of the WebSocket, exact; ends in /* for everything below it.',
  ),
  upstream: must(
    text(checks.faultOfWord, 'the name of an upstream'),
    'write upstream: app',
    'A name below `upstreams`.',
  ),
  session: must(
    SESSION,
    'write session: { forwardAuth: { url: … } }, { jwt: … }, { signedCookie: … } or { dangerouslyAnonymous: true }',
    'How the session of the HTTP side is found.',
  ),
  ...POLICY_SECTIONS,
  relay: may(relay, () => RELAY_DEFAULT, 'What the backend sees of the client.'),
  http: may(http, null, 'Plain HTTP that goes to an upstream, so that one origin can be served whole.'),
  ticketPath: may(
    text(checks.faultOfPlainPath, "'/.sallyport/ticket'"),
    DEFAULT_TICKET_PATH,
    'Where tickets are issued. Default /.sallyport/ticket.',
  ),
  clientPath: may(
    none(text(checks.faultOfPlainPath, "'/.sallyport/client.js'")),
    undefined,
    'Where the page imports the browser client from; false: nowhere. Default: client.js beside ticketPath.',
  ),
})

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
            secret(checks.faultOfRedis, 'write redis://127.0.0.1:6379, or ${REDIS_URL} where it bears a password'),
            'write url: ${REDIS_URL}',
            'redis:// or rediss://, with user and password where it wants them.',
          ),
          secret: must(
            secret(checks.faultOfSecret(32), checks.GENERATE),
            'write secret: ${STORE_SECRET}',
            'The same on every gateway: keys are hashed under it, tickets and event hashes derived from it.',
          ),
          prefix: may(text(checks.faultOfPrefix, "'sallyport'"), 'sallyport', 'Begins every key. Default sallyport.'),
        }),
        'write redis: { url: ${REDIS_URL}, secret: ${STORE_SECRET} }',
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
