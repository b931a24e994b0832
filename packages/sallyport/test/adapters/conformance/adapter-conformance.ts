import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { ATTACKS } from './attacks.ts'
import { HONEST } from './honest.ts'
import type { Row } from './row.ts'
import type { Ability, WayIn } from './way-in.ts'

/** What a way in cannot do must fail within this time, in ms. */
const FAILS_WITHIN_MS = 4_000
const ROW = { timeout: 20_000 }

/**
 * Runs the same attacks and the same honest traffic against a way in. What it declares that it cannot do is run too, and has
 * to fail: what works all the same must be struck from `cannot`.
 */
export function adapterConformance(way: WayIn): void {
  describe(way.name, () => {
    for (const [kind, rows] of [
      ['attack', ATTACKS],
      ['honest', HONEST],
    ] as const) {
      for (const row of rows) {
        const reason = row.needs === undefined ? undefined : way.cannot[row.needs]
        if (reason === undefined) test(`${kind}: ${row.name}`, ROW, t => row.run(starter(way, t)))
        else test(`${kind}, cannot: ${row.name} (${reason})`, ROW, t => assert.rejects(within(row, starter(way, t))))
      }
    }
    test('what it cannot do is something that the suite asks', () => {
      const asked = new Set([...ATTACKS, ...HONEST].map(({ needs }) => needs))
      for (const ability of Object.keys(way.cannot)) assert.ok(asked.has(ability as Ability), ability)
    })
  })
}

/** Starts servers that end with the test. */
function starter(way: WayIn, t: TestContext): Parameters<Row['run']>[0] {
  return async part => {
    const running = await way.start(part)
    t.after(() => running.close())
    return running
  }
}

async function within(row: Row, start: Parameters<Row['run']>[0]): Promise<void> {
  const timer = Promise.withResolvers<never>()
  const late = setTimeout(() => timer.reject(new Error('not within the time')), FAILS_WITHIN_MS)
  try {
    await Promise.race([row.run(start), timer.promise])
  } finally {
    clearTimeout(late)
  }
}
