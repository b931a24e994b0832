import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { stringify } from 'yaml'
import { parseConfig, parseConfigFully } from '../../src/config/parse.ts'
import { goodConfig, SECRET } from './good-config.ts'
import { problemsAfter } from './problems.ts'

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

test('texts that the guard answers itself are read, and a wrong one is told with its place', () => {
  const config = goodConfig()
  config.routes.chat.message.heartbeat = [{ text: 'ping', reply: 'pong' }]
  const read = parseConfig(stringify(config), { file: 'f', env: {} })
  assert.deepEqual(read.routes[0]?.policy.message.heartbeat, [{ text: 'ping', reply: 'pong' }])
  for (const [heartbeat, place] of [
    [[{ text: 'ping' }], 'routes.chat.message.heartbeat[0].reply'],
    [[{ text: 'x'.repeat(65), reply: 'pong' }], 'routes.chat.message.heartbeat[0].text'],
    ['ping', 'routes.chat.message.heartbeat'],
  ] as const) {
    config.routes.chat.message.heartbeat = heartbeat
    assert.throws(() => parseConfig(stringify(config), { file: 'f', env: {} }), {
      message: new RegExp(place.replaceAll(/[[\].]/g, '.')),
    })
  }
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

describe('headers of a client that the operator lets pass', () => {
  const parse = (relay: object): ReturnType<typeof parseConfigFully> => {
    const config = goodConfig()
    config.routes.chat.relay = relay
    return parseConfigFully(JSON.stringify(config), { file: 'gateway.yaml', env: {} })
  }
  test('are weakened, by name', () => {
    const { config, weakened } = parse({ dangerouslyPassHeaders: ['X-User-Id', 'X-Role'] })
    assert.deepEqual(config.routes[0]!.relay.dangerouslyPassHeaders, ['X-User-Id', 'X-Role'])
    assert.match(
      `${weakened[0]!.path}: ${weakened[0]!.message}`,
      /^routes\.chat\.relay\.dangerouslyPassHeaders: .*X-User-Id, X-Role$/,
    )
  })
  test('none by default, and nothing is weakened', () => {
    const { config, weakened } = parse({ dangerouslyPassHeaders: [] })
    assert.deepEqual([config.routes[0]!.relay.dangerouslyPassHeaders, weakened], [[], []])
  })
  for (const one of [
    'X-Forwarded-For',
    'x_forwarded_proto',
    'X-Sallyport-User',
    'Cookie',
    'Host',
    'Proxy-Authorization',
    '',
    7,
  ]) {
    test(`${JSON.stringify(one)} is refused`, () =>
      assert.throws(() => parse({ dangerouslyPassHeaders: [one] }), /routes\.chat\.relay\.dangerouslyPassHeaders\[0\]/))
  }
})
