import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ControlContext } from '../../src/controls/context.ts'
import { type Attempt, newAttempt } from '../../src/model/attempt.ts'
import type { HandshakeRequest } from '../../src/model/handshake-request.ts'
import { bindingOf, redeemFirstMessage, ticket } from '../../src/controls/handshake/ticket.ts'
import type { Policy } from '../../src/policy/types.ts'
import type { TicketSection } from '../../src/controls/handshake/ticket.ts'
import type { Verdict } from '../../src/model/verdict.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { createTickets } from '../../src/ticket/token.ts'
import { handshake } from '../session/handshakes.ts'
import { ALICE, SECTION } from '../ticket/endpoint-fixtures.ts'
import { systemRuntime } from '../../src/model/system-runtime.ts'

const ORIGIN = 'https://app.example'
const now = (): number => 1_700_000_000_000
const policyOf = (section: Partial<TicketSection> | null, session: unknown = () => ALICE): Policy =>
  ({ handshake: { session, ticket: section && { ...SECTION, ...section } } }) as unknown as Policy
function partsOf(): ControlContext {
  const store = createMemoryStore({ now })
  // The rest is for other controls.
  return { store, now, tickets: createTickets(SECTION, { store, now }, systemRuntime) } as unknown as ControlContext
}
const attemptOf = (request: HandshakeRequest, more: Partial<Attempt> = {}): Attempt => ({
  ...newAttempt('c1', request),
  origin: ORIGIN,
  session: ALICE,
  ...more,
})
const codeOf = (verdict: Verdict): string => (verdict.pass ? 'pass' : verdict.code)
const offer = (token: string, path = '/ws') =>
  handshake(path, { 'sec-websocket-protocol': `sallyport.v1, sallyport.ticket.${token}` })

const say = (csrfToken: unknown): string => JSON.stringify({ type: 'auth', csrfToken })
const asking = (): never => {
  throw new Error('asked')
}

