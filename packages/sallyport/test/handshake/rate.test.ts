import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rate } from '../../src/handshake/rate.ts'
import type { Denial } from '../../src/policy/verdict.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/store.ts'
import { attemptOf, codeOf, compileControl, partsOf, policyOf } from './door-fixtures.ts'

const policy = policyOf({
  rate: { perIp: { attempts: 3, per: '1 minute' }, total: { attempts: 5, per: '1 minute' } },
})
const awaited = (store: Store): Store => ({ ...store, take: async (...all) => store.take(...all) })

for (const [kind, wrap] of [
  ['at once', (store: Store) => store],
  ['by promise', awaited],
] as const) {
  test(`a store that answers ${kind}: below and at the budget of an address pass, above is refused`, async () => {
    const check = compileControl(rate, policy, partsOf(wrap(createMemoryStore())))
    const codes = []
    for (let index = 0; index < 4; index++) codes.push(codeOf(await check(attemptOf())))
    assert.deepEqual(codes, ['pass', 'pass', 'pass', 'SALLY_HANDSHAKE_RATE'])
    assert.equal(codeOf(await check(attemptOf({ ip: '192.0.2.8' }))), 'pass')
  })

  test(`a store that answers ${kind}: the budget in all holds over addresses`, async () => {
    const check = compileControl(rate, policy, partsOf(wrap(createMemoryStore())))
    const codes = []
    for (let index = 0; index < 6; index++) codes.push(codeOf(await check(attemptOf({ ip: `192.0.2.${index}` }))))
    assert.deepEqual(codes, [...Array<string>(5).fill('pass'), 'SALLY_HANDSHAKE_RATE'])
  })
}

test('an IPv6 customer has one budget for its /64; the next customer has its own', async () => {
  const check = compileControl(rate, policy)
  const ips = ['2001:db8:0:1::1', '2001:db8:0:1::2', '2001:db8:0:1:ffff::3', '2001:db8:0:1::4', '2001:db8:0:2::1']
  const codes = []
  for (const ip of ips) codes.push(codeOf(await check(attemptOf({ ip }))))
  assert.deepEqual(codes, ['pass', 'pass', 'pass', 'SALLY_HANDSHAKE_RATE', 'pass'])
})

test('a refusal says when to come back, in whole seconds', async () => {
  const check = compileControl(rate, policy)
  for (let index = 0; index < 3; index++) await check(attemptOf())
  const { retryAfter } = (await check(attemptOf())) as Denial
  assert.ok(Number.isInteger(retryAfter) && retryAfter! >= 1 && retryAfter! <= 60, String(retryAfter))
})

test('a refused address takes nothing of the budget in all', async () => {
  const check = compileControl(rate, policy)
  for (let index = 0; index < 20; index++) await check(attemptOf())
  assert.equal(codeOf(await check(attemptOf({ ip: '192.0.2.8' }))), 'pass')
  assert.equal(codeOf(await check(attemptOf({ ip: '192.0.2.8' }))), 'pass')
  assert.equal(codeOf(await check(attemptOf({ ip: '192.0.2.8' }))), 'SALLY_HANDSHAKE_RATE')
})

test('it is off only by dangerouslyOff', () => {
  assert.throws(() => compileControl(rate, policyOf({ rate: { dangerouslyOff: true } })), /is off/)
})
