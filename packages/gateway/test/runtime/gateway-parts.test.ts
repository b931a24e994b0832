import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createGateway, createGuardOf, parseConfig } from '@sallyport/gateway'
import { createMemoryStore } from 'sallyport/store/memory'

const config = parseConfig(
  `
listeners: { public: { address: '127.0.0.1:0' } }
upstreams: { app: { targets: ['ws://127.0.0.1:9'] } }
routes:
  chat:
    path: /ws
    upstream: app
    session: { dangerouslyAnonymous: true }
    handshake: { origin: { allow: ['http://localhost:8080'] } }
    message: { schema: { dangerouslyAcceptAnyMessage: true } }
`,
  { file: 'gateway.yaml', env: {} },
)
const log = { info() {}, warn() {}, error() {} }
const shared = {
  store: createMemoryStore(),
  ticketSecret: 'q8Zr4Tn1Vc8Mf5Jd3Hs6Lp0GyEb7Qw2X',
  hashKey: 'b7Qw2Zr9Xk4Tn1Vc8Mf5Jd3Hs6Lp0GyE',
  logOf: () => log,
  reported() {},
}
const parts = { config, guardOf: createGuardOf(shared), log }

const PARTS: readonly (readonly [name: string, parts: unknown, message: RegExp])[] = [
  ['nothing', undefined, /: the options are nothing, not an object; write createGateway\(\{ config, guardOf, log \}\)/],
  ['null', null, /: the options are null/],
  ['parts that are still to come', Promise.resolve(parts), /await it first/],
  ['a misspelt part', { ...parts, confg: config }, /unknown option 'confg'; did you mean config\?/],
  ['a logger by its usual name', { ...parts, logger: log }, /unknown option 'logger'; write log: pino\(\)/],
  ['no configuration', { ...parts, config: undefined }, /config is nothing, .* write parseConfig\(text, \{ file \}\)/],
  ['its text', { ...parts, config: 'routes: {}' }, /config is a string/],
  [
    'a configuration as the file has it',
    { ...parts, config: { routes: {} } },
    /config is an object, not a configuration/,
  ],
  ['a configuration that is still to come', { ...parts, config: Promise.resolve(config) }, /config is a Promise/],
  [
    'no way to a guard',
    { ...parts, guardOf: undefined },
    /guardOf is nothing, not a function; write guardOf: createGuardOf/,
  ],
  ['a guard that is no guard', { ...parts, guardOf: () => ({}) }, /guardOf answers an object for the route chat/],
  ['a guard that is nothing', { ...parts, guardOf: () => undefined }, /guardOf answers nothing for the route chat/],
  [
    'a guard that is still to come',
    { ...parts, guardOf: async () => ({}) },
    /guardOf answers a Promise for the route chat; .*at once/,
  ],
  ['no log', { ...parts, log: undefined }, /log is nothing, which lacks info, warn, error; write log: pino\(\)/],
  ['a log that lacks a method', { ...parts, log: { info() {}, warn() {} } }, /log is an object, which lacks error/],
  ['a function as log', { ...parts, log: console.log }, /log is a function/],
]

for (const [name, given, message] of PARTS) {
  test(`createGateway: ${name} is an error at start`, () => {
    assert.throws(
      () => createGateway(given as never),
      (error: unknown) =>
        error instanceof TypeError && error.message.startsWith('createGateway: ') && message.test(error.message),
    )
  })
}

const SHARED: readonly (readonly [name: string, parts: unknown, message: RegExp])[] = [
  ['nothing', undefined, /: the options are nothing, .*write createGuardOf\(\{ store, ticketSecret, hashKey, logOf/],
  ['a misspelt part', { ...shared, stores: shared.store }, /unknown option 'stores'; did you mean store\?/],
  ['no store', { ...shared, store: undefined }, /store is nothing; write store: createMemoryStore\(\)/],
  ['a store that is still to come', { ...shared, store: Promise.resolve() }, /store is a Promise/],
  ['no secret', { ...shared, ticketSecret: undefined }, /ticketSecret is nothing; give the output of `openssl/],
  ['a key as bytes', { ...shared, hashKey: Buffer.alloc(32) }, /hashKey is bytes; give/],
  ['a log where a way to one is meant', { ...shared, logOf: log }, /logOf is an object; write logOf: route =>/],
  ['no listener for report mode', { ...shared, reported: undefined }, /reported is nothing; write reported/],
]

for (const [name, given, message] of SHARED) {
  test(`createGuardOf: ${name} is an error before a route is made`, () => {
    assert.throws(() => createGuardOf(given as never), { name: 'TypeError', message })
  })
}

test('what is called of a gateway by mistake changes nothing', async () => {
  const gateway = createGateway(parts)
  await gateway.listen()
  try {
    for (const given of [undefined, null, 'gateway.yaml', { routes: [] }, Promise.resolve(config)]) {
      await assert.rejects(gateway.replace(given as never), {
        name: 'TypeError',
        message: /^gateway\.replace: config is /,
      })
    }
    for (const within of [null, '5000', -1, Number.NaN, { withinMs: 5 }, 24 * 86_400_000 + 1]) {
      await assert.rejects(gateway.drain(within as never), {
        name: 'TypeError',
        message: /^gateway\.drain: withinMs is /,
      })
      await assert.rejects(gateway.close(within as never), {
        name: 'TypeError',
        message: /^gateway\.close: withinMs is /,
      })
    }
    const answer = await fetch(`http://127.0.0.1:${gateway.ports.get('public')}/`)
    assert.equal(answer.status, 404, 'it still listens')
  } finally {
    await gateway.close(0)
  }
})
