import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { stringify } from 'yaml'
import { ConfigError, type ConfigProblem } from '../../src/config/config-error.ts'
import { parseConfig, parseConfigFully } from '../../src/config/parse.ts'
import { goodConfig, SECRET } from './good-config.ts'

const noFile = (): string => {
  throw Object.assign(new Error('no'), { code: 'ENOENT' })
}

function problemsOf(
  text: string,
  env: Record<string, string> = {},
  readFile: (name: string) => string = noFile,
): readonly ConfigProblem[] {
  try {
    parseConfig(text, { file: 'gateway.yaml', env, readFile })
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    return error.problems
  }
  return []
}

/** Problems of the good configuration after one change. */
function problemsAfter(
  change: (config: any) => void,
  env: Record<string, string> = {},
  readFile?: (name: string) => string,
): readonly ConfigProblem[] {
  const config = goodConfig()
  change(config)
  return problemsOf(stringify(config), env, readFile)
}

test('a good configuration is read, filled in and frozen through and through', () => {
  const config = parseConfig(stringify(goodConfig()), { file: 'gateway.yaml', env: {} })
  assert.deepEqual(config.listeners, [
    { name: 'public', address: { host: '127.0.0.1', port: 8443 }, tls: null, proxyProtocol: null },
  ])
  const [route] = config.routes
  assert.equal(route?.id, 'chat')
  assert.equal(route?.ticketPath, '/.sallyport/ticket')
  assert.equal(route?.relay.identity.userHeader, 'X-Sallyport-User')
  assert.equal(route?.session.kind, 'forwardAuth')
  assert.equal(config.drainMs, 10_000)
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    assert.ok(Object.isFrozen(value))
    Object.values(value).forEach(walk)
  }
  walk(config)
})

test('JSON is read as YAML is', () => {
  assert.deepEqual(
    parseConfig(JSON.stringify(goodConfig()), { file: 'a', env: {} }),
    parseConfig(stringify(goodConfig()), { file: 'a', env: {} }),
  )
})

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
  ['no listener', c => delete c.listeners, 'listeners', /must be said/],
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
  ['half of TLS', c => (c.listeners.public.tls = { cert: '/c.pem' }), 'listeners.public.tls.key', /must be said/],
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
  ['host with a scheme', c => (c.routes.chat.hosts = ['https://a.example']), 'routes.chat.hosts[0]', /name alone/],
  ['path without slash', c => (c.routes.chat.path = 'ws'), 'routes.chat.path', /begins with a slash/],
  ['star in the middle', c => (c.routes.chat.path = '/a/*/b'), 'routes.chat.path', /star stands only at the end/],
  ['path with a query', c => (c.routes.chat.path = '/ws?a'), 'routes.chat.path', /no query/],
  ['path with dots', c => (c.routes.chat.path = '/a/../b'), 'routes.chat.path', /plain path/],
  ['session undecided', c => delete c.routes.chat.session, 'routes.chat.session', /must be said/],
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
    /must be said/,
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
  ['store of no kind', c => (c.store = {}), 'store.redis', /must be said/],
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

