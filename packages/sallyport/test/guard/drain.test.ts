import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withinOf } from '../../src/guard/drain.ts'
import { LONGEST_MS } from '../../src/shape/duration.ts'
import { show } from '../../src/shape/shown.ts'
import { createWorld } from '../support/world.ts'

const MISTAKES: readonly (readonly [name: string, options: unknown, message: RegExp])[] = [
  ['null', null, /the options are null, not an object; write guard\.drain\(\{ withinMs: 10_000 \}\)/],
  ['a bare number', 5000, /the options are a number/],
  ['words', '5 seconds', /the options are a string/],
  ['a misspelt key', { within: 5000 }, /unknown option 'within'; did you mean withinMs\?/],
  ['a number as text', { withinMs: '5000' }, /withinMs is '5000'; write 5000 without quotes/],
  ['a time before now', { withinMs: -1 }, /withinMs is -1; write a number from 0/],
  ['not a number', { withinMs: Number.NaN }, /withinMs is NaN/],
  ['for ever', { withinMs: Infinity }, /withinMs is Infinity/],
  ['longer than a timer waits', { withinMs: LONGEST_MS + 1 }, /withinMs is \d+; write a number from 0 to 2073600000/],
]

for (const [name, options, message] of MISTAKES) {
  test(`drain: ${name} is an error`, () => {
    assert.throws(() => withinOf('guard.drain', options), { name: 'TypeError', message })
  })
}

for (const [options, withinMs] of [
  [undefined, undefined],
  [{}, undefined],
  [{ withinMs: 0 }, 0],
  [{ withinMs: LONGEST_MS }, LONGEST_MS],
  ['SIGTERM', undefined],
] as const) {
  test(`drain: ${show(options)} is taken`, () => assert.equal(withinOf('guard.drain', options), withinMs))
}

test('nothing is drained by mistake: who is connected stays, and who comes is let in', async () => {
  const world = await createWorld()
  try {
    const ann = await world.connect()
    await assert.rejects(world.guard.drain({ within: 0 } as never), { message: /^guard\.drain: unknown option/ })
    await assert.rejects(world.app.close(0 as never), { message: /^app\.close: the options are a number/ })
    assert.equal(ann.readyState, ann.OPEN)
    assert.equal((await world.connect('bob-1')).readyState, ann.OPEN)
  } finally {
    await world.close()
  }
})