describe('handshake/ticket', () => {
  it('off where the policy has none', () => assert.equal(ticket.compile(policyOf(null), partsOf()), null))

  const rows: readonly [string, (token: string) => Attempt, string][] = [
    ['the right one', token => attemptOf(offer(token)), 'pass'],
    ['with a query beside the path', token => attemptOf(offer(token, '/ws?room=1')), 'pass'],
    ['none', () => attemptOf(handshake()), 'SALLY_TICKET_MISSING'],
    ['of another path', token => attemptOf(offer(token, '/admin')), 'SALLY_TICKET_INVALID'],
    ['of an encoded spelling of the path', token => attemptOf(offer(token, '/w%73')), 'SALLY_TICKET_INVALID'],
    ['of another origin', token => attemptOf(offer(token), { origin: 'https://evil.example' }), 'SALLY_TICKET_INVALID'],
    ['without an origin', token => attemptOf(offer(token), { origin: null }), 'SALLY_TICKET_INVALID'],
    [
      'of another session',
      token => attemptOf(offer(token), { session: { id: 's2', user: 'alice' } }),
      'SALLY_TICKET_INVALID',
    ],
    ['without a session', token => attemptOf(offer(token), { session: null }), 'SALLY_TICKET_INVALID'],
    ['in the query', token => attemptOf(handshake(`/ws?ticket=${token}`)), 'SALLY_TICKET_MISSING'],
  ]
  for (const [name, make, code] of rows) {
    it(`${name}: ${code}`, async () => {
      const parts = partsOf()
      const check = ticket.compile(policyOf({}), parts)!
      const subject = make(parts.tickets.issue(bindingOf(ALICE, ORIGIN, '/ws')).ticket)
      assert.equal(codeOf(await check(subject)), code)
      assert.equal(subject.ticket, code === 'pass' ? 'verified' : 'none')
    })
  }
  it('by query where the policy says so; replayed it is used', async () => {
    const parts = partsOf()
    const check = ticket.compile(policyOf({ carrier: 'query', parameter: 't' }), parts)!
    const request = handshake(`/ws?t=${parts.tickets.issue(bindingOf(ALICE, ORIGIN, '/ws')).ticket}`)
    assert.equal(codeOf(await check(attemptOf(request))), 'pass')
    assert.equal(codeOf(await check(attemptOf(request))), 'SALLY_TICKET_USED')
  })
  it('a client without an Origin, where allowed, redeems what was issued without one, and a page does not', async () => {
    const parts = partsOf()
    const check = ticket.compile(policyOf({}), parts)!
    const { ticket: token } = parts.tickets.issue(bindingOf(ALICE, null, '/ws'))
    assert.equal(codeOf(await check(attemptOf(offer(token)))), 'SALLY_TICKET_INVALID')
    assert.equal(codeOf(await check(attemptOf(offer(token), { origin: null }))), 'pass')
  })
  it('an anonymous connection redeems what its address was issued', async () => {
    const parts = partsOf()
    const check = ticket.compile(policyOf({}, null), parts)!
    const address = { id: 'ip:192.0.2.7', user: 'ip:192.0.2.7' }
    const { ticket: token } = parts.tickets.issue(bindingOf(address, ORIGIN, '/ws'))
    assert.equal(codeOf(await check(attemptOf(offer(token), { session: { id: 'c1', user: address.user } }))), 'pass')
    const other = parts.tickets.issue(bindingOf({ id: 'ip:192.0.2.8', user: 'ip:192.0.2.8' }, ORIGIN, '/ws')).ticket
    assert.equal(codeOf(await check(attemptOf(offer(other)))), 'SALLY_TICKET_INVALID')
  })

  const answers: readonly [string, unknown, string][] = [
    ['true', true, 'pass'],
    ['false', false, 'SALLY_CSRF_INVALID'],
    ['undefined, by a rule that forgot to answer', undefined, 'SALLY_CSRF_INVALID'],
    ['a truthy object', {}, 'SALLY_CSRF_INVALID'],
  ]
  for (const [name, answer, code] of answers) {
    it(`csrf that answers ${name}: ${code}`, async () => {
      for (const csrf of [() => answer, async () => answer]) {
        let given: readonly unknown[] = []
        const asked = (...args: readonly unknown[]) => {
          given = args
          return csrf() as boolean
        }
        const subject = attemptOf(offer('a%2Fb'))
        assert.equal(codeOf(await ticket.compile(policyOf({ csrf: asked }), partsOf())!(subject)), code)
        assert.deepEqual(given, ['a/b', subject.request])
        assert.equal(subject.ticket, code === 'pass' ? 'verified' : 'none')
      }
    })
  }
  it('csrf is not asked without a token, and one that throws is the runner’s to deny', () => {
    const check = ticket.compile(policyOf({ csrf: asking }), partsOf())!
    assert.equal(codeOf(check(attemptOf(handshake())) as Verdict), 'SALLY_TICKET_MISSING')
    assert.throws(() => check(attemptOf(offer('t'))), /asked/)
  })

  describe('in the first message', () => {
    const policy = policyOf({ carrier: 'first-message' })
    const deferred = (parts: ControlContext): Attempt => {
      const subject = attemptOf(offer('ignored'))
      assert.deepEqual(ticket.compile(policy, parts)!(subject), { pass: true })
      assert.equal(subject.ticket, 'deferred')
      return subject
    }
    it('passes once for the right one', async () => {
      const parts = partsOf()
      const subject = deferred(parts)
      const text = say(parts.tickets.issue(bindingOf(ALICE, ORIGIN, '/ws')).ticket)
      assert.equal(codeOf(await redeemFirstMessage(text, policy, parts, subject)), 'pass')
      assert.equal(subject.ticket, 'verified')
      assert.equal(codeOf(await redeemFirstMessage(text, policy, parts, deferred(parts))), 'SALLY_TICKET_USED')
      assert.equal(codeOf(await redeemFirstMessage(text, policy, parts, subject)), 'SALLY_AUTHENTICATION_FIRST')
    })
    for (const [name, text, code] of [
      ['another message first', '{"type":"chat","text":"hi"}', 'SALLY_AUTHENTICATION_FIRST'],
      ['no JSON', 'auth', 'SALLY_AUTHENTICATION_FIRST'],
      ['an invalid token', say('x'), 'SALLY_TICKET_INVALID'],
    ] as const) {
      it(`${name}: ${code}`, async () => {
        const parts = partsOf()
        const subject = deferred(parts)
        assert.equal(codeOf(await redeemFirstMessage(text, policy, parts, subject)), code)
        assert.equal(subject.ticket, 'deferred')
      })
    }
    it('of another session is invalid', async () => {
      const parts = partsOf()
      const text = say(parts.tickets.issue(bindingOf({ id: 's2', user: 'alice' }, ORIGIN, '/ws')).ticket)
      assert.equal(codeOf(await redeemFirstMessage(text, policy, parts, deferred(parts))), 'SALLY_TICKET_INVALID')
    })
    it('an app’s own token comes as it is', async () => {
      const own = policyOf({ carrier: 'first-message', csrf: token => token === 'a%2Fb' })
      const subject = attemptOf(handshake(), { ticket: 'deferred' })
      assert.equal(codeOf(await redeemFirstMessage(say('a%2Fb'), own, partsOf(), subject)), 'pass')
    })
  })
})
