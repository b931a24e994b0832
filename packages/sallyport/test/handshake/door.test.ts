import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Admittance } from '../../src/guard/admission.ts'
import { type Core, createCore } from '../../src/guard/core.ts'
import { createObserver } from '../../src/guard/observer.ts'
import type { CountersSnapshot } from '../../src/event/counts.ts'
import type { ControlId } from '../../src/model/verdict.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/model/store.ts'
import { type Asked, policyOf, requestOf } from './door-fixtures.ts'
import { systemRuntime } from '../../src/model/system-runtime.ts'

const session = (): object => ({ id: 'ann-1', user: 'ann' })
const OPEN = { session, ticket: { dangerouslyWithoutTicket: true } }
const none = { attempts: 1, per: '1 minute' }

interface Door {
  readonly core: Core
  counters(): CountersSnapshot
}

function doorOf(handshake: object, rest: object = {}): Door {
  const policy = policyOf({ ...OPEN, ...handshake }, rest)
  const observer = createObserver(policy, systemRuntime)
  return { core: createCore(policy, systemRuntime, observer), counters: () => observer.events.counters.snapshot() }
}

const codeOf = (answer: Admittance): string => (answer.pass ? 'pass' : answer.denial.code)

/** What is denied by each control, with what comes before it in its way. */
const rows: readonly [id: ControlId, handshake: object, asked: Asked, code: string, status: number][] = [
  ['handshake/transport', {}, { secure: false }, 'SALLY_TRANSPORT_INSECURE', 426],
  ['handshake/request', {}, { headers: { 'Sec-WebSocket-Version': '8' } }, 'SALLY_REQUEST_VERSION', 426],
  ['handshake/host', {}, { headers: { Host: 'evil.example' } }, 'SALLY_HOST_NOT_SERVED', 421],
  ['handshake/origin', {}, { headers: { Origin: 'https://evil.example' } }, 'SALLY_ORIGIN_NOT_ALLOWED', 403],
  ['handshake/fetch-metadata', {}, { headers: { 'Sec-Fetch-Site': 'none' } }, 'SALLY_FETCH_METADATA', 403],
  ['handshake/subprotocol', {}, { headers: { 'Sec-WebSocket-Protocol': 'soap' } }, 'SALLY_SUBPROTOCOL_NOT_SERVED', 400],
  ['handshake/session', { session: () => null }, {}, 'SALLY_SESSION_MISSING', 401],
  ['handshake/ticket', { ticket: {} }, {}, 'SALLY_TICKET_MISSING', 403],
  ['handshake/authorize', { authorize: () => false }, {}, 'SALLY_HANDSHAKE_FORBIDDEN', 403],
]
for (const [id, handshake, asked, code, status] of rows) {
  test(`${id}: enforced it refuses with ${status}; in report mode it tells and lets in`, async () => {
    const strict = doorOf(handshake)
    const refused = await strict.core.admit(requestOf(asked))
    assert.equal(codeOf(refused), code)
    assert.ok(!refused.pass && refused.status === status && refused.body === `{"code":"${code}"}`)
    const lenient = doorOf(handshake, { report: [id] })
    assert.equal(codeOf(await lenient.core.admit(requestOf(asked))), 'pass')
    for (const [door, enforced] of [
      [strict, true],
      [lenient, false],
    ] as const) {
      assert.deepEqual(door.counters().denials, [{ control: id, code, route: 'other', enforced, count: 1 }])
    }
  })
}

for (const [id, handshake, code] of [
  ['handshake/rate', { rate: { perIp: none } }, 'SALLY_HANDSHAKE_RATE'],
  ['handshake/connections', { connections: { perIp: 1 } }, 'SALLY_CONNECTIONS_IP'],
  ['handshake/connections', { connections: { perUser: 1 } }, 'SALLY_CONNECTIONS_USER'],
] as const) {
  test(`${id}: the second of one is ${code}; in report mode it is let in`, async () => {
    const strict = doorOf(handshake)
    const lenient = doorOf(handshake, { report: [id] })
    assert.equal(codeOf(await strict.core.admit(requestOf())), 'pass')
    const second = await strict.core.admit(requestOf())
    assert.equal(codeOf(second), code)
    assert.ok(!second.pass && second.status === 429 && Number(second.headers['Retry-After']) >= 1)
    for (let index = 0; index < 3; index++) assert.equal(codeOf(await lenient.core.admit(requestOf())), 'pass')
  })
}

