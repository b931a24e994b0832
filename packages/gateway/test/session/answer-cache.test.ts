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
