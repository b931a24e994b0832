import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { createCore, type Core } from '../../src/guard/core.ts'
import { createObserver } from '../../src/guard/observer.ts'
import { NOTHING_RARE } from '../../src/connection/rare-state.ts'
import { parsePolicy } from '../../src/policy/parse.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { StoreError } from '../../src/model/store-error.ts'
import type { Store } from '../../src/model/store.ts'
import { type Guarded, guarded, REQUEST, START } from './live.ts'
import { systemRuntime } from '../../src/model/system-runtime.ts'
import { runtimeAt } from '../support/runtime.ts'

const ANN = { id: 's1', user: 'ann' }
const GRACE = 8000
const TIMES = { session: { recheck: 4000, grace: GRACE } }
const OPEN_FOR_ALL = ['handshake/transport', 'handshake/host', 'handshake/request', 'handshake/origin'] as const

/** Another guard, as a reload makes one. `rest` lies over a policy that would let the connection in. */
function reload(
  rest: { handshake?: object; lifetime?: object; store?: Store; timeout?: number; report?: readonly string[] } = {},
  now: () => number = Date.now,
): Core {
  const { handshake, report = [], ...others } = rest
  const policy = parsePolicy({
    handshake: {
      origin: { allow: ['https://app.company.com'] },
      session: () => ANN,
      ticket: { dangerouslyWithoutTicket: true },
      ...handshake,
    },
    message: { schema: { dangerouslyAcceptAnyMessage: true } },
    lifetime: TIMES,
    report: [...OPEN_FOR_ALL, ...report],
    timeout: 1000,
    ...others,
  })
  const runtime = runtimeAt(now)
  return createCore(policy, runtime, createObserver(policy, runtime))
}

const world = (t: TestContext): Guarded => guarded(t, { lifetime: TIMES, handshake: { session: () => ANN } })
const never = (): Promise<never> => new Promise(() => undefined)
const ANONYMOUS = { session: { dangerouslyAnonymous: true }, ticket: undefined }
const throws = (): never => {
  throw new Error('down')
}
const away = (): never => {
  throw new StoreError('SALLY_STORE_UNAVAILABLE', 'away')
}
const storeThat = (rest: Partial<Store>): Store => ({ ...createMemoryStore(), ...rest })

