import assert from 'node:assert/strict'
import { describe, it, mock } from 'node:test'
import { fc } from '../../../../test/support/fast-check.ts'
import { type Bucket, takeFrom } from '../../src/store/bucket.ts'
import { createShares, type ShareAsk, type ShareGrant, type Shares } from '../../src/store/shares.ts'
import type { Budget } from '../../src/model/store.ts'
import { runtimeAt } from '../support/runtime.ts'

const budget: Budget = { amount: 100, perMs: 60_000, burst: 100 }

/** The shared budget as Redis keeps it, with a clock of its own. */
function sharedBudget() {
  let at = 1_000_000
  const buckets = new Map<string, Bucket>()
  let away = false
  const calls: (readonly ShareAsk[])[] = []
  const settle = (asks: readonly ShareAsk[]): ShareGrant[] =>
    asks.map(({ key, budget: of, owed, wanted }) => {
      const bucket = buckets.get(key) ?? { debt: 0, at }
      buckets.set(key, bucket)
      takeFrom(bucket, owed, { ...of, burst: Infinity }, at)
      let granted = Math.floor(wanted)
      while (granted > 0 && !takeFrom(bucket, granted, of, at).ok) granted--
      const short = ((bucket.debt + 1 - of.burst) * of.perMs) / of.amount
      return { granted, retryAfterMs: granted < wanted ? Math.max(1, Math.ceil(short)) : 0 }
    })
  const node = (nodes: number, excess = 0.1): Shares =>
    createShares({
      async settle(asks) {
        calls.push(asks)
        return away ? asks.map(() => null) : settle(asks)
      },
      nodes: () => nodes,
      away: () => away,
      excess,
      maxKeys: 100,
      runtime: runtimeAt(() => at),
    })
  return {
    node,
    calls,
    pass: (ms: number) => (at += ms),
    setAway: (value: boolean) => (away = value),
  }
}

const turn = async (): Promise<void> => {
  mock.timers.tick(5)
  for (let nth = 0; nth < 8; nth++) await Promise.resolve()
}

