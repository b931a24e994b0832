import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createExpiryQueue, type Expiring } from '../../src/store/expiry.ts'

interface Item extends Expiring {
  readonly name: string
}
const setUp = () => {
  const dropped: string[] = []
  const queue = createExpiryQueue<Item>(({ name }) => dropped.push(name))
  const add = (name: string, due: number): Item => {
    const item = { name, due, before: null, after: null }
    queue.add(item)
    return item
  }
  return { dropped, queue, add }
}

describe('the expiry queue', () => {
  for (const { row, now, expected } of [
    { row: 'one ms before its end', now: 1499, expected: [] },
    { row: 'at its end', now: 1500, expected: ['a'] },
    { row: 'long after it', now: 1e12, expected: ['a'] },
  ])
    it(`an item ${row}`, () => {
      const { dropped, queue, add } = setUp()
      add('a', 1500)
      assert.equal(queue.sweep(now, 10), expected.length)
      assert.deepEqual(dropped, expected)
      assert.equal(queue.size, 1 - expected.length)
    })

  it('prolonged items are filed again, and do not use up every sweep', () => {
    const { dropped, queue, add } = setUp()
    for (let nth = 0; nth < 10; nth++) add('prolonged', 500).due = 60_000
    add('over', 1500)
    assert.equal(queue.sweep(3000, 11), 1)
    assert.deepEqual(dropped, ['over'])
    assert.equal(queue.sweep(60_000, 10), 10)
    assert.equal(queue.size, 0)
  })

  for (const { budget, expected } of [
    { budget: 0, expected: 0 },
    { budget: 4, expected: 4 },
    { budget: 5, expected: 5 },
    { budget: 6, expected: 5 },
  ])
    it(`a budget of ${budget} of 5 drops ${expected}`, () => {
      const { queue, add } = setUp()
      for (let nth = 0; nth < 5; nth++) add(`${nth}`, nth * 1000)
      assert.equal(queue.sweep(1e12, budget), expected)
    })

  it('a removed item is not dropped, and removing it twice counts once', () => {
    const { dropped, queue, add } = setUp()
    const item = add('a', 1000)
    add('b', 1000)
    queue.remove(item)
    queue.remove(item)
    assert.equal(queue.size, 1)
    queue.sweep(2000, 10)
    assert.deepEqual(dropped, ['b'])
  })

  it('an item that ends before all that were swept is found, after a clock was set back', () => {
    const { dropped, queue, add } = setUp()
    add('late', 1e9)
    queue.sweep(1e9 - 1, 10)
    add('early', 5000)
    queue.sweep(6000, 10)
    assert.deepEqual(dropped, ['early'])
  })

  it('an item that is filed again from its own end is found at its next one, in the same second too', () => {
    const turns: number[] = []
    const queue = createExpiryQueue<Item>((item, now) => {
      turns.push(now)
      if (now >= 3000) return
      item.due = now + 200
      queue.add(item)
    })
    queue.add({ name: 'a', due: 1000, before: null, after: null })
    for (const now of [1000, 1199, 1200, 3000, 9000]) queue.sweep(now, 10)
    assert.deepEqual(turns, [1000, 1200, 3000])
    assert.equal(queue.size, 0)
  })

  it('what was cleared is in no queue: removing it afterwards counts nothing', () => {
    const { queue, add } = setUp()
    const items = [add('a', 1000), add('b', 1000), add('c', 90_000)]
    queue.clear()
    for (const item of items) queue.remove(item)
    assert.equal(queue.size, 0)
    add('d', 2000)
    assert.deepEqual([queue.size, queue.sweep(1e9, 10)], [1, 1])
  })
})
