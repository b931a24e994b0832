import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createGuard, type Session } from '../../src/index.ts'
import { insideOf } from '../../src/guard/registry.ts'
import { createRemembered } from '../../src/guard/remembered.ts'
import { parsePolicy } from '../../src/policy/parse.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { closeOf, createWorld, refusalOf } from '../support/world.ts'

const DAY = 86_400_000
const HOUR = 3_600_000
const NOW = 1_700_000_000_000
const CLOCKS = 5 * 60_000
const policyOf = (remember?: string | number): any =>
  parsePolicy({
    handshake: { origin: { allow: ['https://app.company.com'] }, session: () => null },
    message: { schema: { dangerouslyAcceptAnyMessage: true } },
    lifetime: { session: remember === undefined ? {} : { remember } },
  })

describe('how long a revocation is remembered', () => {
  for (const [name, remember, given, seen, ttl] of [
    ['nothing is known: the default', undefined, null, 0, 30 * DAY],
    ['nothing is known: the policy', '90 days', null, 0, 90 * DAY],
    ['a given expiry shortens it', undefined, NOW + HOUR, 0, HOUR],
    ['a given expiry lengthens it', undefined, NOW + 400 * DAY, 0, 400 * DAY],
    ['a given expiry before that of an open connection does not', undefined, NOW + HOUR, NOW + 2 * HOUR, 2 * HOUR],
    ['an expiry that was seen can slide, and shortens nothing', undefined, null, NOW + HOUR, 30 * DAY],
    ['an expiry that was seen lengthens it', undefined, null, NOW + 60 * DAY, 60 * DAY],
    ['an expiry that is past: longer than a ticket and a handshake', undefined, NOW - HOUR, 0, CLOCKS],
    ['an expiry in the year 9999 is believed for ten years', undefined, 253_402_300_799_000, 0, 3650 * DAY],
  ] as const) {
    test(name, () => {
      const remembered = createRemembered(policyOf(remember), () => NOW)
      assert.equal(remembered.ttlMs({ session: 's1' }, given, seen), ttl + CLOCKS)
    })
  }

  test('a session that was looked up and outlives it: until then, for it, its user and everybody', () => {
    const remembered = createRemembered(policyOf(), () => NOW)
    const expiresAt = NOW + 90 * DAY
    assert.equal(remembered.note({ id: 's1', user: 'ann', expiresAt }), true)
    assert.equal(remembered.note({ id: 's1', user: 'ann', expiresAt }), false, 'it is told once')
    for (const target of [{ session: 's1' }, { user: 'ann' }, 'all'] as const) {
      assert.equal(remembered.ttlMs(target, null, 0), 90 * DAY + CLOCKS)
    }
    assert.equal(remembered.ttlMs({ session: 's2' }, null, 0), 30 * DAY + CLOCKS)
  })

  test('a given expiry that is shorter than what a recent look-up said: the later one holds', () => {
    const remembered = createRemembered(policyOf(), () => NOW)
    remembered.note({ id: 's1', user: 'ann', expiresAt: NOW + 20 * DAY })
    remembered.note({ id: 's1', user: 'ann', expiresAt: NOW + 10 * DAY })
    for (const target of [{ session: 's1' }, { user: 'ann' }]) {
      assert.equal(remembered.ttlMs(target, NOW + HOUR, 0), 20 * DAY + CLOCKS)
    }
    assert.equal(remembered.ttlMs({ session: 's2' }, NOW + HOUR, 0), HOUR + CLOCKS)
    for (let index = 0; index < 10_000; index++) remembered.note({ id: `x${index}`, user: 'x', expiresAt: NOW + HOUR })
    assert.equal(remembered.ttlMs({ session: 's1' }, NOW + HOUR, 0), HOUR + CLOCKS, 'bounded: the oldest is forgotten')
  })

  test('more long sessions than it has room for: the longest of them counts for all', () => {
    const remembered = createRemembered(policyOf(), () => NOW)
    for (let index = 0; index < 10_000; index++) {
      remembered.note({ id: `s${index}`, user: `u${index}`, expiresAt: NOW + 40 * DAY })
    }
    assert.equal(remembered.ttlMs({ session: 'unknown' }, null, 0), 30 * DAY + CLOCKS)
    remembered.note({ id: 'one more', user: 'u', expiresAt: NOW + 50 * DAY })
    assert.equal(remembered.ttlMs({ session: 'one more' }, null, 0), 50 * DAY + CLOCKS)
    assert.equal(remembered.ttlMs({ session: 'unknown' }, null, 0), 50 * DAY + CLOCKS)
  })

  test('a session without an expiry is reported once it is older than that', () => {
    const remembered = createRemembered(policyOf(), () => NOW)
    assert.equal(remembered.note({ id: 's1', user: 'ann', issuedAt: NOW - 31 * DAY }), true)
    assert.equal(remembered.note({ id: 's1', user: 'ann', issuedAt: NOW - 31 * DAY }), false)
    assert.equal(remembered.note({ id: 's2', user: 'ann', issuedAt: NOW - 29 * DAY }), false)
    assert.equal(remembered.note({ id: 's3', user: 'ann' }), false)
  })
})

