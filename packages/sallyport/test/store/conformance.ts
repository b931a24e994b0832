import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import type { Budget, Store, RevocationTarget } from '../../src/model/store.ts'

/** A store under test, with the clock that it goes by. */
export interface StoreUnderTest {
  readonly store: Store
  /** Lets `ms` pass for the store: moves an injected clock, or waits. */
  readonly pass: (ms: number) => Promise<void> | void
  readonly close: () => Promise<void> | void
}

const range = (length: number): number[] => Array.from({ length }, (_, index) => index)
const SECOND = 1000

/** What every store must do, in one process or in a cluster. */
export function storeConformance(name: string, create: () => Promise<StoreUnderTest> | StoreUnderTest): void {
  describe(`${name} conforms to the store contract`, () => {
    const opened: StoreUnderTest[] = []
    let serial = 0
    /** No two tests share a key, so that a shared store can be tested without being emptied. */
    const fresh = (): string => `conformance:${process.pid}:${Date.now()}:${serial++}`
    const open = async (): Promise<StoreUnderTest> => {
      const made = await create()
      opened.push(made)
      return made
    }
    after(async () => {
      for (const made of opened) await made.close()
    })

    describe('take', () => {
      const budget: Budget = { amount: 10, perMs: 10 * SECOND, burst: 5 }
      for (const { row, costs, expected } of [
        { row: 'one below the burst passes', costs: [1, 1, 1, 1], expected: [true, true, true, true] },
        { row: 'the burst itself passes', costs: [1, 1, 1, 1, 1], expected: [true, true, true, true, true] },
        { row: 'one above the burst is refused', costs: [5, 1], expected: [true, false] },
        { row: 'a cost of the whole burst passes once', costs: [5, 5], expected: [true, false] },
        { row: 'a cost above the burst never passes', costs: [6, 5], expected: [false, true] },
        { row: 'a refused cost takes nothing', costs: [3, 3, 2], expected: [true, false, true] },
        { row: 'a cost that is no number is refused', costs: [Number.NaN, 5], expected: [false, true] },
        { row: 'a negative cost refunds nothing', costs: [5, -5, 1], expected: [true, false, false] },
      ]) {
        it(row, async () => {
          const { store } = await open()
          const key = fresh()
          const answers: boolean[] = []
          for (const cost of costs) answers.push((await store.take(key, cost, budget)).ok)
          assert.deepEqual(answers, expected)
        })
      }

      it('retryAfterMs tells when the cost passes: not earlier, then at once', async () => {
        const { store, pass } = await open()
        const key = fresh()
        assert.equal((await store.take(key, 5, budget)).ok, true)
        const refused = await store.take(key, 2, budget)
        assert.equal(refused.ok, false)
        assert.ok(refused.retryAfterMs > 1000 && refused.retryAfterMs <= 2000, `${refused.retryAfterMs} ms`)
        await pass(refused.retryAfterMs - 500)
        assert.equal((await store.take(key, 2, budget)).ok, false)
        await pass(600)
        assert.equal((await store.take(key, 2, budget)).ok, true)
      })

      it('refills to the burst and not beyond it', async () => {
        const { store, pass } = await open()
        const key = fresh()
        const slow: Budget = { amount: 10, perMs: SECOND, burst: 3 }
        assert.equal((await store.take(key, 3, slow)).ok, true)
        await pass(SECOND)
        const answers: boolean[] = []
        for (const cost of [3, 2]) answers.push((await store.take(key, cost, slow)).ok)
        assert.deepEqual(answers, [true, false])
      })

      it('50 racing takes: exactly the burst passes', async () => {
        const { store } = await open()
        const key = fresh()
        const answers = await Promise.all(range(50).map(async () => (await store.take(key, 1, budget)).ok))
        assert.equal(answers.filter(Boolean).length, 5)
      })

      it('keys do not share a budget', async () => {
        const { store } = await open()
        assert.equal((await store.take(fresh(), 5, budget)).ok, true)
        assert.equal((await store.take(fresh(), 5, budget)).ok, true)
      })
    })

    describe('once', () => {
      it('50 racing uses: exactly one wins', async () => {
        const { store } = await open()
        const key = fresh()
        const answers = await Promise.all(range(50).map(async () => store.once(key, 30 * SECOND)))
        assert.equal(answers.filter(Boolean).length, 1)
      })

      it('is refused until the ttl is over, and free after it', async () => {
        const { store, pass } = await open()
        const key = fresh()
        assert.equal(await store.once(key, SECOND), true)
        await pass(500)
        assert.equal(await store.once(key, SECOND), false)
        await pass(700)
        assert.equal(await store.once(key, SECOND), true)
      })
    })

    describe('lease', () => {
      it('50 racing leases under a cap of 10: exactly 10 live', async () => {
        const { store } = await open()
        const key = fresh()
        const answers = await Promise.all(range(50).map(async id => store.lease(key, `c${id}`, 10, 30 * SECOND)))
        assert.equal(answers.filter(Boolean).length, 10)
      })

      for (const { row, held, expected } of [
        { row: 'one below the cap', held: 2, expected: true },
        { row: 'at the cap', held: 3, expected: false },
      ]) {
        it(`${row}: one more is ${expected ? 'counted' : 'refused'}`, async () => {
          const { store } = await open()
          const key = fresh()
          for (const id of range(held)) assert.equal(await store.lease(key, `c${id}`, 3, 30 * SECOND), true)
          assert.equal(await store.lease(key, 'more', 3, 30 * SECOND), expected)
        })
      }

      it('a cap of zero holds nobody', async () => {
        const { store } = await open()
        assert.equal(await store.lease(fresh(), 'c', 0, SECOND), false)
      })

      it('taking it again renews and does not count twice', async () => {
        const { store, pass } = await open()
        const key = fresh()
        assert.equal(await store.lease(key, 'a', 2, SECOND), true)
        await pass(600)
        assert.equal(await store.lease(key, 'a', 2, SECOND), true)
        assert.equal(await store.lease(key, 'b', 2, SECOND), true)
        await pass(600)
        assert.equal(await store.lease(key, 'c', 2, SECOND), false, 'renewed at 600 ms, alive at 1 200 ms')
      })

      it('asked for twice at once it is one place', async () => {
        const { store } = await open()
        const key = fresh()
        const both = ['a', 'a'].map(async id => store.lease(key, id, 1, 30 * SECOND))
        assert.deepEqual(await Promise.all(both), [true, true])
        assert.equal(await store.lease(key, 'b', 1, 30 * SECOND), false)
        await store.release(key, 'a')
        assert.equal(await store.lease(key, 'b', 1, 30 * SECOND), true)
      })

      it('a lease that is not renewed lapses: a crash leaves no stale count', async () => {
        const { store, pass } = await open()
        const key = fresh()
        assert.equal(await store.lease(key, 'crashed', 1, SECOND), true)
        await pass(500)
        assert.equal(await store.lease(key, 'next', 1, SECOND), false)
        await pass(700)
        assert.equal(await store.lease(key, 'next', 1, SECOND), true)
        assert.equal(await store.lease(key, 'crashed', 1, SECOND), false, 'a lapsed lease has no place by right')
      })

      it('a short lease behind a long one lapses too', async () => {
        const { store, pass } = await open()
        const key = fresh()
        assert.equal(await store.lease(key, 'long', 2, 60 * SECOND), true)
        assert.equal(await store.lease(key, 'short', 2, SECOND), true)
        await pass(1200)
        assert.equal(await store.lease(key, 'next', 2, SECOND), true)
        assert.equal(await store.lease(key, 'more', 2, SECOND), false)
      })

      it('release frees one place, twice frees no second one', async () => {
        const { store } = await open()
        const key = fresh()
        for (const id of ['a', 'b']) assert.equal(await store.lease(key, id, 2, 30 * SECOND), true)
        await store.release(key, 'a')
        await store.release(key, 'a')
        await store.release(key, 'never held')
        assert.equal(await store.lease(key, 'c', 2, 30 * SECOND), true)
        assert.equal(await store.lease(key, 'd', 2, 30 * SECOND), false)
      })
    })

    describe('remember', () => {
      /** Some stores answer a write before it is done. */
      const recalled = async (store: Store, key: string, expected: string | null): Promise<void> => {
        for (let nth = 0; nth < 200 && (await store.recall!(key)) !== expected; nth++)
          await new Promise(resolve => setTimeout(resolve, 5))
        assert.equal(await store.recall!(key), expected)
      }

      it('answers the text until its time is over, then nothing', async () => {
        const { store, pass } = await open()
        const key = fresh()
        assert.equal(await store.recall!(key), null)
        await store.remember!(key, 'ann, \u{1f600} "quoted"', 2 * SECOND)
        await recalled(store, key, 'ann, \u{1f600} "quoted"')
        await pass(2 * SECOND + 100)
        await recalled(store, key, null)
      })

      it('the later text stands, for its own time', async () => {
        const { store, pass } = await open()
        const key = fresh()
        await store.remember!(key, 'first', SECOND)
        await store.remember!(key, 'second', 60 * SECOND)
        await pass(SECOND + 100)
        await recalled(store, key, 'second')
      })

      it('forgets one key and no other; what was never remembered can be forgotten', async () => {
        const { store } = await open()
        const [key, other] = [fresh(), fresh()]
        await store.remember!(key, 'a', 60 * SECOND)
        await store.remember!(other, 'b', 60 * SECOND)
        await recalled(store, other, 'b')
        await store.forget!(key)
        await store.forget!(fresh())
        await recalled(store, key, null)
        assert.equal(await store.recall!(other), 'b')
      })
    })

    describe('revoke', () => {
      it('marks a session, a user and everybody, each for its ttl', async () => {
        const { store, pass } = await open()
        const [session, user] = [fresh(), fresh()]
        const before = await store.revokedAt(session, user)
        assert.equal(before?.session ?? null, null)
        await store.revoke({ session }, 2 * SECOND)
        const first = await store.revokedAt(session, user)
        assert.equal(typeof first?.session, 'number')
        assert.equal((await store.revokedAt(fresh(), user))?.session ?? null, null, 'another session is untouched')
        await pass(500)
        await store.revoke({ user }, 4 * SECOND)
        const second = await store.revokedAt(session, user)
        assert.ok(second?.user && first?.session && second.user > first.session)
        await pass(500)
        await store.revoke('all', SECOND)
        const third = await store.revokedAt(fresh(), fresh())
        assert.ok(third?.user && second.user && third.user > second.user, 'everybody counts as the user')
        assert.equal(third?.session, null)
        await pass(1300)
        const later = await store.revokedAt(session, user)
        assert.equal(later?.session ?? null, null, 'the mark of the session is over')
        // How its clock stands to ours a shared store knows no better than a round trip.
        const apart = Math.abs((later?.user ?? Number.NaN) - second.user)
        assert.ok(apart < 250, 'the later one of all is over, that of the user holds')
      })

      it('a session and a user of the same name are not mixed up', async () => {
        const { store } = await open()
        const same = fresh()
        await store.revoke({ user: same }, SECOND)
        assert.equal((await store.revokedAt(same, fresh()))?.session ?? null, null)
      })

      it('a later revocation with a shorter ttl does not shorten the first', async () => {
        const { store, pass } = await open()
        const session = fresh()
        await store.revoke({ session }, 3 * SECOND)
        await store.revoke({ session }, SECOND / 2)
        await pass(1000)
        assert.equal(typeof (await store.revokedAt(session, fresh()))?.session, 'number')
      })

      it('tells every listener, until it unsubscribes', async () => {
        const { store } = await open()
        const session = fresh()
        const heard: RevocationTarget[] = []
        const { promise: arrived, resolve: told } = Promise.withResolvers<void>()
        const gone: RevocationTarget[] = []
        const off = store.onRevoked(target => gone.push(target))
        off()
        off()
        store.onRevoked(target => {
          if (target === 'all' || !('session' in target) || target.session !== session) return
          heard.push(target)
          told()
        })
        await store.revoke({ session }, SECOND)
        await arrived
        assert.deepEqual(heard, [{ session }])
        assert.deepEqual(gone, [])
      })
    })
  })
}
