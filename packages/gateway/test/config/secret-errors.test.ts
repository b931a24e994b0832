import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { commandLine } from '../../src/cli/command-line.ts'
import { ConfigError } from '../../src/config/config-error.ts'
import { parseConfigFully } from '../../src/config/parse.ts'
import { parseAddress } from '../../src/upstream/backend.ts'
import { goodConfig, SECRET } from './good-config.ts'

/** `hunter2` is in each; whatever is wrong with it is told without it. */
const SECRETS = [
  'redis//:hunter2@cache:6379',
  'redis://:hunter2@',
  'http://user:hunter2@auth.internal/me',
  'ws://user:hunter2@backend:9000',
  'wss://hunter2@backend:9000',
  'user:hunter2@backend:9000',
  'Bearer hunter2',
  'X-Api-Key: hunter2',
  'token=hunter2',
  '-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----',
  'hunter2Zr4Tn1Vc8Mf5Jd3Hs6Lp0GyEb7Qw2X',
  'eyJhbGciOiJIUzI1NiJ9.hunter2.sig',
]

function messageOf(text: string, env: { readonly [name: string]: string } = {}): string {
  try {
    parseConfigFully(text, { file: 'gateway.yaml', env })
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    return `${error.message} ${JSON.stringify(error.problems)}`
  }
  return ''
}

type Change = (config: any, text: string) => void
const places: readonly (readonly [path: string, change: Change])[] = [
  ['store.redis.url', (c, text) => (c.store = { redis: { url: text, secret: SECRET } })],
  ['store.redis.secret', (c, text) => (c.store = { redis: { url: 'redis://cache', secret: text.slice(0, 24) } })],
  ['store.redis.prefix', (c, text) => (c.store = { redis: { url: 'redis://cache', secret: SECRET, prefix: text } })],
  ['upstreams.app.targets[0]', (c, text) => (c.upstreams.app.targets = [text])],
  ['upstreams.app.balance', (c, text) => (c.upstreams.app.balance = text)],
  ['session.forwardAuth.url', (c, text) => (c.routes.chat.session.forwardAuth.url = text)],
  ['session.forwardAuth.userHeader', (c, text) => (c.routes.chat.session.forwardAuth.userHeader = text)],
  ['session.forwardAuth.requestHeaders', (c, text) => (c.routes.chat.session.forwardAuth.requestHeaders = [text])],
  [
    'session.jwt.jwks',
    (c, text) =>
      (c.routes.chat.session = {
        jwt: { jwks: text, algorithms: ['RS256'], issuer: 'i', audience: 'a', cookie: 'token' },
      }),
  ],
  [
    'session.jwt.secret',
    (c, text) =>
      (c.routes.chat.session = {
        jwt: { secret: text, algorithms: ['RS256'], issuer: 'i', audience: 'a', cookie: 'token' },
      }),
  ],
  [
    'session.jwt.algorithms',
    (c, text) =>
      (c.routes.chat.session = {
        jwt: { secret: SECRET, algorithms: [text], issuer: 'i', audience: 'a', cookie: 'token' },
      }),
  ],
  [
    'session.signedCookie',
    (c, text) => (c.routes.chat.session = { signedCookie: { cookie: text, secrets: [text.slice(0, 15)] } }),
  ],
  ['relay.headers value', (c, text) => (c.routes.chat.relay = { headers: { 'X-Key': `${text}\n` } })],
  ['relay.headers value of another kind', (c, text) => (c.routes.chat.relay = { headers: { 'X-Key': [text] } })],
  ['relay.headers', (c, text) => (c.routes.chat.relay = { headers: text })],
  ['relay.headers name', (c, text) => (c.routes.chat.relay = { headers: { [text]: '1' } })],
  ['relay.origin', (c, text) => (c.routes.chat.relay = { origin: text })],
  ['relay.identity.jwt.key', (c, text) => (c.routes.chat.relay = { identity: { jwt: { key: text } } })],
  ['listeners.public.address', (c, text) => (c.listeners.public.address = text)],
  ['listeners.public.tls', (c, text) => (c.listeners.public.tls = text)],
  ['admin.token', (c, text) => (c.admin = { address: '127.0.0.1:9', token: text.slice(0, 24) })],
  ['admin.address', (c, text) => (c.admin = { address: text, token: SECRET })],
  ['proxy.trust', (c, text) => (c.proxy = { trust: [text] })],
  ['routes.chat.path', (c, text) => (c.routes.chat.path = text)],
  ['routes.chat.hosts', (c, text) => (c.routes.chat.hosts = [text])],
  ['handshake.origin.allow', (c, text) => (c.routes.chat.handshake.origin.allow = [text])],
  ['handshake.ticket.secret', (c, text) => (c.routes.chat.handshake.ticket = { secret: text.slice(0, 24) })],
  ['an unknown key', (c, text) => (c[text] = text)],
  ['a misspelt key', (c, text) => (c.admin = { address: '127.0.0.1:9', tokn: text })],
  ['log.level', (c, text) => (c.log = { level: text })],
  ['drain', (c, text) => (c.drain = text)],
]

