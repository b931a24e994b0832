import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Standing } from '../../src/model/attempt.ts'
import { halfOpen } from '../../src/controls/handshake/half-open.ts'
import { attemptOf, codeOf, compileControl, partsOf, policyOf } from './door-fixtures.ts'

const policy = policyOf({ connections: { perIp: 4, strangersPerIp: 2 } })

for (const [standing, cap] of [
  ['unproven', 2],
  ['bare', 2],
  ['proven', 4],
  ['ticket', 4],
] as readonly [Standing, number][]) {
  test(`${standing}: ${cap} of one address may wait for their session; whoever leaves makes room`, () => {
    const parts = partsOf(undefined, policy)
    const check = compileControl(halfOpen, policy, parts)
    const attempts = Array.from({ length: cap + 1 }, () => attemptOf({}, { standing }))
    const codes = attempts.map(attempt => codeOf(check(attempt) as never))
    assert.deepEqual(codes, [...Array<string>(cap).fill('pass'), 'SALLY_CONNECTIONS_IP'])
    assert.equal(codeOf(check(attemptOf({ ip: '192.0.2.8' }, { standing })) as never), 'pass')
    for (let nth = 0; nth < 3; nth++) parts.halfOpen.leave(attempts[0]!)
    assert.equal(codeOf(check(attemptOf({}, { standing })) as never), 'pass')
    assert.equal(codeOf(check(attemptOf({}, { standing })) as never), 'SALLY_CONNECTIONS_IP')
  })
}

test('strangers cannot take the places of known users, nor known users those of strangers', () => {
  const check = compileControl(halfOpen, policy, partsOf(undefined, policy))
  for (let nth = 0; nth < 10; nth++) void check(attemptOf({}, { standing: 'unproven' }))
  for (let nth = 0; nth < 4; nth++) assert.equal(codeOf(check(attemptOf({}, { standing: 'proven' })) as never), 'pass')
})

test('one IPv6 customer has the places of one address', () => {
  const check = compileControl(halfOpen, policy, partsOf(undefined, policy))
  const codes = ['2001:db8::1', '2001:db8::2', '2001:db8::3', '2001:db8:0:1::1'].map(ip =>
    codeOf(check(attemptOf({ ip }, { standing: 'unproven' })) as never),
  )
  assert.deepEqual(codes, ['pass', 'pass', 'SALLY_CONNECTIONS_IP', 'pass'])
})
