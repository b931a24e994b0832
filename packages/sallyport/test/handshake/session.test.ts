import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sentenceOf } from '../../src/policy/denials.ts'
import { createControlContext } from '../../src/guard/control-context.ts'
import type { ControlContext } from '../../src/controls/context.ts'
import { type Attempt, newAttempt } from '../../src/model/attempt.ts'
import type { HandshakeRequest } from '../../src/model/handshake-request.ts'
import { resolveSession } from '../../src/controls/handshake/resolve-session.ts'
import { session } from '../../src/controls/handshake/session.ts'
import type { Policy } from '../../src/policy/types.ts'
import type { Verdict } from '../../src/model/verdict.ts'
import { nobody, SessionUnavailable } from '../../src/session/no-session.ts'
import type { SessionResolver } from '../../src/model/session.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/model/store.ts'
import { handshake } from '../session/handshakes.ts'
import { runtimeAt } from '../support/runtime.ts'

const NOW = 1_700_000_000_000
const now = (): number => NOW
const ALICE = { id: 's1', user: 'alice' }
const policyOf = (resolver: unknown): Policy =>
  ({
    handshake: { session: resolver, ticket: null, rate: null, subprotocol: null },
    timeoutMs: 5000,
    store: null,
  }) as unknown as Policy
const partsOf = (store: Store = createMemoryStore({ now })): ControlContext =>
  createControlContext(
    policyOf(() => null),
    { store } as ControlContext,
    runtimeAt(now),
  )
const attempt = (): Attempt => newAttempt('c1', handshake())
const codeOf = (verdict: Verdict): string => (verdict.pass ? 'pass' : verdict.code)

async function judge(
  resolver: unknown,
  parts = partsOf(),
): Promise<{ code: string; detail: string; attempt: Attempt }> {
  const subject = attempt()
  const verdict = await session.compile(policyOf(resolver), parts)!(subject)
  return { code: codeOf(verdict), detail: verdict.pass ? '' : sentenceOf(verdict), attempt: subject }
}
const thrown = (error: unknown) => (): never => {
  throw error
}

const again = async (resolver: SessionResolver, parts = partsOf()): Promise<string> => {
  const found = await resolveSession(policyOf(resolver), parts, handshake(), ALICE)
  return 'session' in found ? found.session.id : found.code
}
const withRecheck = (recheck: NonNullable<SessionResolver['recheck']>): SessionResolver =>
  Object.assign(() => assert.fail('the resolver was asked'), { recheck })

