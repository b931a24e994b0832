import assert from 'node:assert/strict'
import { describe, it, mock } from 'node:test'
import { fc } from '../../../../test/support/fast-check.ts'
import { createMemoryStore, type MemoryStoreOptions } from '../../src/store/memory.ts'
import type { Budget } from '../../src/model/store.ts'
import { storeConformance } from './conformance.ts'

const START = 1_700_000_000_000
const clocked = (options: MemoryStoreOptions = {}) => {
  let at = START
  const store = createMemoryStore({ ...options, now: () => at })
  return {
    store,
    pass: (ms: number): void => {
      at += ms
    },
    close: (): void => store.close(),
  }
}

storeConformance('memory', () => clocked())

const minute: Budget = { amount: 30, perMs: 60_000, burst: 30 }

describe('the budget of take', () => {
  it('lets through no more than burst + amount·t/per in any window, whatever the pattern', () => {
    fc.assert(
      fc.property(
        fc.record({
          amount: fc.integer({ min: 1, max: 1000 }),
          perMs: fc.integer({ min: 1, max: 100_000 }),
          burst: fc.integer({ min: 1, max: 200 }),
        }),
        fc.array(fc.record({ wait: fc.integer({ min: 0, max: 5000 }), cost: fc.integer({ min: 0, max: 50 }) }), {
          maxLength: 60,
        }),
        (budget, steps) => {
          const { store, pass, close } = clocked()
          let at = 0
          const taken: { readonly at: number; readonly cost: number }[] = []
          for (const { wait, cost } of steps) {
            pass(wait)
            at += wait
            if (store.take('k', cost, budget).ok) taken.push({ at, cost })
          }
          close()
          for (const [index, first] of taken.entries()) {
            let sum = 0
            for (const last of taken.slice(index)) {
              sum += last.cost
              assert.ok(sum <= budget.burst + (budget.amount * (last.at - first.at)) / budget.perMs + 1e-6)
            }
          }
        },
      ),
      { numRuns: 300 },
    )
  })

  it('retryAfterMs is true: waiting it out lets the cost through, for any budget and cost within the burst', () => {
    fc.assert(
      fc.property(
        fc.record({
          amount: fc.integer({ min: 1, max: 1000 }),
          perMs: fc.integer({ min: 1, max: 100_000 }),
          burst: fc.integer({ min: 1, max: 200 }),
        }),
        fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 2, maxLength: 20 }),
        (budget, costs) => {
          const { store, pass, close } = clocked()
          for (const cost of costs) {
            const answer = store.take('k', cost, budget)
            if (answer.ok || cost > budget.burst) continue
            pass(answer.retryAfterMs)
            assert.equal(store.take('k', cost, budget).ok, true)
          }
          close()
        },
      ),
    )
  })

  it('keys that take turns are each as if alone, also over the sweeps that forget them', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            key: fc.constantFrom('a', 'b', 'c', 'd'),
            wait: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 40_000 })),
            cost: fc.integer({ min: 0, max: 30 }),
            sweeps: fc.boolean(),
          }),
          { maxLength: 80 },
        ),
        steps => {
          mock.timers.enable({ apis: ['setInterval', 'Date'], now: START })
          try {
            const together = createMemoryStore()
            const alone = new Map(['a', 'b', 'c', 'd'].map(key => [key, clocked()]))
            for (const { key, wait, cost, sweeps } of steps) {
              // A timer that is late, or in time.
              if (sweeps) mock.timers.tick(wait)
              else mock.timers.setTime(Date.now() + wait)
              for (const one of alone.values()) one.pass(wait)
              assert.deepEqual(together.take(key, cost, minute), alone.get(key)!.store.take(key, cost, minute))
            }
            for (const one of alone.values()) one.close()
            together.close()
          } finally {
            mock.timers.reset()
          }
        },
      ),
      { numRuns: 300 },
    )
  })

  it('a budget that was forgotten when it had refilled, and asked for again at once, is owed all the same', () => {
    mock.timers.enable({ apis: ['setInterval', 'Date'], now: START })
    try {
      for (const before of ['aa', 'aazz']) {
        const store = createMemoryStore()
        for (const key of before) store.take(key, 1, minute)
        for (let second = 0; second < 6; second++) mock.timers.tick(1000)
        assert.equal(store.size().budgets, 0)
        assert.equal(store.take('a', 30, minute).ok, true)
        for (const key of 'bbcc') store.take(key, 1, minute)
        assert.equal(store.take('a', 1, minute).ok, false)
        store.close()
      }
    } finally {
      mock.timers.reset()
    }
  })

  it('exactly one unit comes back after perMs / amount, and not a ms earlier', () => {
    const { store, pass, close } = clocked()
    assert.equal(store.take('k', 30, minute).ok, true)
    pass(1999)
    assert.equal(store.take('k', 1, minute).ok, false)
    pass(1)
    assert.equal(store.take('k', 1, minute).ok, true)
    assert.equal(store.take('k', 1, minute).ok, false)
    close()
  })

  it('fractions that do not add up exactly cost nothing more', () => {
    const { store, close } = clocked()
    const budget: Budget = { amount: 1, perMs: 60_000, burst: 3.3 }
    assert.equal(store.take('k', 1.1, budget).ok, true)
    assert.equal(store.take('k', 2.2, budget).ok, true)
    assert.equal(store.take('k', 0.001, budget).ok, false)
    close()
  })

  it('a clock set back by an hour refills nothing and does not block for an hour', () => {
    const { store, pass, close } = clocked()
    assert.equal(store.take('k', 30, minute).ok, true)
    pass(-3_600_000)
    assert.equal(store.take('k', 1, minute).ok, false)
    pass(2000)
    assert.equal(store.take('k', 1, minute).ok, true)
    close()
  })
})

