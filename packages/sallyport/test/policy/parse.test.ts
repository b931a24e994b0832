import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runInNewContext } from 'node:vm'
import { parsePolicy } from '../../src/policy/parse.ts'
import { PolicyError } from '../../src/shape/problem.ts'
import type { Policy } from '../../src/policy/types.ts'
import { policyWith, SECRET } from './honest-policy.ts'
import { problemsOf } from './problems-of.ts'

const SCHEMA = { type: 'object' }

test('all mistakes are told at once, aligned, each with its remedy', () => {
  const input = {
    orign: true,
    handshake: { origin: { allow: ['*', 'https://app.company.com/'] }, ticket: { secret: 'hunter2' } },
    message: { rate: { messages: '100' }, schema: { chat: SCHEMA } },
    lifetime: { idle: { after: '5000' } },
  }
  assert.throws(
    () => parsePolicy(input),
    (error: unknown) => {
      assert.ok(error instanceof PolicyError)
      assert.equal(error.code, 'SALLY_POLICY_INVALID')
      assert.equal(error.name, 'PolicyError')
      const paths = error.problems.map(problem => problem.path)
      assert.deepEqual(paths.toSorted(), [
        'handshake.origin.allow[0]',
        'handshake.origin.allow[1]',
        'handshake.session',
        'handshake.ticket.secret',
        'lifetime.idle.after',
        'message.rate.messages',
        'orign',
      ])
      const lines = error.message.split('\n').slice(1)
      for (const { path, remedy } of error.problems) {
        const at = lines.findIndex(line => line.startsWith(`  ${path} `))
        assert.ok(at >= 0, path)
        assert.ok(lines[at + 1]!.endsWith(`→ ${remedy}`), path)
      }
      assert.equal(new Set(lines.filter(line => line.includes('→')).map(line => line.indexOf('→'))).size, 1)
      assert.ok(!error.message.includes('hunter2'))
      assert.ok(Object.isFrozen(error.problems) && error.problems.every(problem => Object.isFrozen(problem)))
      return true
    },
  )
})

test('a hundred problems are spelt out, a hundred and first is counted', () => {
  const allow = Array.from({ length: 101 }, () => '*')
  assert.throws(
    () => parsePolicy(policyWith({ 'handshake.origin': { allow } })),
    (error: PolicyError) => {
      assert.equal(error.problems.length, 101)
      assert.match(error.message, /101 problems[\s\S]*… and 1 more$/)
      return true
    },
  )
})

for (const [name, input] of [
  ['nothing', undefined],
  ['null', null],
  ['text', 'policy'],
  ['a list', []],
  ['a function', () => {}],
  ['an empty object', {}],
] as const) {
  test(`no policy: ${name}`, () => assert.ok(problemsOf(input).length > 0))
}

test('what must be decided is asked for, all three', () => {
  assert.deepEqual(
    problemsOf({}).map(problem => problem.path),
    ['handshake.origin', 'handshake.session', 'message.schema'],
  )
})

test('a polluted prototype weakens nothing', () => {
  const polluted = Object.prototype as Record<string, unknown>
  try {
    polluted['dangerouslyOff'] = true
    polluted['dangerouslyAllowAnyOrigin'] = true
    polluted['report'] = true
    const policy = parsePolicy(policyWith())
    assert.deepEqual(policy.weakened, [])
    assert.notEqual(policy.report, 'all')
    assert.ok(policy.handshake.transport !== null && policy.handshake.origin !== null && policy.lifetime.idle !== null)
  } finally {
    delete polluted['dangerouslyOff']
    delete polluted['dangerouslyAllowAnyOrigin']
    delete polluted['report']
  }
})

test('inherited keys decide nothing, and are not ignored in silence', () => {
  const origin: unknown = Object.create({ allow: ['https://evil.example'], dangerouslyAllowAnyOrigin: true })
  assert.deepEqual(
    problemsOf(policyWith({ 'handshake.origin': origin })).map(problem => problem.path),
    ['handshake.origin', 'handshake.origin.allow'],
  )
})

