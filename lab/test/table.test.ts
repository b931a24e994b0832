import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Cell } from '../run/cell.ts'
import { loadFlaw } from '../run/flaws.ts'
import { escapeHtml, htmlPage } from '../run/html.ts'
import { paintFor, surprises, table } from '../run/table.ts'

const flaws = [await loadFlaw('no-origin-commands')]

const cell = (of: Partial<Cell>): Cell => ({
  flaw: 'no-origin-commands',
  variant: 'vulnerable',
  browser: 'chromium',
  attacker: 'https://evil.localhost',
  verdict: 'hijacked',
  expected: 'hijacked',
  why: '',
  evidence: { hijacked: true, finished: true, denials: [], honest: null },
  loot: [],
  handshakes: [],
  ms: 1,
  ...of,
})
const stopped: Partial<Cell> = { variant: 'guarded', verdict: 'stopped', expected: 'stopped' }

test('table: a row for each attacker, a pair for each browser, and a mark at what is not as described', () => {
  const cells = [
    cell({}),
    cell(stopped),
    cell({ browser: 'firefox', verdict: 'blocked', expected: 'blocked' }),
    cell({ ...stopped, browser: 'firefox', verdict: 'error', why: 'nothing was denied' }),
  ]
  const lines = table(cells, flaws, paintFor(false)).split('\n')
  assert.match(lines[0]!, /^ +chromium +firefox$/)
  assert.equal(lines[1], 'no-origin-commands  No Origin check: a page deletes the account · handshake/origin')
  assert.match(lines[2]!, /^ {2}https:\/\/evil\.localhost +hijacked → stopped +blocked → error!$/)
  assert.deepEqual(surprises(cells), [
    'no-origin-commands from https://evil.localhost in firefox, guarded: error, not stopped (nothing was denied)',
  ])
})

test('table: colours only where they are asked for', () => {
  assert.doesNotMatch(table([cell({}), cell(stopped)], flaws, paintFor(false)), /\u001B/)
  assert.match(
    table([cell({}), cell(stopped)], flaws, paintFor(true)),
    /\u001B\[31mhijacked\u001B\[0m → \u001B\[32mstopped/,
  )
})

test('page: what attackers sent is text, wherever it stands', () => {
  const hostile = `</pre><script>alert('1')</script>&"`
  const page = htmlPage({
    flaws,
    versions: { chromium: hostile },
    seconds: 1,
    cells: [
      cell({
        why: hostile,
        verdict: 'error',
        loot: [{ origin: hostile, body: hostile }],
        handshakes: [{ target: hostile, headers: [[hostile, hostile]], answer: hostile }],
        evidence: { hijacked: false, finished: true, denials: [], honest: hostile },
      }),
    ],
  })
  assert.equal(page.split('<script>').length, 2, 'the one script is the page’s own')
  assert.equal(page.split(escapeHtml(hostile)).length - 1, 9)
})