describe('the bound on keys', () => {
  it('a crowd of addresses cannot push out the debt of one', () => {
    const { store, pass, close } = clocked({ maxKeys: 100 })
    assert.equal(store.take('attacker', 30, minute).ok, true)
    for (let round = 0; round < 20; round++) {
      for (let ip = 0; ip < 200; ip++) store.take(`crowd ${round} ${ip}`, 1, minute)
      assert.equal(store.take('attacker', 30, minute).ok, false, 'the debt is remembered')
      assert.ok(store.size().budgets <= 100)
      pass(2000)
    }
    close()
  })

  it('a new key is refused while every budget is in debt, and served when one has refilled', () => {
    const { store, pass, close } = clocked({ maxKeys: 2 })
    store.take('a', 1, minute)
    store.take('b', 10, minute)
    const refused = store.take('c', 1, minute)
    assert.equal(refused.ok, false)
    assert.ok(refused.retryAfterMs > 0)
    pass(2000)
    assert.equal(store.take('c', 1, minute).ok, true, 'a has refilled and gave way')
    assert.equal(store.take('b', 30, minute).ok, false, 'b is still in debt')
    close()
  })

  for (const { row, keys, expected } of [
    { row: 'one below', keys: 2, expected: true },
    { row: 'at', keys: 3, expected: false },
    { row: 'one above', keys: 4, expected: false },
  ]) {
    it(`${row} maxKeys: a further single use is ${expected ? 'kept' : 'an error, which denies'}`, () => {
      const { store, close } = clocked({ maxKeys: 3 })
      for (let key = 0; key < Math.min(keys, 3); key++) assert.equal(store.once(`k${key}`, 30_000), true)
      if (expected) assert.equal(store.once('more', 30_000), true)
      else assert.throws(() => store.once('more', 30_000), { code: 'SALLY_STORE_FULL' })
      assert.equal(store.once('k0', 30_000), false, 'a used key stays used')
      close()
    })

    it(`${row} maxKeys: a further lease is ${expected ? 'counted' : 'refused'}`, () => {
      const { store, close } = clocked({ maxKeys: 3 })
      for (let key = 0; key < Math.min(keys, 3); key++) assert.equal(store.lease(`k${key}`, 'c', 5, 30_000), true)
      assert.equal(store.lease('more', 'c', 5, 30_000), expected)
      assert.equal(store.lease('k0', 'c', 5, 30_000), true, 'one that is held is renewed')
      close()
    })
  }

  it('a flood of addresses does not keep tickets, leases or revocations out', () => {
    const { store, close } = clocked({ maxKeys: 10 })
    for (let ip = 0; ip < 100; ip++) store.take(`ip ${ip}`, 5, minute)
    assert.equal(store.once('ticket', 30_000), true)
    assert.equal(store.lease('user', 'c', 1, 30_000), true)
    store.revoke({ session: 's' }, 1000)
    assert.equal(store.revokedAt('s', 'u')?.session, START)
    close()
  })

  it('a revocation that cannot be kept still closes what is open, and says so', () => {
    const { store, close } = clocked({ maxKeys: 1 })
    const heard: unknown[] = []
    store.onRevoked(target => heard.push(target))
    store.revoke({ session: 'a' }, 1000)
    assert.throws(() => store.revoke({ session: 'b' }, 1000), { code: 'SALLY_STORE_FULL' })
    assert.deepEqual(heard, [{ session: 'a' }, { session: 'b' }])
    close()
  })

  it('a listener that throws spares nobody, and the failure is not swallowed', () => {
    const { store, close } = clocked()
    let heard = 0
    store.onRevoked(() => {
      throw new Error('broken')
    })
    store.onRevoked(() => heard++)
    assert.throws(() => store.revoke('all', 1000), AggregateError)
    assert.equal(heard, 1)
    assert.equal(store.revokedAt('s', 'u')?.user, START)
    close()
  })

  it('one function registered twice is told twice, and unsubscribes one by one', () => {
    const { store, close } = clocked()
    let heard = 0
    const listener = (): void => {
      heard++
    }
    const off = store.onRevoked(listener)
    store.onRevoked(listener)
    off()
    store.revoke('all', 1000)
    assert.equal(heard, 1)
    close()
  })
})

