import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SECRET } from './good-config.ts'
import { problemsAfter, problemsOf } from './problems.ts'

const rows: readonly [name: string, change: (config: any) => void, path: string, told: RegExp, nearest?: string][] = [
  ['misspelt key at the root', c => (c.rotues = {}), 'rotues', /unknown key/, 'routes'],
  [
    'misspelt key of a listener',
    c => (c.listeners.public.adress = 1),
    'listeners.public.adress',
    /unknown key/,
    'address',
  ],
  [
    'misspelt key of an upstream',
    c => (c.upstreams.app.balanse = 'x'),
    'upstreams.app.balanse',
    /unknown key/,
    'balance',
  ],
  [
    'misspelt key of a policy',
    c => (c.routes.chat.handshake.orgin = {}),
    'routes.chat.handshake.orgin',
    /unknown key/,
    'origin',
  ],
  [
    'misspelt word',
    c => (c.upstreams.app.balance = 'round-robbin'),
    'upstreams.app.balance',
    /not a known word/,
    'round-robin',
  ],
  ['no listener', c => delete c.listeners, 'listeners', /required key is missing/],
  ['listeners without a name', c => (c.listeners = {}), 'listeners', /empty/],
  ['listeners as a list', c => (c.listeners = []), 'listeners', /an empty list where names are meant/],
  [
    'address without port',
    c => (c.listeners.public.address = '127.0.0.1'),
    'listeners.public.address',
    /not host:port/,
  ],
  [
    'port out of range',
    c => (c.listeners.public.address = '127.0.0.1:65536'),
    'listeners.public.address',
    /not a port/,
  ],
  [
    'relative unix socket',
    c => (c.listeners.public.address = 'unix:run.sock'),
    'listeners.public.address',
    /whole path/,
  ],
  [
    'half of TLS',
    c => (c.listeners.public.tls = { cert: '/c.pem' }),
    'listeners.public.tls.key',
    /required key is missing/,
  ],
  [
    'PROXY protocol from a name',
    c => (c.listeners.public.proxyProtocol = { trust: ['lb.internal'] }),
    'listeners.public.proxyProtocol.trust[0]',
    /not an IP/,
  ],
  ['proxy that trusts all', c => (c.proxy = { trust: ['0.0.0.0/0'] }), 'proxy.trust[0]', /strangers/],
  ['no target', c => (c.upstreams.app.targets = []), 'upstreams.app.targets', /one or more/],
  ['target with a path', c => (c.upstreams.app.targets = ['ws://a:1/x']), 'upstreams.app.targets[0]', /no path/],
  [
    'target with a password',
    c => (c.upstreams.app.targets = ['ws://u:p@a:1']),
    'upstreams.app.targets[0]',
    /no user or password/,
  ],
  [
    'target of another scheme',
    c => (c.upstreams.app.targets = ['tcp://a:1']),
    'upstreams.app.targets[0]',
    /not a backend/,
  ],
  ['no such upstream', c => (c.routes.chat.upstream = 'ap'), 'routes.chat.upstream', /no such upstream/, 'app'],
  [
    'no such upstream of http',
    c => (c.routes.chat.http = { upstream: 'web' }),
    'routes.chat.http.upstream',
    /no such upstream/,
  ],
  ['host with a wildcard', c => (c.routes.chat.hosts = ['*.example.com']), 'routes.chat.hosts[0]', /wildcard/],
  ['host with a leading dot', c => (c.routes.chat.hosts = ['.example.com']), 'routes.chat.hosts[0]', /leading dot/],
  ['host with an empty label', c => (c.routes.chat.hosts = ['a..example.com']), 'routes.chat.hosts[0]', /two dots/],
  ['host with a scheme', c => (c.routes.chat.hosts = ['https://a.example']), 'routes.chat.hosts[0]', /name alone/],
  ['path without slash', c => (c.routes.chat.path = 'ws'), 'routes.chat.path', /begins with a slash/],
  ['star in the middle', c => (c.routes.chat.path = '/a/*/b'), 'routes.chat.path', /star stands only at the end/],
  ['path with a query', c => (c.routes.chat.path = '/ws?a'), 'routes.chat.path', /no query/],
  ['path with dots', c => (c.routes.chat.path = '/a/../b'), 'routes.chat.path', /plain path/],
  ['session undecided', c => delete c.routes.chat.session, 'routes.chat.session', /required key is missing/],
  ['session of no kind', c => (c.routes.chat.session = {}), 'routes.chat.session', /must be decided/],
  ['session of two kinds', c => (c.routes.chat.session.dangerouslyAnonymous = true), 'routes.chat.session', /one way/],
  [
    'session inside the handshake',
    c => (c.routes.chat.handshake.session = {}),
    'routes.chat.handshake.session',
    /not a key of a policy in a file/,
  ],
  [
    'authorize as text',
    c => (c.routes.chat.handshake.authorize = 'x'),
    'routes.chat.handshake.authorize',
    /not a key of a policy in a file/,
  ],
  [
    'csrf as text',
    c => (c.routes.chat.handshake.ticket = { csrf: 'x' }),
    'routes.chat.handshake.ticket.csrf',
    /not a key of a policy in a file/,
  ],
  ['origins undecided', c => delete c.routes.chat.handshake.origin, 'routes.chat.handshake.origin', /must be decided/],
  ['handshake undecided', c => delete c.routes.chat.handshake, 'routes.chat.handshake.origin', /must be decided/],
  [
    'origin with a slash',
    c => (c.routes.chat.handshake.origin.allow = ['https://a.example/']),
    'routes.chat.handshake.origin.allow[0]',
    /trailing slash/,
  ],
  ['schemas undecided', c => delete c.routes.chat.message.schema, 'routes.chat.message.schema', /must be decided/],
  [
    'schema that is text',
    c => (c.routes.chat.message.schema.chat = 'object'),
    'routes.chat.message.schema.chat',
    /not a schema/,
  ],
  [
    'schema file that is not there',
    c => (c.routes.chat.message.schema.chat = 'file:no.json'),
    'routes.chat.message.schema.chat',
    /ENOENT/,
  ],
  [
    'schema of no JSON type',
    c => (c.routes.chat.message.schema.chat.properties.text = { type: 'strin' }),
    'routes.chat.message.schema.chat',
    /type of JSON Schema/,
  ],
  [
    'short ticket secret',
    c => (c.routes.chat.handshake.ticket = { secret: 'abc' }),
    'routes.chat.handshake.ticket.secret',
    /shorter than 32/,
  ],
  [
    'report of no control',
    c => (c.routes.chat.report = ['handshake/orgin']),
    'routes.chat.report[0]',
    /no id of a control/,
    'handshake/origin',
  ],
  [
    'forward-auth without url',
    c => (c.routes.chat.session = { forwardAuth: {} }),
    'routes.chat.session.forwardAuth.url',
    /required key is missing/,
  ],
  [
    'forwardAuth that names nobody',
    c => (c.routes.chat.session.forwardAuth = { url: 'http://127.0.0.1:9000/me' }),
    'routes.chat.session.forwardAuth',
    /one more cookie/,
  ],
  [
    'forwardAuth by a cookie that is not passed on',
    c =>
      (c.routes.chat.session.forwardAuth = {
        url: 'http://127.0.0.1:9000/me',
        cookie: 'sid',
        requestHeaders: ['Authorization'],
      }),
    'routes.chat.session.forwardAuth',
    /cannot vouch/,
  ],
  [
    'forward-auth to a file',
    c => (c.routes.chat.session.forwardAuth.url = 'file:///etc/passwd'),
    'routes.chat.session.forwardAuth.url',
    /http or https/,
  ],
  [
    'JWT without key',
    c => (c.routes.chat.session = { jwt: { algorithms: ['RS256'], issuer: 'i', audience: 'a', cookie: 't' } }),
    'routes.chat.session.jwt',
    /exactly one/,
  ],
  [
    'JWT from two places',
    c =>
      (c.routes.chat.session = {
        jwt: { secret: SECRET, algorithms: ['HS256'], issuer: 'i', audience: 'a', cookie: 't', header: 'X' },
      }),
    'routes.chat.session.jwt',
    /one place/,
  ],
  [
    'JWT that is not signed',
    c =>
      (c.routes.chat.session = {
        jwt: { jwks: 'https://issuer.example/k', algorithms: ['none'], issuer: 'i', audience: 'a', cookie: 't' },
      }),
    'routes.chat.session.jwt',
    /no signature/,
  ],
  [
    'JWKS over plain http',
    c =>
      (c.routes.chat.session = {
        jwt: { jwks: 'http://issuer.example/k', algorithms: ['RS256'], issuer: 'i', audience: 'a', cookie: 't' },
      }),
    'routes.chat.session.jwt',
    /jwks/,
  ],
  [
    'signed cookie with a short secret',
    c => (c.routes.chat.session = { signedCookie: { cookie: 'sid', secrets: ['short'] } }),
    'routes.chat.session.signedCookie.secrets[0]',
    /shorter than 16/,
  ],
  [
    'header of the protocol',
    c => (c.routes.chat.relay = { headers: { Host: 'x' } }),
    'routes.chat.relay.headers.Host',
    /belongs to the protocol/,
  ],
  [
    'header value of two lines',
    c => (c.routes.chat.relay = { headers: { X: 'a\r\nY: b' } }),
    'routes.chat.relay.headers.X',
    /one line/,
  ],
  [
    'identity JWT with a short key',
    c => (c.routes.chat.relay = { identity: { jwt: { key: 'k', algorithm: 'HS256', audience: 'a' } } }),
    'routes.chat.relay.identity.jwt.key',
    /shorter than 32/,
  ],
  [
    'admin on a public address',
    c => (c.admin = { address: '0.0.0.0:9901', token: SECRET }),
    'admin.address',
    /no public address/,
  ],
  [
    'admin token of 31 bytes',
    c => (c.admin = { address: '127.0.0.1:9901', token: SECRET.slice(1) }),
    'admin.token',
    /shorter than 32/,
  ],
  [
    'admin token that is a placeholder',
    c => (c.admin = { address: '127.0.0.1:9901', token: 'change-me-change-me-change-me-now' }),
    'admin.token',
    /placeholder/,
  ],
  [
    'store that is no Redis',
    c => (c.store = { redis: { url: 'http://a', secret: SECRET } }),
    'store.redis.url',
    /not a URL of redis/,
  ],
  [
    'store with a short secret',
    c => (c.store = { redis: { url: 'redis://a', secret: 'x' } }),
    'store.redis.secret',
    /shorter than 32/,
  ],
  ['store of no kind', c => (c.store = {}), 'store.redis', /required key is missing/],
  ['workers as text', c => (c.workers = '2'), 'workers', /whole number/],
  ['no worker', c => (c.workers = 0), 'workers', /whole number from 1/],
  ['drain without unit', c => (c.drain = '10'), 'drain', /without a unit/],
  ['name of two lines', c => (c.name = 'a\nb'), 'name', /printable/],
]