describe('an error of the configuration shows no secret', () => {
  for (const [path, change] of places) {
    test(path, () => {
      let told = 0
      for (const secret of SECRETS) {
        const config = goodConfig()
        change(config, secret)
        const message = messageOf(JSON.stringify(config))
        if (message !== '') told++
        assert.equal(message.includes('hunter2'), false, message)
      }
      assert.ok(told > 0, 'nothing was refused')
    })
  }

  test('a header value and a URL with a password are told by their length', () => {
    const config = goodConfig()
    config.routes.chat.relay = { headers: { 'X-Key': 'plain\nwords' } }
    config.store = { redis: { url: 'http://:hunter2@cache', secret: SECRET } }
    const message = messageOf(JSON.stringify(config))
    assert.match(message, /relay\.headers\.X-Key {2}\(hidden, 11 bytes\)/)
    assert.match(message, /store\.redis\.url {2}\(hidden, 21 bytes\)/)
  })

  for (const [name, text] of [
    ['a tag', 'admin: { token: !hunter2 }'],
    ['an alias', 'admin: { token: *hunter2 }'],
    ['an alias, as a line', 'admin:\n  token: *hunter2\n'],
    ['a reserved sign', 'admin:\n  token: @hunter2\n'],
    ['a percent sign', 'admin:\n  token: %hunter2\n'],
    ['a quote that does not end', 'admin:\n  token: "hunter2\n'],
    ['an invalid escape', 'admin:\n  token: "\\hunter2"\n'],
    ['a colon', 'admin:\n  token: a: hunter2\n'],
    ['a block', 'admin:\n  token: |hunter2\n'],
    ['text behind a value that is no comment', 'admin:\n  token: "a"hunter2\n'],
    ['a default beside a variable that is unset', "admin: { token: '${NO}${TOKEN:-hunter2}' }"],
    ['a default that is not ended', "admin: { token: '${TO KEN:-hunter2}' }"],
    ['a password beside a variable that is unset', "store: { redis: { url: 'redis://:hunter2@${NO}' } }"],
  ] as const) {
    test(`text that is no YAML, or no reference: ${name}`, () => {
      const message = messageOf(text)
      assert.notEqual(message, '')
      assert.equal(message.includes('hunter2'), false, message)
    })
  }

  test('a value of the environment is never shown, secret or not', () => {
    const message = messageOf(JSON.stringify({ ...goodConfig(), drain: '${DRAIN}' }), { DRAIN: 'hunter2' })
    assert.match(message, /\(\$\{DRAIN\}, hidden\)/)
    assert.equal(message.includes('hunter2'), false)
  })
})

describe('the command line shows no secret', () => {
  const run = async (...args: string[]): Promise<string> => {
    let out = ''
    const say = (text: string): void => void (out += `${text}\n`)
    const terminal = { out: say, err: say, paint: (_: string, text: string) => text }
    await commandLine(args, terminal as unknown as Parameters<typeof commandLine>[1]).catch((error: unknown) =>
      say(String(error)),
    )
    return out
  }
  const base = ['explain', '--host', 'a.example', '--path']
  for (const args of [
    [...base, '/ws', '--header', 'Bearer hunter2'],
    [...base, '/ws', '--ip', 'token=hunter2'],
    [...base, 'token=hunter2'],
    [...base, '/ws', 'Cookie: sid=hunter2'],
    ['check', 'password=hunter2'],
  ]) {
    test(args.join(' '), async () => {
      const out = await run(...args)
      assert.equal(out.includes('hunter2'), false, out)
    })
  }
})

test('an invalid target', () => {
  for (const label of ['ws://user:hunter2@backend:9000', 'token=hunter2', 'wss://hunter2@x/']) {
    assert.throws(
      () => parseAddress(label),
      (error: Error) => !error.message.includes('hunter2'),
    )
  }
})
