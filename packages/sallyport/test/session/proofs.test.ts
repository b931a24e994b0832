import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createControlContext } from '../../src/guard/control-context.ts'
import type { HandshakeRequest } from '../../src/model/handshake-request.ts'
import { parsePolicy } from '../../src/policy/parse.ts'
import type { Policy } from '../../src/policy/types.ts'
import { PROOF_MS, type Proofs } from '../../src/session/proofs.ts'
import { signedCookie } from '../../src/session/signed-cookie.ts'
import { createMemoryStore, type MemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/model/store.ts'
import { createTickets } from '../../src/ticket/token.ts'
import { policyWith } from '../policy/honest-policy.ts'
import { handshake } from './handshakes.ts'
import { systemRuntime } from '../../src/model/system-runtime.ts'
import { runtimeAt } from '../support/runtime.ts'

const ANN = { id: 's1', user: 'ann' }

function scene(session: unknown = () => null, given: { shared?: Store; ticket?: object } = {}) {
  let at = 1_700_000_000_000
  const now = (): number => at
  const store = given.shared ?? createMemoryStore({ now })
  const policy: Policy = parsePolicy({
    ...policyWith({ 'handshake.session': session, ...(given.ticket && { 'handshake.ticket': given.ticket }) }),
    ...(given.shared && { store: given.shared }),
  })
  const { proofs } = createControlContext(
    policy,
    { store, tickets: createTickets(null, { store, now }, systemRuntime) },
    runtimeAt(now),
  )
  return { proofs, store, pass: (ms: number) => void (at += ms) }
}

const userOf = async (proofs: Proofs, request: HandshakeRequest): Promise<string | null> => {
  const credential = proofs.credentialOf(request)
  return credential === null ? null : ((await proofs.recall(credential))?.user ?? null)
}
const accept = (proofs: Proofs, request: HandshakeRequest, session: object = ANN): void =>
  proofs.accept(proofs.credentialOf(request)!, session as typeof ANN)
const withCookie = (cookie: string): HandshakeRequest => handshake('/ws', { cookie })

test('a credential that was accepted is proven, for 15 minutes and no longer', async () => {
  const { proofs, pass } = scene()
  assert.equal(await userOf(proofs, withCookie('sid=1')), null)
  accept(proofs, withCookie('sid=1'))
  pass(PROOF_MS - 1)
  assert.equal(await userOf(proofs, withCookie('sid=1')), 'ann')
  pass(1)
  assert.equal(await userOf(proofs, withCookie('sid=1')), null)
})

test('no longer than its session, and each acceptance begins again', async () => {
  const { proofs, pass } = scene()
  accept(proofs, withCookie('sid=1'), { ...ANN, expiresAt: 1_700_000_060_000 })
  pass(60_000)
  assert.equal(await userOf(proofs, withCookie('sid=1')), null)
  accept(proofs, withCookie('sid=2'))
  pass(PROOF_MS - 1000)
  accept(proofs, withCookie('sid=2'))
  pass(PROOF_MS - 1000)
  assert.equal(await userOf(proofs, withCookie('sid=2')), 'ann')
})

test('it is forgotten at a revocation of its session, its user or everybody, and when it is refused', async () => {
  for (const target of [{ session: 's1' }, { user: 'ann' }, 'all'] as const) {
    const { proofs, store, pass } = scene()
    accept(proofs, withCookie('sid=1'))
    await store.revoke({ user: 'bob' }, 60_000)
    assert.equal(await userOf(proofs, withCookie('sid=1')), 'ann')
    await store.revoke(target, 60_000)
    assert.equal(await userOf(proofs, withCookie('sid=1')), null)
    pass(70_000)
    assert.equal(await userOf(proofs, withCookie('sid=1')), null, 'and stays so once the mark is over')
  }
  const { proofs } = scene()
  accept(proofs, withCookie('sid=1'))
  proofs.forget(proofs.credentialOf(withCookie('sid=1'))!)
  assert.equal(await userOf(proofs, withCookie('sid=1')), null)
})

test('a cookie more makes it another credential where the resolver does not say what it reads; where it does, it is the same', async () => {
  const plain = scene().proofs
  accept(plain, withCookie('sid=1; _ga=7'))
  assert.equal(await userOf(plain, withCookie('sid=1; _ga=8')), null)
  const named = scene(signedCookie({ name: 'sid', secret: 'a secret of 32 bytes, or more...', load: () => ANN })).proofs
  accept(named, withCookie('sid=1; _ga=7'))
  assert.equal(await userOf(named, withCookie('_ga=8; sid=1')), 'ann')
  assert.equal(await userOf(named, withCookie('sid=2; _ga=7')), null)
})

const shown: readonly [name: string, target: string, headers: Record<string, string>, shows: boolean][] = [
  ['nothing', '/ws', { 'user-agent': 'Firefox', 'sec-websocket-key': 'x', 'sec-fetch-site': 'same-origin' }, false],
  ['a cookie', '/ws', { cookie: 'sid=1' }, true],
  ['a bearer token', '/ws', { authorization: 'Bearer x' }, true],
  ['an API key', '/ws', { 'X-Api-Key': 'x' }, true],
  ['an identity that a proxy adds', '/ws', { 'X-Forwarded-User': 'ann' }, true],
  ['a principal that a proxy adds', '/ws', { 'X-MS-Client-Principal': 'ann' }, true],
  ['an e-mail address that a proxy adds', '/ws', { 'X-Forwarded-Email': 'ann@example.com' }, true],
  ['a language and a trace', '/ws', { 'Accept-Language': 'de', traceparent: '00-1-2-01' }, false],
  ['a token in the query', '/ws?access_token=x', {}, true],
  ['a room in the query', '/ws?room=x', {}, false],
  ['a token among the subprotocols', '/ws', { 'sec-websocket-protocol': 'sallyport.v1, bearer.x' }, true],
  ['a ticket and a served subprotocol', '/ws', { 'sec-websocket-protocol': 'sallyport.v1, sallyport.ticket.x' }, false],
  ['empty headers', '/ws', { cookie: '', authorization: '' }, false],
]
for (const [name, target, headers, shows] of shown) {
  test(`a request that shows ${name} ${shows ? 'shows a credential' : 'is bare'}`, () => {
    const credential = scene().proofs.credentialOf(handshake(target, headers))
    assert.equal(credential !== null, shows)
  })
}

for (const [name, reads, target, headers] of [
  ['another cookie', [{ cookie: 'sid' }], '/ws', { cookie: 'other=1' }],
  ['another header', [{ header: 'X-Token' }], '/ws', { authorization: 'x' }],
  ['another parameter', [{ query: 'token' }], '/ws?other=1', {}],
] as const) {
  test(`a resolver that says what it reads: ${name} is no credential`, () => {
    const { proofs } = scene(Object.assign(() => null, { reads }))
    assert.equal(proofs.needsCredential, true)
    assert.equal(proofs.credentialOf(handshake(target, headers)), null)
  })
}

test('nodes that share a store share it, also without a secret; one that does not know it asks', async () => {
  const shared = createMemoryStore()
  const [one, other] = [scene(undefined, { shared }), scene(undefined, { shared })]
  accept(one.proofs, withCookie('sid=1'))
  assert.equal(await userOf(other.proofs, withCookie('sid=1')), 'ann')
  one.proofs.forget(one.proofs.credentialOf(withCookie('sid=1'))!)
  assert.equal(await userOf(scene(undefined, { shared }).proofs, withCookie('sid=1')), null)
})

test('of two processes without a shared store the hashes differ: a dump of one is of no use for the other', () => {
  const [one, other] = [scene().proofs, scene().proofs]
  assert.notEqual(one.credentialOf(withCookie('sid=1')), other.credentialOf(withCookie('sid=1')))
})

for (const method of ['recall', 'revokedAt', 'remember', 'forget'] as const) {
  for (const [how, fail] of [
    ['throws', () => assert.fail('down')],
    ['rejects', () => Promise.reject(new Error('down'))],
  ] as const) {
    test(`a store whose ${method} ${how} ends nothing, and opens nothing`, async () => {
      const shared = { ...createMemoryStore(), [method]: fail } as unknown as MemoryStore
      const { proofs } = scene(undefined, { shared })
      const known = method === 'remember' || method === 'forget' || method === 'recall' ? 'ann' : null
      accept(proofs, withCookie('sid=1'))
      assert.equal(await userOf(proofs, withCookie('sid=1')), known)
      assert.equal(await userOf(proofs, withCookie('sid=2')), null)
      proofs.forget(proofs.credentialOf(withCookie('sid=1'))!)
      await new Promise(setImmediate)
    })
  }
}

test('nothing of a credential is in a key or a text of the store', async () => {
  const asked: unknown[] = []
  const memory = createMemoryStore()
  const shared: Store = {
    ...memory,
    remember: (...all) => (asked.push(all), memory.remember(...all)),
    recall: key => (asked.push(key), memory.recall(key)),
  }
  const { proofs } = scene(undefined, { shared })
  accept(proofs, withCookie('sid=tops3cret'))
  await userOf(scene(undefined, { shared }).proofs, withCookie('sid=tops3cret'))
  assert.equal(asked.length, 2)
  assert.doesNotMatch(JSON.stringify(asked), /s3cret/)
})

test('attack: one user with another junk cookie each time pushes out no proof of anybody else', async () => {
  const { proofs } = scene()
  accept(proofs, withCookie('sid=1'))
  for (let nth = 0; nth < 60_000; nth++) {
    accept(proofs, withCookie(`sid=2; junk=${nth}`), { id: 's2', user: 'mallory' })
  }
  assert.equal(await userOf(proofs, withCookie('sid=1')), 'ann')
  assert.equal(await userOf(proofs, withCookie('sid=2; junk=59999')), 'mallory')
  assert.equal(await userOf(proofs, withCookie('sid=2; junk=59936')), 'mallory')
  assert.equal(await userOf(proofs, withCookie('sid=2; junk=59935')), null)
})

test('attack: in a shared store one user holds a bounded number of proofs too', async () => {
  const shared = createMemoryStore()
  const kept = new Set<string>()
  const store: Store = {
    ...shared,
    remember: (key, value, ttlMs) => {
      kept.add(key)
      shared.remember(key, value, ttlMs)
    },
    forget: key => {
      kept.delete(key)
      shared.forget(key)
    },
  }
  const { proofs } = scene(undefined, { shared: store })
  for (let nth = 0; nth < 1000; nth++) accept(proofs, withCookie(`sid=2; junk=${nth}`), { id: 's2', user: 'mallory' })
  assert.equal(kept.size, 64)
})

test('honest: a user whose cookie rolls, on 30 devices, stays proven with each', async () => {
  const { proofs } = scene()
  const devices = Array.from({ length: 30 }, (_, nth) => nth)
  for (const roll of [1, 2, 3]) {
    for (const device of devices) accept(proofs, withCookie(`sid=${device}.${roll}`), { id: `s${device}`, user: 'ann' })
  }
  for (const device of devices) assert.equal(await userOf(proofs, withCookie(`sid=${device}.3`)), 'ann')
})