describe('what came from the environment or a mounted file is never shown', () => {
  const HIDDEN = 'https://hidden-value.example/with/path'
  const cases: readonly [name: string, change: (config: any) => void][] = [
    ['an origin', c => (c.routes.chat.handshake.origin.allow = ['${HIDDEN}'])],
    ['a host', c => (c.routes.chat.hosts = ['${HIDDEN}'])],
    ['a target', c => (c.upstreams.app.targets = ['${HIDDEN}'])],
    ['a choice', c => (c.upstreams.app.balance = '${HIDDEN}')],
    ['a duration', c => (c.drain = '${HIDDEN}')],
    ['a ticket secret', c => (c.routes.chat.handshake.ticket = { secret: '${HIDDEN}x', ttl: 'no' })],
    ['a header value', c => (c.routes.chat.relay = { headers: { X: '${HIDDEN}\n' } })],
    ['a report', c => (c.routes.chat.report = ['${HIDDEN}'])],
    ['an upstream', c => (c.routes.chat.upstream = '${HIDDEN}')],
    [
      'a JWKS',
      c =>
        (c.routes.chat.session = {
          jwt: { jwks: '${HIDDEN}', secret: '${HIDDEN}', algorithms: ['x'], issuer: 'i', audience: 'a', cookie: 't' },
        }),
    ],
    ['a schema', c => (c.routes.chat.message.outbound = '${HIDDEN}')],
  ]
  for (const [name, change] of cases) {
    test(name, () => {
      const config = goodConfig()
      change(config)
      try {
        parseConfig(stringify(config), { file: 'f', env: { HIDDEN }, readFile: noFile })
        assert.fail('it was accepted')
      } catch (error) {
        assert.ok(error instanceof ConfigError)
        assert.doesNotMatch(JSON.stringify(error.problems) + error.message, /hidden-value/)
      }
    })
  }

  test('a mounted secret that is too short tells its length alone', () => {
    const problems = problemsAfter(
      config => (config.admin = { address: '127.0.0.1:1', token: 'file:token' }),
      {},
      () => 'hidden-value\n',
    )
    assert.equal(problems[0]?.value, '(hidden, 12 bytes)')
    assert.doesNotMatch(JSON.stringify(problems), /hidden-value/)
  })

  test('a secret written out tells its length alone', () => {
    const problems = problemsAfter(config => (config.admin = { address: '127.0.0.1:1', token: 'hidden-value' }))
    assert.doesNotMatch(JSON.stringify(problems), /hidden-value/)
  })
})

test('numbers and booleans may come from the environment', () => {
  const config = goodConfig()
  config.workers = '${WORKERS:-1}'
  config.routes.chat.handshake.connections = { total: '${TOTAL}' }
  config.routes.chat.relay = { forwarded: '${FORWARDED}' }
  const read = parseConfig(stringify(config), { file: 'f', env: { TOTAL: '500', FORWARDED: 'false' } })
  assert.equal(read.workers, 1)
  assert.deepEqual(read.routes[0]?.policy.handshake.connections, { total: 500 })
  assert.equal(read.routes[0]?.relay.forwarded, false)
})

test('a mounted secret is read without its line feed; relative to the file', () => {
  const config = goodConfig()
  config.admin = { address: 'unix:/run/a.sock', token: 'file:token' }
  config.routes.chat.handshake.ticket = { secret: 'file:ticket' }
  const asked: string[] = []
  const read = parseConfig(stringify(config), {
    file: 'f',
    env: {},
    readFile: name => (asked.push(name), `${SECRET}\n`),
  })
  assert.equal(read.admin?.token, SECRET)
  assert.equal(read.routes[0]?.policy.handshake.ticket?.secret, SECRET)
  assert.deepEqual([...new Set(asked)].toSorted(), ['ticket', 'token'])
})

test('schemas come from files, one by one or all in one; a mistake there is told with its own place', () => {
  const schema = {
    type: 'object',
    properties: { type: { const: 'chat' }, text: { type: 'string', pattern: '^\\${1}$' } },
  }
  const whole = goodConfig()
  whole.routes.chat.message.schema = 'file:messages.json'
  const read = parseConfig(stringify(whole), { file: 'f', env: {}, readFile: () => JSON.stringify({ chat: schema }) })
  assert.deepEqual(read.routes[0]?.policy.message.schema, { chat: schema })
  const problems = problemsAfter(
    config => (config.routes.chat.message.schema.chat = 'file:chat.json'),
    {},
    () => '{\n  "type": "object",\n  "type": 1\n}',
  )
  assert.deepEqual(
    problems.map(({ file, line }) => [file, line]),
    [['chat.json', 3]],
  )
})

test('a dollar in a schema is a dollar', () => {
  const config = goodConfig()
  config.routes.chat.message.schema.chat.properties.text = { type: 'string', pattern: '^\\${1}$' }
  const read = parseConfig(stringify(config), { file: 'f', env: {} })
  assert.match(JSON.stringify(read.routes[0]?.policy.message.schema), /\$\{1\}/)
})

