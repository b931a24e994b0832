import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { fc } from '../../../../test/support/fast-check.ts'
import { createWheel, TICK_MS } from '../../src/controls/lifetime/wheel.ts'
import { runtimeAt } from '../support/runtime.ts'
import { systemRuntime } from '../../src/model/system-runtime.ts'
import { settled, START } from '../guard/live.ts'

const TURN_MS = 1024 * TICK_MS

interface Item {
  slot: number
  readonly name: number
}

const item = (name = 0): Item => ({ slot: -1, name })

function clocked(t: TestContext): void {
  t.mock.timers.enable({ apis: ['setInterval', 'Date'], now: START })
}

/** Tick by tick, as a loop that is not blocked. */
function run(t: TestContext, ms: number): void {
  for (let passed = 0; passed < ms; passed += TICK_MS) t.mock.timers.tick(Math.min(TICK_MS, ms - passed))
}

for (const [name, after] of [
  ['in the past', -5000],
  ['now', 0],
  ['below a tick', 1],
  ['at a tick', 100],
  ['above a tick', 101],
  ['one below a whole turn', TURN_MS - 1],
  ['a whole turn', TURN_MS],
  ['more than a turn', TURN_MS + 1],
  ['many turns', 5 * TURN_MS + 37],
] as const) {
  test(`due ${name}: not early, at most a tick late, once`, t => {
    clocked(t)
    const fired: number[] = []
    const due = START + after
    const wheel = createWheel<Item>(systemRuntime, (_item, now) => {
      if (now < due) return due
      fired.push(now)
      return Infinity
    })
    wheel.place(item(), due)
    run(t, Math.max(0, after) + 2 * TURN_MS)
    assert.equal(fired.length, 1)
    const late = fired[0]! - Math.max(due, START)
    assert.ok(late >= 0 && late <= TICK_MS, `${late} ms`)
    assert.equal(wheel.size, 0)
  })
}

test('one interval for 10 000 items, none when it is empty, and it keeps no process alive', () => {
  const timers = (): number => process.getActiveResourcesInfo().filter(kind => kind === 'Timeout').length
  const before = timers()
  const wheel = createWheel<Item>(systemRuntime, () => Infinity)
  const items = Array.from({ length: 10_000 }, (_, name) => item(name))
  for (const [index, each] of items.entries()) wheel.place(each, Date.now() + 1000 + index)
  assert.equal(wheel.size, 10_000)
  assert.ok(timers() - before <= 1, `${timers() - before} timers`)
  for (const each of items) wheel.remove(each)
  assert.equal(wheel.size, 0)
  assert.equal(timers(), before)
})

test('the last item is not forgotten when its turn removes all others', t => {
  clocked(t)
  const [one, two] = [item(1), item(2)]
  const turns: number[] = []
  const wheel = createWheel<Item>(systemRuntime, ({ name }, now) => {
    turns.push(name)
    wheel.remove(two)
    return turns.length < 3 ? now + 500 : Infinity
  })
  wheel.place(one, START + 100)
  wheel.place(two, START + 100)
  run(t, 5000)
  assert.deepEqual(turns, [1, 1, 1])
})

test('a loop that was blocked reads its sockets before deadlines are judged', async t => {
  clocked(t)
  const turns: number[] = []
  const wheel = createWheel<Item>(systemRuntime, (_item, now) => {
    turns.push(now)
    return Infinity
  })
  wheel.place(item(), START + 500)
  t.mock.timers.tick(10 * TICK_MS + TICK_MS)
  assert.deepEqual(turns, [])
  await settled()
  assert.equal(turns.length, 1)
})

test('the clock set back by an hour delays no new deadline', async t => {
  clocked(t)
  let now = START
  const fired: string[] = []
  const wheel = createWheel<Item & { readonly due: number }>(
    runtimeAt(() => now),
    ({ name, due }, time) => {
      if (time < due) return due
      fired.push(`${name}`)
      return Infinity
    },
  )
  wheel.place({ ...item(1), due: START + 7_200_000 }, START + 7_200_000)
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += TICK_MS) {
      now += TICK_MS
      t.mock.timers.tick(TICK_MS)
    }
    await settled()
  }
  await pass(1000)
  now -= 3_600_000
  wheel.place({ ...item(2), due: now + 5000 }, now + 5000)
  await pass(4900)
  assert.deepEqual(fired, [])
  await pass(200)
  assert.deepEqual(fired, ['2'])
})

type Step =
  | { readonly do: 'place'; readonly item: number; readonly after: number }
  | { readonly do: 'remove'; readonly item: number }
  | { readonly do: 'pass'; readonly ms: number }

const ITEMS = 6
const which = fc.nat(ITEMS - 1)
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('place' as const),
    item: which,
    after: fc.oneof(fc.integer({ min: -500, max: 2000 }), fc.integer({ min: 0, max: 3 * TURN_MS })),
  }),
  fc.record({ do: fc.constant('remove' as const), item: which }),
  fc.record({
    do: fc.constant('pass' as const),
    ms: fc.oneof(fc.integer({ min: 1, max: 950 }), fc.integer({ min: 1000, max: 4 * TURN_MS })),
  }),
)
/** What the turn of an item does to another one. */
const meddling = fc.array(fc.record({ to: which, by: fc.constantFrom('remove', 'move', 'nothing') }), {
  minLength: ITEMS,
  maxLength: ITEMS,
})

test('against a naive list: nothing early, all within a tick of a moving clock, exactly once, whoever meddles', async t => {
  clocked(t)
  let now = START
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), meddling, async (steps, meddlers) => {
      const items = Array.from({ length: ITEMS }, (_, name) => item(name))
      const due = new Map<number, number>()
      const fired: string[] = []
      const place = (name: number, at: number): void => {
        due.set(name, at)
        wheel.place(items[name]!, at)
      }
      const remove = (name: number): void => {
        due.delete(name)
        wheel.remove(items[name]!)
      }
      const wheel = createWheel<Item>(
        runtimeAt(() => now),
        ({ name }, time) => {
          const at = due.get(name)
          assert.ok(at !== undefined, `${name} turns although it is not on the wheel`)
          if (time < at) return at
          due.delete(name)
          fired.push(`${name}@${at}`)
          const { to, by } = meddlers[name]!
          if (by === 'remove' && to !== name) remove(to)
          if (by === 'move' && to !== name && due.has(to)) place(to, time + 300)
          return Infinity
        },
      )
      for (const each of steps) {
        if (each.do === 'place') place(each.item, now + each.after)
        else if (each.do === 'remove') remove(each.item)
        else {
          // One jump of the clock, then the ticks of a loop that runs again.
          now += each.ms
          t.mock.timers.tick(TICK_MS)
          await settled()
          now += TICK_MS
          t.mock.timers.tick(TICK_MS)
          await settled()
          for (const [name, at] of due) assert.ok(at > now - TICK_MS, `${name} is ${now - at} ms late`)
        }
        assert.equal(wheel.size, due.size)
      }
      assert.equal(new Set(fired).size, fired.length)
      for (const each of items) wheel.remove(each)
    }),
    { numRuns: 150 },
  )
})
