import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAnswerCache } from '../../src/session/answer-cache.ts'

test('an answer holds to its last millisecond and not beyond', async () => {
  let now = 1000
  let asked = 0
  const cache = createAnswerCache<{ cacheMs: number }>(() => now)
  const ask = async (): Promise<{ cacheMs: number }> => (asked++, { cacheMs: 100 })
  await cache.get('a', false, ask)
  now = 1099
  await cache.get('a', false, ask)
  assert.equal(asked, 1)
  now = 1100
  await cache.get('a', false, ask)
  assert.equal(asked, 2)
})

test('a clock that was set back keeps nothing for longer than it may', async () => {
  let now = 1_000_000
  let asked = 0
  const cache = createAnswerCache<{ cacheMs: number }>(() => now)
  const ask = async (): Promise<{ cacheMs: number }> => (asked++, { cacheMs: 100 })
  await cache.get('a', false, ask)
  now = 5
  await cache.get('a', false, ask)
  assert.equal(asked, 2)
})

test('a flood of other keys pushes out the oldest, and no more are kept than there is room for', async () => {
  const cache = createAnswerCache<{ cacheMs: number }>(() => 1, 3)
  const asked: string[] = []
  const get = (key: string): Promise<unknown> => cache.get(key, false, async () => (asked.push(key), { cacheMs: 100 }))
  for (const key of ['a', 'b', 'c', 'd', 'd', 'b', 'a']) await get(key)
  assert.equal(cache.size, 3)
  assert.deepEqual(asked, ['a', 'b', 'c', 'd', 'a'])
})

test('a refusal reaches all who wait, and is not kept', async () => {
  const cache = createAnswerCache<{ cacheMs: number }>(() => 1)
  const fail = (): Promise<{ cacheMs: number }> => Promise.reject(new Error('down'))
  const both = await Promise.allSettled([
    cache.get('a', false, fail),
    cache.get('a', false, async () => ({ cacheMs: 1 })),
  ])
  assert.deepEqual(
    both.map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  assert.deepEqual(await cache.get('a', false, async () => ({ cacheMs: 7 })), { cacheMs: 7 })
})

test('attack: who asks after forget() gets no answer from before it, kept or under way', async () => {
  const cache = createAnswerCache<{ readonly cacheMs: number; readonly name: string }>(() => 0)
  const kept = { cacheMs: 1000, name: 'kept' }
  await cache.get('a', false, () => Promise.resolve(kept))
  const early = Promise.withResolvers<typeof kept>()
  const waiting = cache.get('b', false, () => early.promise)
  cache.forget()
  const fresh = (name: string) => (): Promise<typeof kept> => Promise.resolve({ cacheMs: 1000, name })
  assert.equal((await cache.get('a', false, fresh('a2'))).name, 'a2')
  const late = cache.get('b', false, fresh('b2'))
  early.resolve({ cacheMs: 1000, name: 'early' })
  assert.equal((await waiting).name, 'early')
  assert.equal((await late).name, 'b2')
  assert.equal((await cache.get('b', false, fresh('b3'))).name, 'b2')
})