describe('after a takeover nobody can tell', () => {
  for (const [name, rest] of [
    ['the resolver throws', { handshake: { session: throws } }],
    ['the resolver rejects', { handshake: { session: () => Promise.reject(new Error('500')) } }],
    ['the resolver does not answer', { handshake: { session: never } }],
    ['the resolver answers what is no session', { handshake: { session: () => ({ id: 7 }) } }],
    ['the store does not know of revocations', { store: storeThat({ revokedAt: away }) }],
    ['the store rejects', { store: storeThat({ revokedAt: () => Promise.reject(new Error('x')) }) }],
    ['the store cannot count', { store: storeThat({ lease: away }) }],
    ['the store never counts', { store: storeThat({ lease: never }) }],
    ['authorize throws', { handshake: { authorize: throws } }],
    ['authorize never answers', { handshake: { authorize: never } }],
  ] as const) {
    test(`${name}: it lives for the grace, from the last yes, and not longer`, async t => {
      const guard = world(t)
      const { connection, wire } = guard.seat()
      await guard.run(3000)
      reload(rest).adopt(connection)
      await guard.run(GRACE - 3000 - 1)
      assert.deepEqual(wire.closes, [])
      await guard.run(GRACE / 10 + 200)
      assert.deepEqual(wire.closes, [[1013, 'SALLY_LIFETIME_UNAVAILABLE']])
    })
  }

  test('the endpoint answers again within the grace: it stays, and the grace begins again', async t => {
    const guard = world(t)
    const { connection, wire } = guard.seat()
    let isDown = true
    reload({ handshake: { session: () => (isDown ? throws() : ANN) } }).adopt(connection)
    await guard.run(GRACE - 1500)
    isDown = false
    await guard.run(1500)
    isDown = true
    await guard.run(GRACE - 2000)
    assert.deepEqual(wire.closes, [])
    assert.equal(connection.uncheckedSince === 0, false)
    await guard.run(2000 + GRACE / 10 + 200)
    assert.deepEqual(wire.closes, [[1013, 'SALLY_LIFETIME_UNAVAILABLE']])
  })

  for (const [name, session] of [
    ['fails', throws],
    ['hangs', never],
  ] as const) {
    test(`a reload each second while the endpoint ${name} keeps no right alive beyond the grace`, async t => {
      const guard = world(t)
      const { connection, wire } = guard.seat()
      for (let second = 1; second * 1000 < GRACE; second++) {
        await guard.run(1000)
        assert.deepEqual(wire.closes, [], `open after ${second} s`)
        reload({ handshake: { session } }).adopt(connection)
      }
      await guard.run(1000 + GRACE / 10 + 200)
      assert.deepEqual(wire.closes, [[1013, 'SALLY_LIFETIME_UNAVAILABLE']])
      assert.ok(Date.now() - START <= GRACE * 1.1 + 1200)
    })
  }

  test('a time-out of a minute does not keep it open for a minute beyond the grace', async t => {
    const guard = world(t)
    const { connection, wire } = guard.seat()
    await guard.run(3900)
    reload({ handshake: { session: never }, timeout: 60_000 }).adopt(connection)
    await guard.run(GRACE + 5000 - 3900)
    assert.deepEqual(wire.closes, [[1013, 'SALLY_LIFETIME_UNAVAILABLE']])
  })

  test('a late yes of the policy before it does not count', async t => {
    const guard = world(t)
    const { connection } = guard.seat()
    const answer = Promise.withResolvers<typeof ANN>()
    reload({ handshake: { session: () => answer.promise } }).adopt(connection)
    await guard.run(500)
    reload({ handshake: { session: throws } }).adopt(connection)
    answer.resolve(ANN)
    await guard.run(100)
    assert.equal(connection.checkedAt, START)
    assert.notEqual(connection.uncheckedSince, 0)
  })

  test('what the app is told: one event for each connection, however often it is tried', async t => {
    const guard = world(t)
    const { connection } = guard.seat()
    const policy = parsePolicy({
      handshake: {
        origin: { allow: ['https://app.company.com'] },
        session: throws,
        ticket: { dangerouslyWithoutTicket: true },
      },
      message: { schema: { dangerouslyAcceptAnyMessage: true } },
      lifetime: TIMES,
      report: OPEN_FOR_ALL,
    })
    const observer = createObserver(policy, systemRuntime)
    const told: string[] = []
    observer.events.on(({ kind, code, enforced }) => {
      if (kind === 'denial' && code!.startsWith('SALLY_SESSION')) told.push(`${code}${enforced ? '' : '?'}`)
    })
    createCore(policy, systemRuntime, observer).adopt(connection)
    await guard.run(GRACE / 2)
    assert.deepEqual(told, ['SALLY_SESSION_UNAVAILABLE?'])
  })
})

describe('after a takeover the answer is no: it ends at once', () => {
  for (const [name, rest, closes] of [
    ['nobody', { handshake: { session: () => null } }, [4401, 'SALLY_SESSION_MISSING']],
    ['another session', { handshake: { session: () => ({ ...ANN, id: 's2' }) } }, [4401, 'SALLY_LIFETIME_INVALID']],
    ['another user', { handshake: { session: async () => ({ ...ANN, user: 'x' }) } }, [4401, 'SALLY_LIFETIME_INVALID']],
    ['an anonymous policy', { handshake: ANONYMOUS }, [4401, 'SALLY_LIFETIME_INVALID']],
    ['authorize says no', { handshake: { authorize: () => false } }, [1008, 'SALLY_HANDSHAKE_FORBIDDEN']],
    [
      'authorize says no while the session store is down',
      { handshake: { session: throws, authorize: async () => false } },
      [1008, 'SALLY_HANDSHAKE_FORBIDDEN'],
    ],
    ['a cap is full', { store: storeThat({ lease: () => false }) }, [1013, 'SALLY_CONNECTIONS_FULL']],
    [
      'the session was revoked there',
      { store: storeThat({ revokedAt: () => ({ session: START, user: null }) }) },
      [4401, 'SALLY_SESSION_REVOKED'],
    ],
  ] as const) {
    test(name, async t => {
      const guard = world(t)
      const { connection, wire } = guard.seat()
      reload(rest).adopt(connection)
      await guard.run(100)
      assert.deepEqual(wire.closes, [closes])
    })
  }

  for (const [name, control] of [
    ['Origin', 'handshake/origin'],
    ['Host', 'handshake/host'],
  ] as const) {
    test(`${name}, though the session cannot be looked up`, async t => {
      const guard = world(t)
      const { connection, wire } = guard.seat()
      const policy = parsePolicy({
        handshake: {
          origin: { allow: ['https://other.company.com'] },
          session: throws,
          ticket: { dangerouslyWithoutTicket: true },
        },
        message: { schema: { dangerouslyAcceptAnyMessage: true } },
        report: OPEN_FOR_ALL.filter(id => id !== control),
      })
      createCore(policy, systemRuntime, createObserver(policy, systemRuntime)).adopt(connection)
      await guard.run(100)
      assert.equal(wire.closes.length, 1)
    })
  }

  test('a revocation while the new policy waits for its answer', async t => {
    const guard = world(t)
    const { connection, wire } = guard.seat()
    const answer = Promise.withResolvers<typeof ANN>()
    const core = reload({ handshake: { session: () => answer.promise } })
    core.adopt(connection)
    await core.revoke({ session: 's1' })
    answer.resolve(ANN)
    await guard.run(1000)
    assert.deepEqual(wire.closes, [[4401, 'SALLY_LIFETIME_REVOKED']])
  })
})