describe('each mistake is told with its place, what is wrong and what to write', () => {
  for (const [name, change, path, told, nearest] of rows) {
    test(name, () => {
      const problems = problemsAfter(change)
      const found = problems.find(problem => problem.path === path)
      assert.ok(
        found,
        `${path} is not among ${problems.map(problem => `${problem.path}: ${problem.message}`).join('\n')}`,
      )
      assert.match(found.message, told)
      assert.ok(found.remedy.length > 3)
      assert.ok(found.line > 0 && found.column > 0)
      if (nearest !== undefined) assert.equal(found.nearest, nearest)
      assert.equal(problems.length, 1, problems.map(problem => `${problem.path}: ${problem.message}`).join('\n'))
    })
  }
})

test('line and column point at the very key or value', () => {
  const text = `name: app
listeners: { public: { address: '127.0.0.1:1' } }
upstreams: { app: { targets: ['ws://127.0.0.1:1'] } }
routes:
  chat:
    path: /ws
    upstream: app
    session: { dangerouslyAnonymous: true }
    handshake:
      origin: { allow: ['https://a.example', 'https://b.example/'] }
      rtae: {}
    message: { schema: { a: { type: object, properties: { type: { const: a } } } } }
`
  assert.deepEqual(
    problemsOf(text).map(({ line, column, path }) => [line, column, path]),
    [
      [10, 46, 'routes.chat.handshake.origin.allow[1]'],
      [11, 7, 'routes.chat.handshake.rtae'],
    ],
  )
})