test('what every object inherits is no problem, in this realm or another', () => {
  Reflect.set(Object.prototype, 'messages', 1)
  try {
    for (const rate of [{}, { burst: 5 }, Object.create(null), runInNewContext('({})')])
      assert.deepEqual(problemsOf(policyWith({ 'message.rate': rate })), [])
  } finally {
    Reflect.deleteProperty(Object.prototype, 'messages')
  }
})

const thrower = (): never => {
  throw new Error('hunter2')
}
const revoked = (target: object): object => {
  const { proxy, revoke } = Proxy.revocable(target, {})
  revoke()
  return proxy
}
const traps = {
  ownKeys: thrower,
  get: thrower,
  getPrototypeOf: thrower,
  has: thrower,
  getOwnPropertyDescriptor: thrower,
}
const HOSTILE: readonly (readonly [string, unknown])[] = [
  ['a getter that throws', Object.defineProperty({}, 'allow', { get: thrower, enumerable: true })],
  ['a Proxy whose every trap throws', new Proxy({}, traps)],
  ['a Proxy over a list', new Proxy([], traps)],
  ['a revoked Proxy', revoked({})],
  ['a revoked Proxy of a list', revoked([])],
  ['a revoked Proxy of a function', revoked(() => {})],
  ['an object that cannot be turned into text', { toString: thrower, [Symbol.toPrimitive]: thrower }],
  ['a symbol', Symbol('hunter2')],
  ['a bigint', 10n ** 400n],
  ['an object of 5 000 keys', Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`k${index}`, 1]))],
  ['a list of a million', Array.from({ length: 1_000_000 })],
  ['a list with a hole', Array(3)],
  ['a key named by a symbol', { [Symbol('hunter2')]: 1 }],
]
const PLACES = [
  'name',
  'proxy',
  'report',
  'timeout',
  'store',
  'events',
  'handshake',
  'message',
  'lifetime',
  'handshake.origin',
  'handshake.session',
  'handshake.ticket',
  'handshake.host',
  'handshake.rate',
  'handshake.extensions',
  'message.schema',
  'message.rate',
  'message.outbound',
  'message.discriminator',
  'lifetime.idle',
]
const NESTED = [
  'handshake.origin allow',
  'handshake.ticket secret',
  'handshake.ticket paths',
  'handshake.extensions deflate',
  'handshake.subprotocol serve',
  'message.schema chat',
  'message.rate cost',
  'message.rate perUser',
  'message.format dangerouslyAllowKeys',
  'events log',
  'proxy trust',
  'lifetime.idle after',
]

for (const [name, value] of HOSTILE) {
  test(`hostile value: ${name} is a problem wherever it stands`, () => {
    // A callable Proxy passes for a function; that its marks cannot be read is told.
    for (const place of PLACES)
      assert.ok(problemsOf(policyWith({ [place]: value })).length > 0 || place === 'report', place)
    for (const nested of NESTED) {
      const [place = '', key = ''] = nested.split(' ')
      const found = problemsOf(policyWith({ [place]: { [key]: value } }))
      assert.ok(found.length > 0, nested)
      assert.ok(!JSON.stringify(found).includes('hunter2'), nested)
    }
  })
}

test('a getter is asked once', () => {
  let asked = 0
  const origin = {
    get allow() {
      return asked++ === 0 ? ['https://app.company.com'] : ['*']
    },
  }
  assert.deepEqual(parsePolicy(policyWith({ 'handshake.origin': origin })).handshake.origin?.allow, [
    'https://app.company.com',
  ])
  assert.equal(asked, 1)
})

/** Everything of the policy but what the app brought. */
function assertFrozen(value: unknown, path: string, brought: ReadonlySet<unknown>): void {
  if (typeof value !== 'object' || value === null || brought.has(value)) return
  assert.ok(Object.isFrozen(value), `${path} is not frozen`)
  for (const [key, entry] of Object.entries(value)) assertFrozen(entry, `${path}.${key}`, brought)
}