test('an open session that outlives it is an event, with hashes and without its id', async () => {
  const world = await createWorld()
  try {
    const long: Session = { id: 'ann-1', user: 'ann', expiresAt: Date.now() + 60 * DAY }
    world.accounts.sessions.set('ann-1', long)
    const socket = await world.connect()
    const told = world.events.filter(({ kind }) => kind === 'notice')
    assert.equal(told.length, 1)
    assert.match(told[0]!.description, /lives for longer than a revocation is remembered/)
    assert.ok(!JSON.stringify(told).includes('ann-1'))
    socket.terminate()
  } finally {
    await world.close()
  }
})

/** What the store is asked to remember, in ms. */
function recording(): { readonly store: ReturnType<typeof createMemoryStore>; readonly ttls: number[] } {
  const memory = createMemoryStore()
  const ttls: number[] = []
  return {
    ttls,
    store: {
      ...memory,
      revoke(target, ttlMs) {
        ttls.push(ttlMs)
        memory.revoke(target, ttlMs)
      },
    },
  }
}

test('the expiry of an open connection counts where a shorter one is given, and for its user', async () => {
  const { store, ttls } = recording()
  const world = await createWorld({ store })
  try {
    const expiresAt = Date.now() + 50 * DAY
    world.accounts.sessions.set('ann-1', { id: 'ann-1', user: 'ann', expiresAt })
    const closed = closeOf(await world.connect())
    await world.guard.revoke({ user: 'ann', expiresAt: Date.now() + HOUR })
    assert.equal((await closed).code, 4401)
    assert.ok(ttls[0]! > 49 * DAY && ttls[0]! < 51 * DAY)
    assert.equal((await refusalOf(world.client({ sid: 'ann-1' }))).status, 403)
  } finally {
    await world.close()
  }
})

for (const [name, target, message] of [
  ['a Date', { session: 's1', expiresAt: new Date(NOW) }, /expiresAt is a Date; write expiresAt\.getTime\(\)/],
  ['seconds', { session: 's1', expiresAt: 1_700_000_000 }, /expiresAt is 1700000000; .*write seconds \* 1000/],
  ['not a number', { user: 'ann', expiresAt: '2027-01-01' }, /expiresAt is a string/],
  ['for ever', { user: 'ann', expiresAt: Infinity }, /leave it out where it is not known/],
  ['an expiry alone', { expiresAt: NOW }, /names nobody/],
] as const) {
  test(`revoke with ${name} is an error, and revokes nothing`, async () => {
    const { store, ttls } = recording()
    const guard = createGuard({
      store,
      handshake: { origin: { allow: ['https://app.company.com'] }, session: () => null },
      message: { schema: { dangerouslyAcceptAnyMessage: true } },
    })
    await assert.rejects(guard.revoke(target as never), { name: 'TypeError', message })
    assert.deepEqual(ttls, [])
    assert.equal(insideOf(guard).core.connections.size, 0)
  })
}