test('a foreign page costs nothing shared: no budget, no lease, no session look-up', async () => {
  const called: string[] = []
  const store: Store = new Proxy(createMemoryStore(), {
    get(target, name, receiver) {
      if (name !== 'onRevoked') called.push(String(name))
      return Reflect.get(target, name, receiver) as unknown
    },
  })
  const { core } = doorOf({ session: () => called.push('session') }, { store })
  // The policy's parser has looked whether the store has its methods.
  called.length = 0
  for (const headers of [
    { Origin: 'https://evil.example' },
    { Origin: null },
    { Host: 'evil.example' },
    { Upgrade: 'h2c' },
  ]) {
    await core.admit(requestOf({ headers }))
  }
  assert.deepEqual(called, [])
})

test('bytes before the answer are refused before anything is asked', async () => {
  const { core } = doorOf({})
  assert.equal(codeOf(await core.admit(requestOf(), true)), 'SALLY_REQUEST_MALFORMED')
})

const failing: readonly [name: string, session: () => unknown, code: string][] = [
  [
    'throws',
    () => {
      throw new Error('S3cret')
    },
    'SALLY_SESSION_UNAVAILABLE',
  ],
  [
    'rejects',
    async () => {
      throw new Error('S3cret')
    },
    'SALLY_SESSION_UNAVAILABLE',
  ],
  ['never answers', () => new Promise(() => {}), 'SALLY_CONTROL_TIMEOUT'],
]
for (const [name, look, code] of failing) {
  test(`a resolver that ${name} is 503, never anonymous, and its places are given back`, async () => {
    const { core } = doorOf({ session: look, connections: { total: 1 } }, { timeout: 20 })
    for (let index = 0; index < 3; index++) {
      const answer = await core.admit(requestOf())
      assert.equal(codeOf(answer), code)
      assert.ok(!answer.pass && answer.status === 503 && !JSON.stringify(answer).includes('S3cret'))
    }
  })
}

for (const method of ['take', 'lease', 'revokedAt'] as const) {
  for (const [how, fail] of [
    [
      'throws',
      () => {
        throw new Error('S3cret')
      },
    ],
    [
      'rejects',
      async () => {
        throw new Error('S3cret')
      },
    ],
    ['never answers', () => new Promise(() => {})],
  ] as [string, () => never][]) {
    test(`a store whose ${method} ${how} denies with 503`, async () => {
      const { core } = doorOf({}, { timeout: 20, store: { ...createMemoryStore(), [method]: fail } })
      const answer = await core.admit(requestOf())
      assert.ok(!answer.pass && answer.status === 503 && !JSON.stringify(answer).includes('S3cret'))
    })
  }
}

test('a handshake whose session is looked up while the server begins to drain is refused, and holds nothing', async () => {
  const look = Promise.withResolvers<object>()
  const { core } = doorOf({ session: () => look.promise, connections: { total: 1 } })
  const pending = core.admit(requestOf())
  await core.drain(0)
  look.resolve(session())
  const answer = await pending
  assert.equal(codeOf(answer), 'SALLY_SHUTDOWN')
  assert.ok(!answer.pass && answer.status === 503)
  assert.equal(await core.context.store.lease('connections:all', 'probe', 1, 1000), true)
  assert.equal(codeOf(await core.admit(requestOf())), 'SALLY_SHUTDOWN')
})

test('off: every control that may be turned off lets its denial pass, and shows among the weakened', async () => {
  const off = { dangerouslyOff: true }
  const policy = {
    transport: off,
    host: off,
    origin: { dangerouslyAllowAnyOrigin: true },
    'fetch-metadata': off,
    subprotocol: off,
    rate: off,
    connections: off,
    session: { dangerouslyAnonymous: true },
  }
  const { core, counters } = doorOf(policy)
  const headers = {
    Host: 'evil.example',
    Origin: 'https://evil.example',
    'Sec-Fetch-Site': 'none',
    'Sec-WebSocket-Protocol': 'soap',
  }
  assert.equal(codeOf(await core.admit(requestOf({ secure: false, headers }))), 'pass')
  assert.deepEqual(counters().denials, [])
  const weakened = new Set(core.policy.weakened.map(({ control }) => control))
  for (const key of Object.keys(policy)) assert.ok(weakened.has(`handshake/${key}`), key)
})