describe('what is over', () => {
  it('is swept by one timer that runs only while there are keys', () => {
    mock.timers.enable({ apis: ['setInterval', 'Date'], now: START })
    try {
      const set = mock.method(globalThis, 'setInterval')
      const clear = mock.method(globalThis, 'clearInterval')
      const store = createMemoryStore()
      assert.equal(set.mock.callCount(), 0, 'no timer without keys')
      for (let key = 0; key < 1000; key++) {
        store.once(`k${key}`, 1500 + key)
        store.lease('all', `c${key}`, 2000, 1500)
        store.take(`ip${key}`, 1, minute)
        store.revoke({ session: `s${key}` }, 2500)
      }
      assert.equal(set.mock.callCount(), 1)
      assert.deepEqual(store.size(), { budgets: 1000, once: 1000, leases: 1000, revocations: 1000 })
      for (let second = 0; second < 4; second++) mock.timers.tick(1000)
      assert.deepEqual(store.size(), { budgets: 0, once: 0, leases: 0, revocations: 0 })
      assert.equal(clear.mock.callCount(), 1, 'and none when they are gone')
      store.once('again', 1000)
      assert.equal(set.mock.callCount(), 2)
      store.close()
      assert.equal(clear.mock.callCount(), 2)
    } finally {
      // In this order: the spies stand before the mocked timers.
      mock.restoreAll()
      mock.timers.reset()
    }
  })

  it('the timer keeps no process alive', () => {
    const set = mock.method(globalThis, 'setInterval')
    const { store, close } = clocked()
    store.once('k', 1000)
    const timer: unknown = set.mock.calls[0]?.result
    set.mock.restore()
    assert.equal((timer as NodeJS.Timeout).hasRef(), false)
    close()
  })

  it('the end of a lapsed lease does not end a later one of the same id', () => {
    const { store, pass, close } = clocked()
    for (let id = 0; id < 100; id++) store.lease('crowd', `c${id}`, 100, 1000)
    store.lease('k', 'a', 1, 1000)
    pass(1000)
    assert.equal(store.lease('k', 'a', 1, 60_000), true, 'renewed before the sweeper came by')
    for (let id = 0; id < 50; id++) store.lease('sweeps', `c${id}`, 50, 60_000)
    assert.equal(store.size().leases, 51)
    assert.equal(store.lease('k', 'b', 1, 60_000), false)
    close()
  })

  it('what is prolonged is not swept at its old end', () => {
    const { store, pass, close } = clocked()
    store.lease('k', 'a', 1, 1000)
    for (let step = 0; step < 20; step++) {
      pass(900)
      assert.equal(store.lease('k', 'a', 1, 1000), true)
      store.once(`sweeps ${step}`, 500)
      assert.equal(store.lease('k', 'b', 1, 1000), false)
    }
    close()
  })

  it('a model of exact lapses agrees with the store over any order of calls', () => {
    const step = fc.record({
      wait: fc.integer({ min: 0, max: 900 }),
      // One id holds places under several keys, as a connection does: none may lapse or be given back with another.
      key: fc.integer({ min: 0, max: 2 }),
      id: fc.integer({ min: 0, max: 5 }),
      ttl: fc.constantFrom(300, 1000, 4000),
      release: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), steps => {
        const { store, pass, close } = clocked()
        const models = [0, 1, 2].map(() => new Map<number, number>())
        let at = START
        for (const { wait, key, id, ttl, release } of steps) {
          pass(wait)
          at += wait
          for (const model of models) for (const [held, due] of model) if (due <= at) model.delete(held)
          const model = models[key]!
          if (release) {
            store.release(`k${key}`, `c${id}`)
            model.delete(id)
          } else {
            const expected = model.has(id) || model.size < 3
            if (expected) model.set(id, at + ttl)
            assert.equal(store.lease(`k${key}`, `c${id}`, 3, ttl), expected)
          }
        }
        pass(5000)
        for (const key of [0, 1, 2]) for (const id of [6, 7, 8]) assert.ok(store.lease(`k${key}`, `c${id}`, 3, 1000))
        assert.equal(store.size().leases, 9, 'nothing that lapsed is left behind')
        close()
      }),
      { numRuns: 300 },
    )
  })

  it('after close everything that decides throws, and so denies', () => {
    const { store, close } = clocked()
    close()
    for (const call of [
      () => store.take('k', 1, minute),
      () => store.once('k', 1000),
      () => store.lease('k', 'c', 1, 1000),
      () => store.revoke('all', 1000),
      () => store.revokedAt('s', 'u'),
    ])
      assert.throws(call, { code: 'SALLY_STORE_CLOSED' })
    assert.doesNotThrow(() => store.release('k', 'c'))
  })

  for (const ttl of [0, -1, Number.NaN, Infinity])
    it(`a ttl of ${ttl} is a mistake of the caller`, () => {
      const { store, close } = clocked()
      assert.throws(() => store.once('k', ttl), TypeError)
      assert.throws(() => store.lease('k', 'c', 1, ttl), TypeError)
      assert.throws(() => store.revoke('all', ttl), TypeError)
      close()
    })

  for (const maxKeys of [0, -1, Number.NaN])
    it(`maxKeys of ${maxKeys} is a mistake of the caller`, () => {
      assert.throws(() => createMemoryStore({ maxKeys }), TypeError)
    })
})
