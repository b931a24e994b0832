import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { LAB } from '../ground/world.ts'
import { flawNames, loadFlaw } from '../run/flaws.ts'

const MOST_APP_LINES = 79
const MOST_CHANGED_LINES = 24

/** Lines that are only in one of two texts, by the longest common subsequence. */
function changedLines(before: readonly string[], after: readonly string[]): number {
  let row = Array.from({ length: after.length + 1 }, () => 0)
  for (const line of before) {
    const next = [0]
    for (const [at, other] of after.entries()) {
      next.push(line === other ? row[at]! + 1 : Math.max(row[at + 1]!, next[at]!))
    }
    row = next
  }
  return before.length + after.length - 2 * row.at(-1)!
}

test('the count of changed lines counts both sides', () => {
  assert.equal(changedLines(['a', 'b', 'c'], ['a', 'x', 'c', 'd']), 3)
  assert.equal(changedLines([], ['a']), 1)
  assert.equal(changedLines(['a'], ['a']), 0)
})

for (const name of flawNames()) {
  test(`${name} can be read in five minutes: marked flaw, small app, small difference, a page that names the control`, async () => {
    const text = (file: string): string => readFileSync(join(LAB, name, file), 'utf8').trimEnd()
    const { flaw } = await loadFlaw(name)
    const app = text('app.ts').split('\n')
    const guarded = text('guarded.ts').split('\n')
    assert.ok(app.length <= MOST_APP_LINES, `app.ts has ${app.length} lines`)
    assert.ok(
      app.some(line => line.includes('// FLAW')),
      'app.ts does not mark its flaw',
    )
    assert.ok(!guarded.some(line => line.includes('// FLAW')), 'guarded.ts still has the mark')
    const changed = changedLines(app, guarded)
    assert.ok(changed <= MOST_CHANGED_LINES, `guarded.ts differs in ${changed} lines`)
    assert.ok(text('README.md').includes(`\`${flaw.control}\``), `README.md does not name ${flaw.control}`)
    if (flaw.kind === 'browser') assert.match(text('exploit.html'), /finished\(/)
    assert.equal(existsSync(join(LAB, name, flaw.kind === 'browser' ? 'exploit.html' : 'exploit.ts')), true)
  })
}