test('what weakens is told', () => {
  const config = goodConfig()
  config.listeners.public.address = '0.0.0.0:80'
  config.upstreams.app = { targets: ['ws://10.0.0.5:1'], tls: { dangerouslyAcceptAnyCertificate: true } }
  config.routes.chat.session.forwardAuth.url = 'http://auth.internal/me'
  const { weakened } = parseConfigFully(stringify(config), { file: 'f', env: {} })
  assert.deepEqual(
    weakened.map(({ path }) => path),
    [
      'listeners.public',
      'upstreams.app.tls.dangerouslyAcceptAnyCertificate',
      'upstreams.app',
      'routes.chat.session.forwardAuth.url',
    ],
  )
  assert.deepEqual(parseConfigFully(stringify(goodConfig()), { file: 'f', env: {} }).weakened, [])
})

describe('what goes in clear to another machine', () => {
  const REASON = 'compose.yaml gives these two a network of their own'
  const store = { redis: { url: 'redis://cache:6379', secret: SECRET } }
  const parse = (
    change: (config: any) => void,
    env: Record<string, string> = {},
  ): ReturnType<typeof parseConfigFully> => {
    const config = goodConfig()
    change(config)
    return parseConfigFully(stringify(config), { file: 'f', env })
  }
  const places: readonly [
    name: string,
    path: string,
    of: (config: any) => any,
    told: string,
    change: (config: any) => void,
  ][] = [
    [
      'an upstream',
      'upstreams.app',
      config => config.upstreams.app,
      'messages and identity go in clear to backend:9000',
      config => (config.upstreams.app.targets = ['ws://127.0.0.1:1', 'http://backend:9000']),
    ],
    [
      'forwardAuth',
      'routes.chat.session.forwardAuth.url',
      config => config.routes.chat.session.forwardAuth,
      'cookies go in clear to backend:9000',
      config => (config.routes.chat.session.forwardAuth.url = 'http://backend:9000/me'),
    ],
    [
      'Redis',
      'store.redis.url',
      config => config.store.redis,
      'what gateways tell Redis goes in clear',
      config => (config.store = structuredClone(store)),
    ],
  ]
  for (const [name, path, of, told, change] of places) {
    test(`${name}: weakened, and what to write is told`, () => {
      const [weak, ...others] = parse(change).weakened
      assert.deepEqual(others, [])
      assert.deepEqual([weak!.path, weak!.accepted], [path, null])
      assert.ok(
        weak!.message.startsWith(`${told}: `) && weak!.message.endsWith('dangerouslyAllowPlaintext'),
        weak!.message,
      )
    })
    test(`${name}: with a reason it is still told, as accepted, and what runs is the same`, () => {
      const { weakened, config } = parse(file => {
        change(file)
        of(file).dangerouslyAllowPlaintext = REASON
      })
      assert.deepEqual(weakened, [{ path, message: told, accepted: REASON }])
      assert.deepEqual(config, parse(change).config)
    })
    for (const [what, value, env] of [
      ['true', true, {}],
      ['no words', '-', {}],
      ['two words', 'it is', {}],
      ['two lines', 'a network\nof their own here', {}],
      ['a book', 'a network of their own '.repeat(20), {}],
      ['what the environment says', '${WHY}', { WHY: REASON }],
    ] as const) {
      test(`${name}: ${what} is no reason`, () => {
        const problems = problemsAfter(file => {
          change(file)
          of(file).dangerouslyAllowPlaintext = value
        }, env)
        assert.deepEqual(
          problems.map(problem => problem.path),
          [`${path.replace(/\.url$/, '')}.dangerouslyAllowPlaintext`],
        )
        assert.match(problems[0]!.remedy, /^write /)
      })
    }
  }
  test('one accepts for itself alone', () => {
    const { weakened } = parse(config => {
      config.upstreams.app = { targets: ['ws://a.internal:1'], dangerouslyAllowPlaintext: REASON }
      config.upstreams.other = { targets: ['ws://b.internal:1'] }
    })
    assert.deepEqual(
      weakened.map(({ path, accepted }) => [path, accepted]),
      [
        ['upstreams.app', REASON],
        ['upstreams.other', null],
      ],
    )
  })
  test('from the environment: weakened all the same, and not shown', () => {
    const { weakened } = parse(
      config => {
        config.upstreams.app.targets = ['${TARGET}']
        config.routes.chat.session.forwardAuth.url = '${AUTH}'
      },
      { TARGET: 'ws://hidden.internal:1', AUTH: 'http://hidden.internal/me' },
    )
    assert.deepEqual(
      weakened.map(({ path, message }) => [path, message.slice(0, message.indexOf(':'))]),
      [
        ['upstreams.app', 'messages and identity go in clear to ${TARGET}'],
        ['routes.chat.session.forwardAuth.url', 'cookies go in clear to ${AUTH}'],
      ],
    )
  })
})

