import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Session } from '../../src/model/session.ts'
import { createAttemptId } from '../../src/guard/attempt-id.ts'
import { systemRuntime } from '../../src/model/system-runtime.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { StoreState } from '../../src/model/store.ts'
import { guarded, settled, START } from '../guard/live.ts'

const ANN: Session = { id: 's1', user: 'ann' }
const OFTEN = { session: { recheck: 1000, grace: 2500 } }

for (const [name, ms, closes] of [
  ['one below the expiry stays', 1999, []],
  ['at the expiry is closed', 2000, [[4401, 'SALLY_LIFETIME_EXPIRED']]],
] as const) {
  test(`a session ${name}`, async t => {
    const session = { ...ANN, expiresAt: START + 2000 }
    const guard = guarded(t, { lifetime: { session: {} }, handshake: { session: () => session } })
    const { wire } = guard.seat({ session })
    await guard.run(ms)
    assert.deepEqual(wire.closes, closes)
  })
}

test('a message past the expiry is not handled, though the next tick is still to come', async t => {
  const session = { ...ANN, expiresAt: START + 2050 }
  const guard = guarded(t, { lifetime: { session: {} }, handshake: { session: () => session } })
  const handled: unknown[] = []
  const { wire, read } = guard.seat({ session, delivery: { message: ({ value }) => handled.push(value) } })
  await guard.run(2049)
  read({ n: 1 })
  t.mock.timers.tick(1)
  read({ n: 2 })
  assert.deepEqual(handled, [{ n: 1 }])
  assert.deepEqual(wire.closes, [[4401, 'SALLY_LIFETIME_EXPIRED']])
})

test('in report mode a message past the expiry is handled', async t => {
  const session = { ...ANN, expiresAt: START + 2050 }
  const guard = guarded(t, {
    lifetime: { session: {} },
    handshake: { session: () => session },
    report: ['lifetime/session'],
  })
  const handled: unknown[] = []
  const { wire, read } = guard.seat({ session, delivery: { message: ({ value }) => handled.push(value) } })
  await guard.run(2049)
  t.mock.timers.tick(1)
  read({ n: 2 })
  assert.deepEqual(handled, [{ n: 2 }])
  assert.deepEqual(wire.closes, [])
  assert.deepEqual(guard.denials(), ['SALLY_LIFETIME_EXPIRED?'])
})

test('it is looked up again each interval, and what is found is what handlers see', async t => {
  let looks = 0
  const guard = guarded(t, {
    lifetime: OFTEN,
    handshake: { session: () => ({ ...ANN, looks: ++looks }) },
  })
  const { connection } = guard.seat()
  await guard.run(999)
  assert.equal(looks, 0)
  await guard.run(1)
  assert.equal(looks, 1)
  await guard.run(2000)
  assert.equal(looks, 3)
  assert.deepEqual(connection.session, { ...ANN, looks: 3 })
})

for (const [name, found] of [
  ['is gone', () => null],
  ['is now of another user', () => ({ ...ANN, user: 'eve' })],
  ['is now another one', () => ({ ...ANN, id: 's2' })],
  ['is past its expiry', () => ({ ...ANN, expiresAt: START })],
  ['is gone, says a promise', async () => null],
] as const) {
  test(`at the re-check it ${name}: closed`, async t => {
    const guard = guarded(t, { lifetime: OFTEN, handshake: { session: found } })
    const { wire } = guard.seat()
    await guard.run(1000)
    assert.deepEqual(wire.closes, [[4401, 'SALLY_LIFETIME_INVALID']])
    assert.deepEqual(guard.denials(), ['SALLY_LIFETIME_INVALID'])
  })
}

test('a session with fields named pass, code and session is a session', async t => {
  const odd = { ...ANN, pass: false, code: 'x', session: null }
  const guard = guarded(t, { lifetime: OFTEN, handshake: { session: () => odd } })
  const { connection, wire } = guard.seat()
  await guard.run(1000)
  assert.deepEqual(wire.closes, [])
  assert.deepEqual(connection.session, odd)
})

for (const [name, fails] of [
  [
    'throws',
    () => {
      throw new Error('down')
    },
  ],
  ['rejects', () => Promise.reject(new Error('down'))],
  ['never answers', () => new Promise<never>(() => {})],
] as const) {
  test(`the store ${name}: tolerated for the grace, reported once, then closed`, async t => {
    const guard = guarded(t, { lifetime: OFTEN, timeout: 100, handshake: { session: fails } })
    const { wire } = guard.seat()
    await guard.run(1200)
    assert.deepEqual(wire.closes, [])
    assert.deepEqual(guard.denials(), ['SALLY_SESSION_UNAVAILABLE?'])
    await guard.run(1200)
    assert.deepEqual(wire.closes, [], 'the grace runs from the last yes, which is the opening')
    await guard.run(400)
    assert.deepEqual(wire.closes, [[1013, 'SALLY_LIFETIME_UNAVAILABLE']])
    assert.deepEqual(guard.denials(), ['SALLY_SESSION_UNAVAILABLE?', 'SALLY_LIFETIME_UNAVAILABLE'])
  })
}

test('a store that comes back within the grace resets it', async t => {
  let down = true
  const guard = guarded(t, {
    lifetime: OFTEN,
    handshake: {
      session() {
        if (down) throw new Error('down')
        return ANN
      },
    },
  })
  const { wire } = guard.seat()
  await guard.run(1600)
  down = false
  await guard.run(900)
  down = true
  await guard.run(1500)
  assert.deepEqual(wire.closes, [], '4 s after the opening')
  await guard.run(1800)
  assert.deepEqual(wire.closes, [[1013, 'SALLY_LIFETIME_UNAVAILABLE']])
})

