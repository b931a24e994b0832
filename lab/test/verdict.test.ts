import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DenialSeen, type Evidence, expectedVerdict, judge, type Variant, type Verdict } from '../run/verdict.ts'

const origin: DenialSeen = { control: 'handshake/origin', code: 'SALLY_ORIGIN_NOT_ALLOWED', enforced: true }
const host: DenialSeen = { control: 'handshake/host', code: 'SALLY_HOST_NOT_SERVED', enforced: true }
const session: DenialSeen = { control: 'handshake/session', code: 'SALLY_SESSION_MISSING', enforced: true }
const stopped: Evidence = { hijacked: false, finished: true, denials: [origin], honest: 'works: you' }

const ROWS: readonly {
  readonly name: string
  readonly variant?: Variant
  /** Whether the flawed app is hijacked in this browser. */
  readonly succeeds?: boolean
  readonly evidence: Partial<Evidence>
  readonly verdict: Verdict
  readonly why?: RegExp
}[] = [
  { name: 'the control refused and the honest client works', evidence: {}, verdict: 'stopped' },
  { name: 'refused twice by the same control', evidence: { denials: [origin, origin] }, verdict: 'stopped' },
  { name: 'refused, and yet the secret got out', evidence: { hijacked: true }, verdict: 'hijacked' },
  { name: 'false stop: nothing was denied', evidence: { denials: [] }, verdict: 'error', why: /nothing was denied/ },
  {
    name: 'false stop: another control denied',
    evidence: { denials: [host] },
    verdict: 'error',
    why: /denied by handshake\/host instead of handshake\/origin/,
  },
  {
    name: 'false stop: another control denied as well',
    evidence: { denials: [origin, host] },
    verdict: 'error',
    why: /handshake\/host instead/,
  },
  {
    name: 'false stop: report mode denies nothing',
    evidence: { denials: [{ ...origin, enforced: false }] },
    verdict: 'error',
    why: /nothing was denied/,
  },
  {
    name: 'false stop: the honest client is refused too',
    evidence: { honest: 'fails: closed 1006' },
    verdict: 'error',
    why: /the honest client fails/,
  },
  {
    name: 'false stop: the honest client was never asked',
    evidence: { honest: null },
    verdict: 'error',
    why: /was not asked/,
  },
  {
    name: 'false stop: the exploit never ended',
    evidence: { finished: false },
    verdict: 'error',
    why: /come to an end/,
  },
  {
    name: 'false stop: no session was found, though the cookie came',
    evidence: { denials: [session] },
    verdict: 'error',
    why: /handshake\/session instead/,
  },
  {
    name: 'no session was found, where the browser keeps the cookie back',
    succeeds: false,
    evidence: { denials: [session] },
    verdict: 'stopped',
  },
  {
    name: 'another control, where the browser keeps the cookie back',
    succeeds: false,
    evidence: { denials: [host] },
    verdict: 'error',
    why: /handshake\/host instead/,
  },
  { name: 'flawed app: the secret got out', variant: 'vulnerable', evidence: { hijacked: true }, verdict: 'hijacked' },
  {
    name: 'flawed app: the secret got out before the exploit said so',
    variant: 'vulnerable',
    evidence: { hijacked: true, finished: false },
    verdict: 'hijacked',
  },
  { name: 'flawed app: the exploit ended with nothing', variant: 'vulnerable', evidence: {}, verdict: 'blocked' },
  {
    name: 'flawed app: the exploit never ended',
    variant: 'vulnerable',
    evidence: { finished: false },
    verdict: 'error',
    why: /come to an end/,
  },
]

for (const { name, variant = 'guarded', succeeds = true, evidence, verdict, why = /^$/ } of ROWS) {
  test(`verdict: ${name}: ${verdict}`, () => {
    const judged = judge(variant, 'handshake/origin', succeeds, { ...stopped, ...evidence })
    assert.equal(judged.verdict, verdict)
    assert.match(judged.why, why)
  })
}

test('what is expected: a guarded cell is stopped in every browser, a flawed one only hijacked where it can be', () => {
  assert.equal(expectedVerdict('guarded', true), 'stopped')
  assert.equal(expectedVerdict('guarded', false), 'stopped')
  assert.equal(expectedVerdict('vulnerable', true), 'hijacked')
  assert.equal(expectedVerdict('vulnerable', false), 'blocked')
})