describe('where the client script is', () => {
  const rows: readonly [name: string, keys: object, path: string | null][] = [
    ['unsaid: beside the tickets', {}, '/.sallyport/client.js'],
    ['beside tickets elsewhere', { ticketPath: '/auth/ws/ticket' }, '/auth/ws/client.js'],
    ['beside tickets at the root', { ticketPath: '/ticket' }, '/client.js'],
    ['where it is said', { clientPath: '/assets/ws.js' }, '/assets/ws.js'],
    ['nowhere', { clientPath: false }, null],
  ]
  for (const [name, keys, path] of rows) {
    test(name, () => {
      const config = goodConfig()
      Object.assign(config.routes.chat, keys)
      assert.equal(parseConfig(JSON.stringify(config), { file: 'gateway.yaml', env: {} }).routes[0]!.clientPath, path)
    })
  }
  for (const [name, clientPath] of [
    ['a star', '/assets/*'],
    ['true', true],
    ['a query', '/ws.js?v=1'],
    ['no slash', 'ws.js'],
  ] as const) {
    test(`${name} is refused`, () => {
      const config = goodConfig()
      config.routes.chat.clientPath = clientPath
      assert.throws(() => parseConfig(JSON.stringify(config), { file: 'gateway.yaml', env: {} }), /clientPath/)
    })
  }
})

describe('plain HTTP beside a WebSocket', () => {
  const parse = (http: object): ReturnType<typeof parseConfigFully> => {
    const config = goodConfig()
    config.routes.chat.http = http
    return parseConfigFully(JSON.stringify(config), { file: 'gateway.yaml', env: {} })
  }
  const rows: readonly [name: string, http: object, refuse: readonly string[], weak: RegExp | null][] = [
    ['undecided', {}, ['?transport=polling'], /^routes\.chat\.http: plain HTTP reaches app unguarded/],
    ['null is undecided', { refuse: null }, ['?transport=polling'], /^routes\.chat\.http: plain HTTP/],
    ['decided: nothing else there', { refuse: [] }, ['?transport=polling'], null],
    ['decided: this too', { refuse: ['/sockjs/*', '?x'] }, ['?transport=polling', '/sockjs/*', '?x'], null],
    ['said twice', { refuse: ['?transport=polling'] }, ['?transport=polling'], null],
    [
      'polling let through',
      { refuse: ['/sockjs/*'], dangerouslyPassPolling: true },
      ['/sockjs/*'],
      /^routes\.chat\.http\.dangerouslyPassPolling: long polling of Socket\.IO reaches app around both doors$/,
    ],
    ['polling let through, and undecided', { dangerouslyPassPolling: true }, [], /dangerouslyPassPolling/],
  ]
  for (const [name, keys, refuse, weak] of rows) {
    test(name, () => {
      const { config, weakened } = parse({ upstream: 'app', ...keys })
      assert.deepEqual(config.routes[0]!.http!.refuse, refuse)
      assert.equal(weakened.length, weak === null ? 0 : 1)
      if (weak !== null) assert.match(`${weakened[0]!.path}: ${weakened[0]!.message}`, weak)
    })
  }
  for (const one of ['sockjs', '?', '?a=b&c=d', '/a?b', '/a*', '?a b', '', 'https://x/', '/a/../b', 7]) {
    test(`${JSON.stringify(one)} is refused`, () =>
      assert.throws(() => parse({ upstream: 'app', refuse: [one] }), /routes\.chat\.http\.refuse\[0\]/))
  }
})