const log = { info() {}, warn() {}, error() {} }
const store = { take() {}, once() {}, lease() {}, release() {}, revoke() {}, revokedAt() {}, onRevoked() {} }
const full = (): unknown =>
  policyWith({
    proxy: { trust: ['10.0.0.0/8', '::1'], header: 'forwarded' },
    report: ['message/rate'],
    store,
    events: { log, hashKey: SECRET, window: '1 s' },
    lifetime: { heartbeat: { interval: '10 s' } },
    'handshake.ticket': { secret: [SECRET, SECRET.toLowerCase()], paths: ['/ws'], carrier: 'first-message' },
    'handshake.extensions': { deflate: true },
    'handshake.rate': { perIp: { attempts: 5, per: '1 s' } },
    'message.schema': { chat: SCHEMA },
    'message.outbound': { said: SCHEMA },
    'message.rate': { cost: { chat: 2 }, perUser: { messages: 50, per: '1 s', burst: 60 } },
    'message.format': { dangerouslyAllowKeys: ['constructor'] },
  })

test('the policy is frozen to its last list; what the app brought is left alone', () => {
  const policy = parsePolicy(full())
  assertFrozen(policy, 'policy', new Set([log, store, SCHEMA]))
  for (const brought of [log, store, SCHEMA]) assert.ok(!Object.isFrozen(brought))
  assert.throws(() => (policy.report as Set<string>).add('handshake/origin'), TypeError)
  assert.equal(policy.store, store)
  assert.equal(policy.events.log, log)
  assert.equal(policy.message.schema?.types['chat'], SCHEMA)
})

test('the policy does not change with what it was made from', () => {
  const allow = ['https://app.company.com']
  const policy = parsePolicy(policyWith({ 'handshake.origin': { allow } }))
  allow.push('https://evil.example')
  assert.deepEqual(policy.handshake.origin?.allow, ['https://app.company.com'])
})

type Derived = readonly [
  name: string,
  changes: Record<string, unknown>,
  read: (policy: Policy) => unknown,
  expected: unknown,
]
const page = Object.assign(() => null, { ambient: false })
const anonymous = { dangerouslyAnonymous: true }
const budget = (amount: number, perMs = 60_000, burst = amount): object => ({ amount, perMs, burst })
const anyOrigin = { dangerouslyAllowAnyOrigin: true }