test('an anonymous connection stays what it is under another anonymous policy', async t => {
  const guard = guarded(t, { lifetime: TIMES, handshake: ANONYMOUS })
  const { connection, wire } = guard.seat({ id: 'c7', session: { id: 'c7', user: 'ip:192.0.2.1' } })
  reload({ handshake: ANONYMOUS }).adopt(connection)
  await guard.run(5000)
  assert.deepEqual(wire.closes, [])
  assert.equal(connection.unjudged, false)
})

test('a reload leaves no record behind on a connection that it confirmed', async t => {
  const guard = world(t)
  const { connection } = guard.seat()
  const own = connection as unknown as { readonly rare: object }
  reload({ handshake: { session: async () => ANN } }).adopt(connection)
  assert.notEqual(own.rare, NOTHING_RARE)
  await guard.run(200)
  assert.equal(own.rare, NOTHING_RARE)
})

test('lifetime.session off: it stays in doubt, and is asked for until there is an answer', async t => {
  const guard = world(t)
  const { connection, wire } = guard.seat()
  let answer: () => unknown = throws
  const core = reload({
    handshake: { session: () => answer() },
    lifetime: { session: { dangerouslyOff: true }, heartbeat: { dangerouslyOff: true }, idle: { after: '1 day' } },
  })
  core.adopt(connection)
  await guard.run(300_000)
  assert.deepEqual(wire.closes, [])
  answer = () => null
  await guard.run(90_000)
  assert.deepEqual(wire.closes, [[4401, 'SALLY_SESSION_MISSING']])
})

test('a clock that is set back by an hour prolongs no grace by an hour', async t => {
  const guard = world(t)
  const { connection, wire } = guard.seat()
  let shift = 0
  reload({ handshake: { session: throws } }, () => Date.now() - shift).adopt(connection)
  await guard.run(1000)
  shift = 3_600_000
  await guard.run(GRACE * 1.1 + 1000)
  assert.deepEqual(wire.closes, [[1013, 'SALLY_LIFETIME_UNAVAILABLE']])
})

test('thousands of connections at one reload: no more than 64 look-ups at once, and all of them are made', async t => {
  const guard = world(t)
  const seats = Array.from({ length: 2000 }, () => guard.seat())
  const seen = { running: 0, most: 0, asked: 0 }
  const session = async (): Promise<typeof ANN> => {
    seen.asked++
    seen.most = Math.max(seen.most, ++seen.running)
    await new Promise(setImmediate)
    seen.running--
    return ANN
  }
  const core = reload({ handshake: { session, connections: { perIp: 10_000, perUser: 10_000 } } })
  for (const { connection } of seats) core.adopt(connection)
  while (seen.asked < 2000 || seen.running > 0) await new Promise(setImmediate)
  assert.ok(seen.most <= 64, `${seen.most} at once`)
  await guard.run(200)
  assert.equal(seats.filter(({ wire, connection }) => wire.closes.length > 0 || connection.unjudged).length, 0)
})

test('strangers whose look-ups never end do not delay the look-ups of open connections', async t => {
  const guard = world(t)
  const seats = Array.from({ length: 100 }, () => guard.seat())
  let strangers = 0
  const session = (request: unknown): Promise<typeof ANN> => {
    if (request === REQUEST) return Promise.resolve(ANN)
    strangers++
    return never()
  }
  const core = reload({ handshake: { session, connections: { perUser: 1000 } }, timeout: 60_000 })
  const headers = { host: 'app.company.com', origin: 'https://app.company.com', cookie: 'sid=guessed' }
  for (let index = 0; index < 500; index++) {
    void core.admit(
      core.fromWeb(new Request('https://app.company.com/ws', { headers }), `10.0.${index >> 8}.${index % 256}`),
    )
  }
  assert.ok(strangers > 8, `${strangers} look-ups of strangers run`)
  for (const { connection } of seats) core.adopt(connection)
  await guard.run(500)
  assert.equal(seats.filter(({ connection }) => connection.unjudged || connection.readyState !== 1).length, 0)
})
