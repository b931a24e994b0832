import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createMemoryStore } from '../../src/store/memory.ts'
import { StoreError } from '../../src/model/store-error.ts'
import type { Store, StoreState, RevocationTarget } from '../../src/model/store.ts'
import { closeOf, createWorld, nextMessage, refusalOf } from '../support/world.ts'

/** A store that can be told to be away, to have news, and to say how it is. */
function sharedStore() {
  const memory = createMemoryStore()
  const asked: string[] = []
  let news: (target: RevocationTarget, at?: number) => void = () => undefined
  let state: (state: StoreState) => void = () => undefined
  const control = { away: false }
  const unlessAway = <T>(work: () => T): Promise<T> =>
    control.away
      ? Promise.reject(new StoreError('SALLY_STORE_UNAVAILABLE', 'it is away'))
      : Promise.resolve().then(work)
  const store: Store = {
    take: (key, cost, budget) => {
      asked.push(`take ${key.split(':').slice(0, 2).join(':')}`)
      return unlessAway(() => memory.take(key, cost, budget))
    },
    takeShare(key, cost, budget) {
      asked.push(`share ${key.split(':').slice(0, 2).join(':')}`)
      return memory.take(`share ${key}`, cost, budget)
    },
    once: (key, ttlMs, bornAt) => {
      asked.push(`once born ${typeof bornAt}`)
      return unlessAway(() => memory.once(key, ttlMs))
    },
    lease: (key, id, cap, ttlMs) => unlessAway(() => memory.lease(key, id, cap, ttlMs)),
    release: (key, id) => memory.release(key, id),
    revoke: (target, ttlMs) => unlessAway(() => memory.revoke(target, ttlMs)),
    revokedAt: (session, user) => unlessAway(() => memory.revokedAt(session, user)),
    onRevoked(listener) {
      news = listener
      return () => undefined
    },
    onState(listener) {
      state = listener
      return () => undefined
    },
  }
  return {
    store,
    control,
    asked,
    tell: (target: RevocationTarget, at?: number) => (at === undefined ? news(target) : news(target, at)),
    state: (of: StoreState['state']) => state({ state: of, detail: 'a test' }),
  }
}

describe('a guard on a shared store', () => {
  it('messages ask shares of their budgets, handshakes ask the budgets themselves', async () => {
    const shared = sharedStore()
    const world = await createWorld({ store: shared.store })
    try {
      const socket = await world.connect()
      assert.ok(shared.asked.includes('take handshake:user'))
      assert.ok(shared.asked.includes('once born number'), 'a ticket says when it was issued')
      shared.asked.length = 0
      socket.send(JSON.stringify({ type: 'chat', message: 'hello' }))
      await nextMessage(socket)
      assert.deepEqual(shared.asked, ['share message:user', 'share message:ip'])
    } finally {
      await world.close()
    }
  })

  it('away: a handshake is 503 by the name of the store, an open socket talks on', async () => {
    const shared = sharedStore()
    const world = await createWorld({ store: shared.store })
    try {
      const socket = await world.connect()
      const ticket = await world.ticket('ann-1')
      shared.control.away = true
      const refusal = await refusalOf(
        world.client({ sid: 'ann-1', protocols: ['sallyport.v1', `sallyport.ticket.${ticket}`] }),
      )
      assert.equal(refusal.status, 503)
      assert.equal(refusal.body, '{"code":"SALLY_STORE_UNAVAILABLE"}')
      socket.send(JSON.stringify({ type: 'chat', message: 'still here' }))
      assert.deepEqual(await nextMessage(socket), { type: 'chat', message: 'echo still here' })
    } finally {
      await world.close()
    }
  })

  it('every change of state is an event; lost ends every connection', async () => {
    const shared = sharedStore()
    const world = await createWorld({ store: shared.store })
    try {
      const socket = await world.connect()
      const close = closeOf(socket)
      for (const state of ['unavailable', 'probing', 'lost', 'available'] as const) shared.state(state)
      assert.deepEqual(await close, { code: 1013, reason: 'SALLY_STORE_UNAVAILABLE' })
      const told = world.events.filter(({ kind }) => kind === 'store')
      assert.deepEqual(
        told.map(({ event, level }) => `${event.split(':')[0]} ${level}`),
        ['sys_monitor_disabled error', 'sys_restart info', 'sys_crash critical', 'sys_monitor_enabled info'],
      )
    } finally {
      await world.close()
    }
  })

  for (const { row, target, agoMs, closes } of [
    { row: 'news of a user end his connection', target: { user: 'ann' }, agoMs: null, closes: true },
    { row: 'late news of a user spare what he opened since', target: { user: 'ann' }, agoMs: 60_000, closes: false },
    { row: 'late news of a user end what he opened before', target: { user: 'ann' }, agoMs: 0, closes: true },
    { row: 'late news of a session are final', target: { session: 'ann-1' }, agoMs: 60_000, closes: true },
    { row: 'late news of everybody spare what was opened since', target: 'all', agoMs: 60_000, closes: false },
    { row: 'news of somebody else end nothing', target: { user: 'bob' }, agoMs: null, closes: false },
  ] as const) {
    it(row, async () => {
      const shared = sharedStore()
      const world = await createWorld({ store: shared.store })
      try {
        const socket = await world.connect()
        const close = closeOf(socket)
        shared.tell(target, agoMs === null ? undefined : Date.now() - agoMs)
        if (closes) {
          assert.equal((await close).code, 4401)
          return
        }
        socket.send(JSON.stringify({ type: 'chat', message: 'open' }))
        assert.deepEqual(await nextMessage(socket), { type: 'chat', message: 'echo open' })
      } finally {
        await world.close()
      }
    })
  }
})