// biome-ignore format: a table is read by its rows
const DERIVED: readonly Derived[] = [
  ['a plain resolver is ambient: ticket on', {}, p => p.handshake.ticket, { secrets: null, ttlMs: 30_000, carrier: 'subprotocol', parameter: 'ticket', paths: null, csrf: null }],
  ['a credential that the page adds needs no ticket', { 'handshake.session': page }, p => p.handshake.ticket, null],
  ['a ticket that is asked for is on', { 'handshake.session': page, 'handshake.ticket': {} }, p => p.handshake.ticket?.carrier, 'subprotocol'],
  ['anonymous needs no ticket', { 'handshake.session': anonymous }, p => [p.handshake.session, p.handshake.ticket], [null, null]],
  ['anonymous, a ticket asked for: bound to the address', { 'handshake.session': anonymous, 'handshake.ticket': {} }, p => p.handshake.ticket?.carrier, 'subprotocol'],
  ['anonymous is noted', { 'handshake.session': anonymous }, p => p.weakened, [{ path: 'handshake.session.dangerouslyAnonymous', control: 'handshake/session' }]],
  ['without ticket, by name', { 'handshake.ticket': { dangerouslyWithoutTicket: true } }, p => [p.handshake.ticket, p.weakened], [null, [{ path: 'handshake.ticket.dangerouslyWithoutTicket', control: 'handshake/ticket' }]]],
  ['without ticket where none is needed weakens nothing', { 'handshake.session': page, 'handshake.ticket': { dangerouslyWithoutTicket: true } }, p => [p.handshake.ticket, p.weakened], [null, []]],
  ['without ticket where nobody has a session weakens no ticket', { 'handshake.session': anonymous, 'handshake.ticket': { dangerouslyWithoutTicket: true } }, p => [p.handshake.ticket, p.weakened.map(w => w.control)], [null, ['handshake/session']]],
  ['a danger that is false weakens nothing', { 'handshake.transport': { dangerouslyOff: false, dangerouslyAllowPlaintext: false } }, p => [p.handshake.transport, p.weakened], [{}, []]],
  ['the first message has a deadline only in its mode', {}, p => p.lifetime.authentication, null],
  ['… and there it has', { 'handshake.ticket': { carrier: 'first-message' } }, p => p.lifetime.authentication, { deadlineMs: 5000 }],
  ['… unless the ticket is off', { 'handshake.ticket': { carrier: 'first-message', dangerouslyWithoutTicket: true } }, p => p.lifetime.authentication, null],
  ['auth is a type like any other without it', { 'message.schema': { auth: SCHEMA } }, p => Object.keys(p.message.schema!.types), ['auth']],
  ['hosts: of the origins without port, and those allowed', { 'handshake.origin': { allow: ['https://a.example:8443', 'http://localhost:3000', 'https://[2001:db8::1]'] }, 'handshake.host': { allow: ['API.example:8443', '[::1]:80'] } }, p => p.handshake.host?.names, ['a.example', 'localhost', '[2001:db8::1]', 'api.example:8443', '[::1]:80']],
  ['any origin: no host is known, no metadata compared', { 'handshake.origin': anyOrigin }, p => [p.handshake.origin, p.handshake.host, p.handshake['fetch-metadata'], p.weakened.map(w => w.control)], [null, null, null, ['handshake/origin', 'handshake/host', 'handshake/fetch-metadata']]],
  ['any origin beside hosts: those are served', { 'handshake.origin': anyOrigin, 'handshake.host': { allow: ['a.example'] } }, p => p.handshake.host, { names: ['a.example'] }],
  ['the metadata is compared where origins are known', {}, p => p.handshake['fetch-metadata'], {}],
  ['missing origins, by name', { 'handshake.origin': { allow: ['https://a.example'], dangerouslyAllowMissing: true } }, p => [p.handshake.origin?.allowMissing, p.weakened.length], [true, 1]],
  ['deflate is off as false', { 'handshake.extensions': { deflate: false } }, p => p.handshake.extensions, null],
  ['deflate in part', { 'handshake.extensions': { deflate: { windowBits: 9, threshold: '2 KiB' } } }, p => p.handshake.extensions, { threshold: 2048, windowBits: 9 }],
  ['a burst is the amount unless said', { 'handshake.rate': { perIp: { attempts: 7, per: '10 s' } } }, p => p.handshake.rate?.perIp, budget(7, 10_000)],
  ['shared budgets follow the connection caps', { 'message.rate': { messages: 5, per: '1 s', burst: 6 }, 'handshake.connections': { perUser: 2, perIp: 3 } }, p => [p.message.rate?.perUser, p.message.rate?.perIp], [budget(10, 1000, 12), budget(15, 1000, 18)]],
  ['shared budgets without caps follow the default ones', { 'handshake.connections': { dangerouslyOff: true } }, p => p.message.rate?.perUser, budget(3000)],
  ['bytes per what the messages are per', { 'message.rate': { per: '1 s', bytes: '128 KiB' } }, p => p.message.rate?.bytes, budget(131_072, 1000)],
  ['bytes unsaid are per minute whatever the messages are', { 'message.rate': { per: '1 s', messages: 5 } }, p => p.message.rate?.bytes, budget(4 * 1024 ** 2)],
  ['the byte budget lets the largest message pass', { 'message.size': { bytes: '16 MiB' } }, p => p.message.rate?.bytes, budget(16 * 1024 ** 2)],
  ['a budget of exactly the largest message', { 'message.rate': { bytes: '64 KiB' } }, p => p.message.rate?.bytes.burst, 65_536],
  ['a cost of exactly the budget', { 'message.rate': { messages: 5, cost: { chat: 5 } } }, p => ({ ...p.message.rate?.cost }), { chat: 5 }],
  ['strangers get no more than sessions', { 'message.size': { bytes: '1 KiB' } }, p => p.message.size.unauthenticatedBytes, 1024],
  ['a stranger gets exactly as much', { 'handshake.ticket': { carrier: 'first-message' }, 'message.size': { bytes: 100, unauthenticatedBytes: 100 } }, p => p.message.size.unauthenticatedBytes, 100],
  ['a short interval shortens the time-out', { lifetime: { heartbeat: { interval: '4 s' } } }, p => p.lifetime.heartbeat, { intervalMs: 4000, timeoutMs: 4000 }],
  ['no grace at all', { lifetime: { session: { grace: 0 } } }, p => p.lifetime.session, { recheckMs: 60_000, graceMs: 0, rememberMs: 30 * 86_400_000 }],
  ['a longer re-check lengthens the grace', { lifetime: { session: { recheck: '30 minutes' } } }, p => p.lifetime.session?.graceMs, 3_600_000],
  ['a grace that is written stands', { lifetime: { session: { recheck: '30 minutes', grace: '1 minute' } } }, p => p.lifetime.session?.graceMs, 60_000],
  ['revocations are remembered longer than a timer can wait', { lifetime: { session: { remember: '365 days' } } }, p => p.lifetime.session?.rememberMs, 365 * 86_400_000],
  ['any message, by name', { 'message.schema': { dangerouslyAcceptAnyMessage: true }, 'message.format': { data: 'any' } }, p => [p.message.schema, p.message.format?.data, p.weakened.map(w => w.control)], [null, 'any', ['message/schema']]],
  ['keys by name', { 'message.format': { dangerouslyAllowKeys: ['constructor'] } }, p => p.weakened, [{ path: 'message.format.dangerouslyAllowKeys', control: 'message/format' }]],
  ['no keys by name weaken nothing', { 'message.format': { dangerouslyAllowKeys: [] } }, p => p.weakened, []],
  ['report everything', { report: true }, p => p.report, 'all'],
  ['report nothing', { report: false }, p => Array.from(p.report), []],
  ['report some', { report: ['message/rate', 'handshake/origin', 'message/rate'] }, p => Array.from(p.report), ['message/rate', 'handshake/origin']],
  ['another discriminator', { 'message.discriminator': 'action' }, p => [p.message.discriminator, p.message.schema?.discriminator], ['action', 'action']],
  ['the secret before this one is unset', { 'handshake.ticket': { secret: [SECRET, undefined] } }, p => p.handshake.ticket?.secrets, [SECRET]],
  ['a variable that is unset is unsaid', { 'handshake.ticket': { secret: undefined } }, p => p.handshake.ticket?.secrets, null],
  ['the narrowest ranges that are too wide are refused, these not', { proxy: { trust: ['10.0.0.0/8', 'fc00::/7', '::ffff:10.0.0.0/104', '192.0.2.1'] } }, p => p.proxy.trust.length, 4],
  ['trust in whoever comes by a unix socket', { proxy: { trust: ['unix:'] } }, p => p.proxy.trust, ['unix:']],
]
for (const [name, changes, read, expected] of DERIVED) {
  test(`derived: ${name}`, () => assert.deepEqual(read(parsePolicy(policyWith(changes))), expected))
}

const OFF = [
  'handshake/transport',
  'handshake/host',
  'handshake/fetch-metadata',
  'handshake/subprotocol',
  'handshake/rate',
  'handshake/connections',
  'message/rate',
  'lifetime/heartbeat',
  'lifetime/idle',
  'lifetime/age',
  'lifetime/session',
] as const
for (const id of OFF) {
  test(`dangerouslyOff turns ${id} off, and is noted`, () => {
    const [door, key] = id.split('/') as ['handshake', 'host']
    const policy = parsePolicy(policyWith({ [`${door}.${key}`]: { dangerouslyOff: true } }))
    assert.equal(policy[door][key], null)
    assert.deepEqual(policy.weakened, [{ path: `${door}.${key}.dangerouslyOff`, control: id }])
  })
}

for (const [name, problems] of [
  ['nothing', undefined],
  ['a text', 'broken'],
  ['an empty list', []],
] as const) {
  test(`a PolicyError of ${name} tells what it lacks`, () => {
    assert.throws(() => new PolicyError(problems as never), {
      name: 'TypeError',
      message: /not a list of what is wrong/,
    })
  })
}