test('a re-check that answers after the close changes nothing; two never run at once', async t => {
  const answers: ((found: null) => void)[] = []
  const guard = guarded(t, {
    lifetime: { session: { recheck: 500, grace: 60_000 } },
    timeout: 60_000,
    handshake: { session: () => new Promise<null>(resolve => answers.push(resolve)) },
  })
  const { connection, wire } = guard.seat()
  await guard.run(3000)
  assert.equal(answers.length, 1)
  connection.close(1000, 'bye')
  answers[0]!(null)
  await settled()
  assert.deepEqual(wire.closes, [[1000, 'bye']])
  assert.deepEqual(guard.denials(), [])
})

test('revoke ends its targets at once', async t => {
  for (const [target, left] of [
    [{ session: 's1' }, ['s2', 's3']],
    [{ user: 'ann' }, ['s3']],
    ['all', []],
  ] as const) {
    const guard = guarded(t, { lifetime: { session: {} } })
    const seats = [ANN, { id: 's2', user: 'ann' }, { id: 's3', user: 'bob' }].map(session => guard.seat({ session }))
    const done = guard.core.revoke(target)
    const open = seats.filter(({ wire }) => wire.closes.length === 0).map(({ connection }) => connection.session.id)
    assert.deepEqual(open, left)
    await done
    t.mock.timers.reset()
  }
})

test('report mode: each finding is reported once and nothing closes, except what the operator revokes', async t => {
  const session = { ...ANN, expiresAt: START + 5000 }
  const guard = guarded(t, { lifetime: OFTEN, handshake: { session: () => null }, report: ['lifetime/session'] })
  const { wire } = guard.seat({ session })
  await guard.run(10_000)
  assert.deepEqual(wire.closes, [])
  await guard.core.revoke('all')
  await guard.core.revoke('all')
  assert.deepEqual(wire.closes, [[4401, 'SALLY_LIFETIME_REVOKED']])
  assert.deepEqual(guard.denials(), ['SALLY_LIFETIME_INVALID?', 'SALLY_LIFETIME_EXPIRED?', 'SALLY_LIFETIME_REVOKED'])
})

test('off: neither expiry nor re-check', async t => {
  const session = { ...ANN, expiresAt: START + 2000 }
  const guard = guarded(t, { handshake: { session: () => assert.fail('looked up') } })
  const { wire } = guard.seat({ session })
  await guard.run(120_000)
  assert.deepEqual(wire.closes, [])
})

test('a crowd that nobody can vouch for: none ends within the grace, and not all in one instant after it', async t => {
  let down = false
  const guard = guarded(t, {
    lifetime: { session: { recheck: '10 seconds', grace: '100 seconds' }, heartbeat: { dangerouslyOff: true } },
    handshake: {
      session: () => {
        if (down) throw new Error('down')
        return ANN
      },
    },
  })
  const seats = Array.from({ length: 400 }, () => guard.seat({ id: createAttemptId(systemRuntime) }))
  const ended = (): number => seats.filter(({ wire }) => wire.closes.length > 0).length
  down = true
  await guard.run(99_900)
  assert.equal(ended(), 0)
  let before = 0
  for (let second = 0; second < 10; second++) {
    await guard.run(1000)
    const now = ended()
    assert.ok(now - before < 120, `${now - before} of 400 in one second`)
    before = now
  }
  await guard.run(300)
  assert.equal(ended(), 400)
})

for (const [name, endsWithinMs] of [
  ['that it names', 20_000],
  ['of the default', undefined],
] as const) {
  test(`a store that is lost ends a crowd over the time ${name}, and nobody who comes after it`, async t => {
    let tell: (state: StoreState) => void = () => undefined
    const store = {
      ...createMemoryStore(),
      onState(listener: typeof tell) {
        tell = listener
        return () => undefined
      },
    }
    const guard = guarded(t, { store, lifetime: { session: {} }, handshake: { session: () => ANN } })
    const seats = Array.from({ length: 400 }, () => guard.seat({ id: createAttemptId(systemRuntime) }))
    const ended = (): number => seats.filter(({ wire }) => wire.closes.length > 0).length
    tell({ state: 'lost', detail: 'a test', ...(endsWithinMs !== undefined && { endsWithinMs }) })
    tell({ state: 'available', detail: 'a test' })
    const { wire } = guard.seat({ id: createAttemptId(systemRuntime) })
    const within = endsWithinMs ?? 5000
    await guard.run(within / 2)
    assert.ok(ended() > 120 && ended() < 280, `${ended()} of 400 after half of the time`)
    await guard.run(within / 2 + 200)
    assert.equal(ended(), 400)
    assert.deepEqual(wire.closes, [])
    assert.deepEqual(seats[0]!.wire.closes, [[1013, 'SALLY_STORE_UNAVAILABLE']])
    store.close()
  })
}

test('one failed look-up ends nothing, however short the grace; a grace of 0 does', async t => {
  for (const [grace, closes] of [
    [100, []],
    [0, [[1013, 'SALLY_LIFETIME_UNAVAILABLE']]],
  ] as const) {
    let looks = 0
    const guard = guarded(t, {
      lifetime: { session: { recheck: 10_000, grace } },
      handshake: {
        session: () => {
          if (++looks === 1) throw new Error('down')
          return ANN
        },
      },
    })
    const { wire } = guard.seat()
    await guard.run(12_000)
    assert.deepEqual(wire.closes, closes)
    t.mock.timers.reset()
  }
})
