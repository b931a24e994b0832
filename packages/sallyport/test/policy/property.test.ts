import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc } from '../../../../test/support/fast-check.ts'
import { parsePolicy } from '../../src/policy/parse.ts'
import { PolicyError } from '../../src/shape/problem.ts'
import { formatReport, reportPolicy } from '../../src/policy/report.ts'
import { policyWith } from './honest-policy.ts'

/** Accepted, or refused by the one error; what was said about it. */
function outcome(input: unknown): string {
  try {
    return formatReport(reportPolicy(parsePolicy(input)))
  } catch (error) {
    assert.ok(error instanceof PolicyError, String(error))
    assert.ok(error.problems.length > 0)
    for (const { path, value, message, remedy } of error.problems) {
      assert.ok(path !== '' && value !== '' && message !== '' && remedy !== '', JSON.stringify(error.problems))
      assert.ok(value.length <= 600)
    }
    return `${error.message}${JSON.stringify(error.problems)}`
  }
}

const KEYS = [
  'handshake',
  'message',
  'lifetime',
  'origin',
  'allow',
  'session',
  'ticket',
  'secret',
  'carrier',
  'rate',
  'perIp',
  'attempts',
  'messages',
  'per',
  'burst',
  'cost',
  'schema',
  'chat',
  'type',
  'size',
  'bytes',
  'format',
  'data',
  'depth',
  'proxy',
  'trust',
  'report',
  'events',
  'hashKey',
  'idle',
  'after',
  'extensions',
  'deflate',
  'host',
  'dangerouslyOff',
  'dangerouslyAllowAnyOrigin',
  '__proto__',
  'constructor',
]
const VALUES = [
  '*',
  'https://a.example',
  '1 minute',
  '64 KiB',
  'null',
  '0.0.0.0/0',
  'first-message',
  'handshake/origin',
  '',
]
const { policyLike } = fc.letrec(tie => ({
  policyLike: fc.oneof(
    { maxDepth: 6, withCrossShrink: true },
    fc.oneof(
      fc.constantFrom(...VALUES),
      fc.string(),
      fc.double(),
      fc.boolean(),
      fc.constant(null),
      fc.constant(undefined),
    ),
    fc.array(tie('policyLike'), { maxLength: 3 }),
    fc
      .array(fc.tuple(fc.oneof(fc.constantFrom(...KEYS), fc.string({ maxLength: 9 })), tie('policyLike')), {
        maxLength: 6,
      })
      .map(entries => Object.fromEntries(entries)),
  ),
}))

test('arbitrary JSON is a policy or a PolicyError, and nothing else', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), input => void outcome(input)),
    { numRuns: 500 },
  )
})

test('anything made of the words of a policy is a policy or a PolicyError', () => {
  fc.assert(
    fc.property(policyLike, input => void outcome(input)),
    { numRuns: 2000 },
  )
})

test('any value instead of a section is a policy or a PolicyError', () => {
  const place = fc.constantFrom(
    'handshake.origin',
    'handshake.ticket',
    'handshake.rate',
    'handshake.extensions',
    'message.rate',
    'message.schema',
    'message.size',
    'lifetime',
    'proxy',
    'events',
  )
  fc.assert(
    fc.property(
      place,
      fc.anything({ withNullPrototype: true, withBigInt: true, withMap: true }),
      (at, value) => void outcome(policyWith({ [at]: value })),
    ),
    { numRuns: 1000 },
  )
})

test('a secret is in no error and no report, whatever is wrong with it or around it', () => {
  const secret = fc.string({ minLength: 6, maxLength: 80, unit: fc.constantFrom('Q', '7', 'z', '~', '^') })
  const holder = fc.constantFrom('secret', 'secrets', 'Secret', 'key', 'csrf', 'ticket')
  fc.assert(
    fc.property(secret, holder, fc.boolean(), (marker, key, listed) => {
      const value = listed ? [marker, marker] : marker
      for (const policy of [
        policyWith({ 'handshake.ticket': { [key]: value } }),
        policyWith({ 'handshake.ticket': value }),
        policyWith({ events: { hashKey: value } }),
        policyWith({ events: { [key]: value } }),
        policyWith({ 'handshake.session': value }),
        policyWith({ [key]: value }),
        policyWith({ 'handshake.origin': { allow: [`https://user:${marker}@app.company.com`] } }),
      ]) {
        assert.ok(!outcome(policy).includes(marker))
      }
    }),
    { numRuns: 300 },
  )
})