describe('local shares of a budget', () => {
  it('the first message is answered at once, on credit, and settled with the others of its second', async () => {
    mock.timers.enable({ apis: ['setTimeout'] })
    try {
      const shared = sharedBudget()
      const shares = shared.node(1)
      for (let nth = 0; nth < 4; nth++) assert.deepEqual(shares.take('u', 1, budget), { ok: true, retryAfterMs: 0 })
      assert.equal(shared.calls.length, 0, 'no call on the hot path')
      shares.tick()
      await turn()
      assert.equal(shared.calls.length, 1)
      assert.equal(shared.calls[0]?.[0]?.owed, 4)
      shares.close()
    } finally {
      mock.timers.reset()
    }
  })

  for (const { row, nodes, excess } of [
    { row: 'one node', nodes: 1, excess: 0.1 },
    { row: 'three nodes', nodes: 3, excess: 0.1 },
    { row: 'a hundred nodes, one message each on credit', nodes: 100, excess: 0.1 },
    { row: 'three nodes without excess', nodes: 3, excess: 0 },
  ]) {
    it(`${row}: a flood at every node passes no more than the burst and the stated excess`, async () => {
      mock.timers.enable({ apis: ['setTimeout'] })
      try {
        const shared = sharedBudget()
        const shares = Array.from({ length: nodes }, () => shared.node(nodes, excess))
        let passed = 0
        const waiting: Promise<void>[] = []
        for (let round = 0; round < 8; round++) {
          for (const share of shares) {
            for (let nth = 0; nth < 50; nth++) {
              const taken = share.take('u', 1, budget)
              if (taken instanceof Promise) waiting.push(taken.then(({ ok }) => void (passed += Number(ok))))
              else passed += Number(taken.ok)
            }
          }
          for (let nth = 0; nth < 8; nth++) await turn()
        }
        for (const share of shares) share.close()
        await Promise.all(waiting)
        const bound = budget.burst + (excess === 0 ? 0 : Math.max(budget.burst * excess, nodes))
        assert.ok(passed <= bound, `${passed} of ${bound}`)
        assert.ok(passed >= budget.burst - nodes, `${passed}: the budget itself is served`)
      } finally {
        mock.timers.reset()
      }
    })
  }

  it('who says little waits for nobody, however many nodes there are', async () => {
    mock.timers.enable({ apis: ['setTimeout'] })
    try {
      const shared = sharedBudget()
      const shares = shared.node(100)
      for (let nth = 0; nth < 5; nth++) {
        assert.ok(!(shares.take('u', 1, budget) instanceof Promise))
        shares.tick()
        await turn()
        shared.pass(10_000)
      }
      assert.ok(shared.calls.length <= 5, 'at most one settlement each')
      shares.close()
    } finally {
      mock.timers.reset()
    }
  })

  it('over any time and pattern the sum stays within burst, refill and excess', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.array(
          fc.record({
            node: fc.integer({ min: 0, max: 4 }),
            cost: fc.integer({ min: 1, max: 20 }),
            wait: fc.integer({ min: 0, max: 3000 }),
          }),
          { maxLength: 80 },
        ),
        async (nodes, steps) => {
          mock.timers.enable({ apis: ['setTimeout'] })
          try {
            const shared = sharedBudget()
            const shares = Array.from({ length: nodes }, () => shared.node(nodes))
            let elapsed = 0
            let passed = 0
            for (const { node, cost, wait } of steps) {
              shared.pass(wait)
              elapsed += wait
              const taken = shares[node % nodes]!.take('u', cost, budget)
              await turn()
              await turn()
              if (taken instanceof Promise) void taken.then(({ ok }) => (passed += ok ? cost : 0))
              else if (taken.ok) passed += cost
              for (const share of shares) share.tick()
              await turn()
            }
            const bound = budget.burst * 1.1 + (elapsed * budget.amount) / budget.perMs
            assert.ok(passed <= bound + 1e-6, `${passed} of ${bound}`)
            for (const share of shares) share.close()
          } finally {
            mock.timers.reset()
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  it('away: each node spends its part alone, and what it spent is owed when the budget is back', async () => {
    mock.timers.enable({ apis: ['setTimeout'] })
    try {
      const shared = sharedBudget()
      const shares = [shared.node(2), shared.node(2)] as const
      // Units that were granted before are spent first.
      for (const share of shares) {
        void share.take('u', 50, budget)
        await turn()
        await turn()
      }
      shared.setAway(true)
      let passed = 0
      shared.pass(60_000)
      for (const share of shares) {
        for (let nth = 0; nth < 200; nth++) {
          const taken = share.take('u', 1, budget)
          assert.ok(!(taken instanceof Promise), 'nothing waits for what is away')
          passed += Number(taken.ok)
        }
      }
      assert.ok(passed <= budget.burst, `${passed}`)
      shared.setAway(false)
      for (const share of shares) {
        void share.take('u', 1, budget)
        share.tick()
        await turn()
      }
      const owed = shared.calls.flat().reduce((sum, ask) => sum + ask.owed, 0)
      assert.ok(owed >= passed, `${owed} of ${passed}`)
      for (const share of shares) share.close()
    } finally {
      mock.timers.reset()
    }
  })

  for (const { row, cost, ok } of [
    { row: 'a cost of the whole burst', cost: 100, ok: true },
    { row: 'one above the burst', cost: 101, ok: false },
    { row: 'no number', cost: Number.NaN, ok: false },
    { row: 'a negative cost', cost: -1, ok: false },
  ]) {
    it(`${row} ${ok ? 'passes' : 'is refused at once'}`, async () => {
      mock.timers.enable({ apis: ['setTimeout'] })
      try {
        const shares = sharedBudget().node(1)
        const taken = shares.take('u', cost, budget)
        for (let nth = 0; nth < 4; nth++) await turn()
        assert.equal((await taken).ok, ok)
        shares.close()
      } finally {
        mock.timers.reset()
      }
    })
  }

  it('the number of keys is bounded: a crowd is refused, the known go on', () => {
    const shares = sharedBudget().node(1)
    for (let nth = 0; nth < 100; nth++) assert.equal((shares.take(`u${nth}`, 1, budget) as { ok: boolean }).ok, true)
    assert.equal((shares.take('one more', 1, budget) as { ok: boolean }).ok, false)
    assert.equal((shares.take('u5', 1, budget) as { ok: boolean }).ok, true)
    assert.equal(shares.size, 100)
    shares.close()
  })

  it('closing lets nobody wait', async () => {
    const shares = sharedBudget().node(1)
    const taken = shares.take('u', 100, budget)
    shares.close()
    assert.equal((await taken).ok, false)
  })
})