describe('handshake/session', () => {
  it('a resolver that says why it found nobody: the operator reads it', async () => {
    const { code, detail } = await judge((request: HandshakeRequest) => nobody(request, 'ERR_JWT_EXPIRED: exp'))
    assert.equal(code, 'SALLY_SESSION_MISSING')
    assert.equal(detail, 'handshake.session found nobody: ERR_JWT_EXPIRED: exp')
  })
  it('one that does not say', async () => {
    assert.equal((await judge(() => null)).detail, 'handshake.session found nobody')
  })

  const rows: readonly [string, unknown, string][] = [
    ['nobody: null', null, 'SALLY_SESSION_MISSING'],
    ['nobody: undefined', undefined, 'SALLY_SESSION_MISSING'],
    ['a session', ALICE, 'pass'],
    ['false is malformed, not nobody', false, 'SALLY_SESSION_UNAVAILABLE'],
    ['true is not everybody', true, 'SALLY_SESSION_UNAVAILABLE'],
    ['text', 'alice', 'SALLY_SESSION_UNAVAILABLE'],
    ['iron-session on a bad seal: {}', {}, 'SALLY_SESSION_UNAVAILABLE'],
    ['no id', { user: 'alice' }, 'SALLY_SESSION_UNAVAILABLE'],
    ['empty id', { id: '', user: 'alice' }, 'SALLY_SESSION_UNAVAILABLE'],
    ['no user', { id: 's1' }, 'SALLY_SESSION_UNAVAILABLE'],
    ['empty user', { id: 's1', user: '' }, 'SALLY_SESSION_UNAVAILABLE'],
    ['user that is a number', { id: 's1', user: 7 }, 'SALLY_SESSION_UNAVAILABLE'],
    ['id of 511', { id: 'x'.repeat(511), user: 'a' }, 'pass'],
    ['id of 512', { id: 'x'.repeat(512), user: 'a' }, 'pass'],
    ['id of 513', { id: 'x'.repeat(513), user: 'a' }, 'SALLY_SESSION_UNAVAILABLE'],
    ['user of 512', { id: 'a', user: 'x'.repeat(512) }, 'pass'],
    ['user of 513', { id: 'a', user: 'x'.repeat(513) }, 'SALLY_SESSION_UNAVAILABLE'],
    ['expired a ms ago', { ...ALICE, expiresAt: NOW - 1 }, 'SALLY_SESSION_EXPIRED'],
    ['expiring now', { ...ALICE, expiresAt: NOW }, 'SALLY_SESSION_EXPIRED'],
    ['expiring in a ms', { ...ALICE, expiresAt: NOW + 1 }, 'pass'],
    ['expiresAt NaN', { ...ALICE, expiresAt: Number.NaN }, 'SALLY_SESSION_UNAVAILABLE'],
    ['expiresAt Infinity', { ...ALICE, expiresAt: Infinity }, 'SALLY_SESSION_UNAVAILABLE'],
    ['expiresAt a Date', { ...ALICE, expiresAt: new Date(NOW + 9) }, 'SALLY_SESSION_UNAVAILABLE'],
    ['expiresAt text', { ...ALICE, expiresAt: String(NOW + 9) }, 'SALLY_SESSION_UNAVAILABLE'],
    ['expiresAt null', { ...ALICE, expiresAt: null }, 'SALLY_SESSION_UNAVAILABLE'],
    ['issuedAt in seconds', { ...ALICE, issuedAt: 1_796_000_000 }, 'SALLY_SESSION_UNAVAILABLE'],
    ['issuedAt in ms', { ...ALICE, issuedAt: 1_596_000_000_000 }, 'pass'],
    ['issuedAt 0: from before all revocations', { ...ALICE, issuedAt: 0 }, 'pass'],
    ['issuedAt text', { ...ALICE, issuedAt: '1' }, 'SALLY_SESSION_UNAVAILABLE'],
  ]
  for (const [name, answer, code] of rows) {
    it(`${name}: ${code}`, async () => {
      for (const resolver of [() => answer, async () => answer]) {
        const judged = await judge(resolver)
        assert.equal(judged.code, code)
        assert.equal(judged.attempt.session, code === 'pass' ? answer : null)
        assert.doesNotMatch(judged.detail, /s1|alice/)
      }
    })
  }

  it('is synchronous where resolver and store are', () => {
    assert.deepEqual(
      session.compile(
        policyOf(() => ALICE),
        partsOf(),
      )!(attempt()),
      { pass: true },
    )
  })

  const secret = 'cookie s%3Aabc is bad'
  const errors: readonly [string, unknown, RegExp][] = [
    ['an error', new RangeError(secret), /threw RangeError$/],
    ['an error whose name is not one', Object.assign(new Error(secret), { name: secret }), /threw object$/],
    ['text', secret, /threw string$/],
    ['undefined', undefined, /threw undefined$/],
    [
      'SessionUnavailable, whose message is for the operator',
      new SessionUnavailable('store down'),
      /SessionUnavailable: store down$/,
    ],
  ]
  for (const [name, error, detail] of errors) {
    it(`a resolver that throws ${name} is 503, never anonymous`, async () => {
      // oxlint-disable-next-line typescript/prefer-promise-reject-errors
      for (const resolver of [thrown(error), async () => Promise.reject(error)]) {
        const judged = await judge(resolver)
        assert.equal(judged.code, 'SALLY_SESSION_UNAVAILABLE')
        assert.match(judged.detail, detail)
        assert.ok(!judged.detail.includes(secret))
      }
    })
  }
  it('a session whose fields throw is 503', async () => {
    const trap = Object.defineProperty({ user: 'a' }, 'id', { get: thrown(new Error('x')) })
    assert.equal((await judge(() => trap)).code, 'SALLY_SESSION_UNAVAILABLE')
  })
  it('a store that fails is 503', async () => {
    for (const revokedAt of [thrown(new Error('x')), async () => Promise.reject(new Error('x'))]) {
      const parts = partsOf({ ...createMemoryStore({ now }), revokedAt })
      assert.equal((await judge(() => ALICE, parts)).code, 'SALLY_STORE_UNAVAILABLE')
    }
  })

  const revocations: readonly [string, Parameters<Store['revoke']>[0], object, string][] = [
    ['this session', { session: 's1' }, {}, 'SALLY_SESSION_REVOKED'],
    ['this session, whenever it began', { session: 's1' }, { issuedAt: NOW + 9 }, 'SALLY_SESSION_REVOKED'],
    ['another session', { session: 's2' }, { issuedAt: NOW - 1 }, 'pass'],
    ['its user, after it began', { user: 'alice' }, { issuedAt: NOW - 1 }, 'SALLY_SESSION_REVOKED'],
    ['its user, as it began', { user: 'alice' }, { issuedAt: NOW }, 'SALLY_SESSION_REVOKED'],
    ['its user, before it began', { user: 'alice' }, { issuedAt: NOW + 1 }, 'pass'],
    ['its user, and when it began is unknown', { user: 'alice' }, {}, 'pass'],
    ['everybody', 'all', { issuedAt: NOW - 1 }, 'SALLY_SESSION_REVOKED'],
    ['another user', { user: 'bob' }, { issuedAt: NOW - 1 }, 'pass'],
  ]
  for (const [name, target, more, code] of revocations) {
    it(`revoked: ${name}: ${code}`, async () => {
      const parts = partsOf()
      await parts.store.revoke(target, 60_000)
      assert.equal((await judge(() => ({ ...ALICE, ...more }), parts)).code, code)
    })
  }

  it('anonymous: each connection is its own session of its address', async () => {
    const judged = await judge(null)
    assert.deepEqual(judged.attempt.session, { id: 'c1', user: 'ip:192.0.2.7' })
    assert.deepEqual(resolveSession(policyOf(null), partsOf(), handshake()), {
      session: { id: 'ip:192.0.2.7', user: 'ip:192.0.2.7' },
    })
  })

  describe('looking again', () => {
    it('asks recheck with the session, else the resolver', async () => {
      assert.equal(
        await again(withRecheck((held, request) => (held === ALICE && request.path === '/ws' ? held : null))),
        's1',
      )
      assert.equal(await again(() => ({ ...ALICE })), 's1')
    })
    it('gone, expired, revoked or unknowable is told apart', async () => {
      assert.equal(await again(withRecheck(() => null)), 'SALLY_SESSION_MISSING')
      assert.equal(await again(withRecheck(() => ({ ...ALICE, expiresAt: NOW }))), 'SALLY_SESSION_EXPIRED')
      assert.equal(await again(withRecheck(thrown(new Error('x')))), 'SALLY_SESSION_UNAVAILABLE')
      const parts = partsOf()
      await parts.store.revoke({ session: 's1' }, 60_000)
      assert.equal(await again(() => ALICE, parts), 'SALLY_SESSION_REVOKED')
    })
    it('another session or another user on the same cookie is none', async () => {
      assert.equal(await again(() => ({ id: 's2', user: 'alice' })), 'SALLY_SESSION_MISSING')
      assert.equal(await again(() => ({ id: 's1', user: 'mallory' })), 'SALLY_SESSION_MISSING')
    })
    it('an anonymous connection stays what it is', () => {
      assert.deepEqual(resolveSession(policyOf(null), partsOf(), handshake(), ALICE), { session: ALICE })
    })
  })
})
