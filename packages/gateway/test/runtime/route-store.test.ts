import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RevocationTarget } from 'sallyport'
import { createMemoryStore } from 'sallyport/store/memory'
import { createRouteStores } from '../../src/runtime/route-store.ts'

const BUDGET = { amount: 1, perMs: 60_000, burst: 1 }

test('counts are a route’s own, and outlive its guard', async () => {
  const storeOf = createRouteStores(createMemoryStore())
  assert.equal((await storeOf('a').take('ip', 1, BUDGET)).ok, true)
  assert.equal((await storeOf('b').take('ip', 1, BUDGET)).ok, true)
  // As after a reload.
  assert.equal((await storeOf('a').take('ip', 1, BUDGET)).ok, false)
  assert.equal(await storeOf('a').once('ticket', 1000), true)
  assert.equal(await storeOf('a').once('ticket', 1000), false)
  assert.equal(await storeOf('a').lease('user', '1', 1, 1000), true)
  assert.equal(await storeOf('a').lease('user', '2', 1, 1000), false)
  assert.equal(await storeOf('b').lease('user', '2', 1, 1000), true)
  await storeOf('a').release('user', '1')
  assert.equal(await storeOf('a').lease('user', '2', 1, 1000), true)
})

test('a route has one store, whichever guard asks: by that its places are known to be the same', () => {
  const storeOf = createRouteStores(createMemoryStore())
  assert.equal(storeOf('a'), storeOf('a'))
  assert.notEqual(storeOf('a'), storeOf('b'))
})

test('a revocation holds on every route', async () => {
  const storeOf = createRouteStores(createMemoryStore())
  const heard: RevocationTarget[] = []
  storeOf('a').onRevoked(target => heard.push(target))
  const off = storeOf('b').onRevoked(target => heard.push(target))
  await storeOf('c').revoke({ session: 's' }, 1000)
  assert.deepEqual(heard, [{ session: 's' }, { session: 's' }])
  assert.notEqual((await storeOf('d').revokedAt('s', 'u'))?.session ?? null, null)
  off()
  await storeOf('c').revoke('all', 1000)
  assert.equal(heard.length, 3)
})