test('all mistakes are told at once, in the order of the file', () => {
  const problems = problemsAfter(config => {
    config.upstreams.app.targets = ['x']
    config.routes.chat.handshake.origin.allow = ['*']
    config.routes.chat.message.rate = { mesages: 1 }
    config.routes.chat.message.schema.a = { type: 'objekt' }
    config.routes.chat.message.schema.b = 'file:gone.json'
    config.wrokers = 1
  })
  assert.deepEqual(
    problems.map(({ path }) => path),
    [
      'upstreams.app.targets[0]',
      'routes.chat.handshake.origin.allow[0]',
      'routes.chat.message.schema.a',
      'routes.chat.message.schema.b',
      'routes.chat.message.rate.mesages',
      'wrokers',
    ],
  )
})

test('two schemas that cannot be compiled are both told', () => {
  const problems = problemsAfter(config => {
    config.routes.chat.message.schema.a = { type: 'object', properties: { x: { type: 'strin' } } }
    config.routes.chat.message.schema.b = {
      type: 'object',
      properties: { x: { format: 'no-such-format', type: 'string' } },
    }
  })
  assert.deepEqual(
    problems.map(({ path }) => path),
    ['routes.chat.message.schema.a', 'routes.chat.message.schema.b'],
  )
})

describe('what to write is what this file can hold', () => {
  const rows: readonly [name: string, change: (config: any) => void, remedy: RegExp][] = [
    [
      'a secret by reference',
      c => (c.routes.chat.handshake.ticket = 'on'),
      /^write ticket: \{ secret: '\$\{TICKET_SECRET\}' \}$/,
    ],
    [
      'the required key, of a text',
      c => (c.routes.chat.session.forwardAuth = 'http://127.0.0.1:1/me'),
      /^write url: '.*', below it$/,
    ],
    [
      'a spelling, of an unknown keyword',
      c => (c.routes.chat.message.schema.chat.properties.text = { maxLenght: 1 }),
      /^Check its spelling/,
    ],
  ]
  for (const [name, change, remedy] of rows) {
    test(name, () => assert.match(problemsAfter(change)[0]!.remedy, remedy))
  }
  for (const [place, change] of [
    ['the admin token', (c: any) => (c.admin = { address: '127.0.0.1:9901', token: '${SHORT}' })],
    ['the ticket secret', (c: any) => (c.routes.chat.handshake.ticket = { secret: '${SHORT}' })],
  ] as const) {
    test(`${place} from the environment: how one is made, and nothing of the one that will not do`, () => {
      const [problem] = problemsAfter(change, { SHORT: 'too-short' })
      assert.match(problem!.remedy, /openssl rand -base64 32/)
      assert.doesNotMatch(JSON.stringify(problem), /too-short/)
    })
  }
})

