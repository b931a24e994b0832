import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createGuard } from 'sallyport'
import { embed } from 'sallyport/embed'

const policy = {
  handshake: { origin: { allow: ['https://app.example'] }, session: () => ({ id: 's', user: 'u' }) },
  message: { schema: { dangerouslyAcceptAnyMessage: true } },
} as const

describe('embed', () => {
  for (const [name, value] of [
    ['nothing', undefined],
    ['an object that looks like one', Object.create(createGuard(policy))],
  ] as const) {
    test(`${name} is no guard`, () => assert.throws(() => embed(value as never), TypeError))
  }

  test('the doors of a guard, frozen', () => {
    const doors = embed(createGuard(policy))
    assert.deepEqual(Object.keys(doors).toSorted(), ['abandon', 'accept', 'admit', 'adopt', 'receive', 'view'])
    assert.equal(Object.isFrozen(doors), true)
  })
})
