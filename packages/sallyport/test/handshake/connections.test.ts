import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connections, connectionsOfUser } from '../../src/controls/handshake/connections.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/model/store.ts'
import { attemptOf, codeOf, compileControl, partsOf, policyOf } from './door-fixtures.ts'

const policy = policyOf({ connections: { total: 4, perIp: 2, perUser: 2 } })
const awaited = (store: Store): Store => ({ ...store, lease: async (...all) => store.lease(...all) })

for (const [kind, wrap] of [
  ['at once', (store: Store) => store],
  ['by promise', awaited],
] as const) {
  test(`a store that answers ${kind}: each cap holds at, one below and one above`, async () => {
    const check = compileControl(connections, policy, partsOf(wrap(createMemoryStore())))
    const codes = []
    for (const ip of ['192.0.2.1', '192.0.2.1', '192.0.2.1', '192.0.2.2'])
      codes.push(codeOf(await check(attemptOf({ ip }))))
    assert.deepEqual(codes, ['pass', 'pass', 'SALLY_CONNECTIONS_IP', 'pass'])
    // The refused attempt holds its place in all until it is given up: its lease is on it.
    assert.equal(codeOf(await check(attemptOf({ ip: '192.0.2.3' }))), 'SALLY_CONNECTIONS_FULL')
  })
}

test('what a refused attempt holds is written on it, so that it can be given back', async () => {
  const check = compileControl(connections, policy)
  for (let index = 0; index < 2; index++) await check(attemptOf())
  const attempt = attemptOf()
  assert.equal(codeOf(await check(attempt)), 'SALLY_CONNECTIONS_IP')
  assert.deepEqual(attempt.leases, [{ key: 'connections:all', cap: 4 }])
})

test('IPv6 addresses of one /64 share a cap', async () => {
  const check = compileControl(connections, policy)
  const codes = []
  for (const ip of ['2001:db8::1', '2001:db8::2', '2001:db8::3']) codes.push(codeOf(await check(attemptOf({ ip }))))
  assert.deepEqual(codes, ['pass', 'pass', 'SALLY_CONNECTIONS_IP'])
})

test('a user’s cap holds over addresses; another user has its own', async () => {
  const check = compileControl(connectionsOfUser, policy)
  const of = (user: string, ip: string): string =>
    codeOf(check(attemptOf({ ip }, { session: { id: `${user}-${ip}`, user } })) as never)
  assert.deepEqual(
    [of('ann', '192.0.2.1'), of('ann', '192.0.2.2'), of('ann', '192.0.2.3'), of('bob', '192.0.2.3')],
    ['pass', 'pass', 'SALLY_CONNECTIONS_USER', 'pass'],
  )
})

test('anonymous connections count by address alone: a user’s cap would stand in for the address’s', () => {
  const anonymous = policyOf({ session: { dangerouslyAnonymous: true } })
  assert.equal(connectionsOfUser.compile(anonymous, partsOf()), null)
  assert.notEqual(connections.compile(anonymous, partsOf()), null)
})

for (const failing of [false, true]) {
  test(`a lease that comes after the attempt was given up is given back${failing ? ', and a store that fails then ends nothing' : ''}`, async () => {
    const answers: ((held: boolean) => void)[] = []
    const released: string[] = []
    const store: Store = {
      ...createMemoryStore(),
      lease: () => new Promise(resolve => answers.push(resolve)),
      release: async key => {
        released.push(key)
        if (failing) throw new Error('the store is down')
      },
    }
    const attempt = attemptOf()
    const verdict = compileControl(connections, policy, partsOf(store))(attempt)
    attempt.ended = true
    answers[0]!(true)
    await new Promise(setImmediate)
    answers[1]!(true)
    await verdict
    assert.deepEqual(released, ['connections:all', 'connections:ip:192.0.2.7'])
    assert.deepEqual(attempt.leases, [])
  })
}

test('it is off only by dangerouslyOff, both steps', () => {
  const off = policyOf({ connections: { dangerouslyOff: true } })
  assert.equal(connections.compile(off, partsOf()), null)
  assert.equal(connectionsOfUser.compile(off, partsOf()), null)
})