describe('a number below a second that has no unit', () => {
  const places: readonly [path: string, set: (config: any, value: unknown) => void][] = [
    ['drain', (c, value) => (c.drain = value)],
    ['upstreams.app.connectTimeout', (c, value) => (c.upstreams.app.connectTimeout = value)],
    ['routes.chat.session.forwardAuth.cache', (c, value) => (c.routes.chat.session.forwardAuth.cache = value)],
    ['routes.chat.timeout', (c, value) => (c.routes.chat.timeout = value)],
    ['routes.chat.message.rate.per', (c, value) => (c.routes.chat.message.rate = { messages: 100, per: value })],
    [
      'routes.chat.message.rate.perUser.per',
      (c, value) => (c.routes.chat.message.rate = { perUser: { messages: 100, per: value } }),
    ],
    [
      'routes.chat.handshake.rate.perIp.per',
      (c, value) => (c.routes.chat.handshake.rate = { perIp: { attempts: 9, per: value } }),
    ],
    [
      'routes.chat.message.size.controlFrames.per',
      (c, value) => (c.routes.chat.message.size = { controlFrames: { frames: 9, per: value } }),
    ],
    ['routes.chat.lifetime.idle.after', (c, value) => (c.routes.chat.lifetime = { idle: { after: value } })],
  ]
  for (const [path, set] of places) {
    test(`${path}: is told, with both that it could mean`, () => {
      for (const value of [1, 60, 999]) {
        const problems = problemsAfter(config => set(config, value))
        assert.deepEqual(
          problems.map(one => [one.path, one.remedy]),
          [[path, `write '${value} seconds', or '${value} ms' where that is meant`]],
        )
      }
      for (const value of [1000, 60_000, '60 seconds', '500 ms'])
        assert.deepEqual(
          problemsAfter(config => set(config, value)),
          [],
        )
    })
  }
  test('from the environment as well, and not shown', () => {
    const [problem, ...others] = problemsAfter(
      config => (config.routes.chat.message.rate = { messages: 100, per: '${PER}' }),
      { PER: '77' },
    )
    assert.deepEqual(others, [])
    assert.equal(problem!.path, 'routes.chat.message.rate.per')
    assert.doesNotMatch(JSON.stringify(problem), /77/)
  })
  test('none at all, and a cost of a type of that name, are numbers as before', () => {
    assert.deepEqual(
      problemsAfter(config => {
        config.drain = 0
        config.routes.chat.session.forwardAuth.cache = 0
        config.routes.chat.message.schema.per = { type: 'object', properties: { type: { const: 'per' } } }
        config.routes.chat.message.rate = { messages: 100, per: '1 minute', cost: { per: 5 } }
      }),
      [],
    )
  })
})
