import type { BrowserId, BrowserKind } from '../browsers/browser.ts'
import type { AttackerSite } from '../ground/description.ts'
import type { SameSite } from '../ground/ground.ts'
import { relationOf } from '../ground/names.ts'
import type { Cell, Plan } from './cell.ts'
import { loadFlaw } from './flaws.ts'
import { progressLine } from './progress.ts'
import { run } from './run.ts'
import type { Paint } from './table.ts'

const SAME_SITES: readonly SameSite[] = ['none', 'unset', 'lax', 'strict']

/** Where the attacker's page is, and the flawed app that lets it past: one without any check, one that allows `null`. */
const PLACES: readonly (AttackerSite & { readonly flaw: string })[] = [
  { origin: 'https://evil.app.shop.localhost', flaw: 'no-origin-exfiltration' },
  { origin: 'http://evil.app.shop.localhost', flaw: 'no-origin-exfiltration' },
  { origin: 'https://evil.localhost', flaw: 'no-origin-exfiltration' },
  { origin: 'https://evil.app.shop.localhost', framed: true, flaw: 'origin-null-allowed' },
  { origin: 'https://evil.localhost', framed: true, flaw: 'origin-null-allowed' },
  {
    origin: 'https://evil.localhost',
    popup: true,
    runsIn: ['chromium', 'chromium-debian', 'firefox', 'firefox-open'],
    flaw: 'firefox-popup',
  },
]

/** One row: a place and a browser, with the cell of each SameSite. */
interface MatrixRow {
  readonly place: string
  readonly browser: BrowserId
  readonly cells: readonly Cell[]
}

/** Measures where the session cookie travels: each SameSite, from each place, in each browser. */
export async function measureMatrix(kinds: readonly BrowserKind[], jobs: number): Promise<readonly MatrixRow[]> {
  const rows: { readonly place: string; readonly browser: BrowserId; readonly plans: readonly Plan[] }[] = []
  for (const { flaw, ...attacker } of PLACES) {
    const loaded = await loadFlaw(flaw)
    const { origin, framed, popup, runsIn } = attacker
    for (const { id } of kinds) {
      if (runsIn?.includes(id) === false) continue
      rows.push({
        place: `${relationOf(origin, framed, popup)} (${origin})`,
        browser: id,
        plans: SAME_SITES.map(sameSite => ({
          loaded,
          variant: 'vulnerable',
          browser: id,
          attacker,
          sameSite,
        })),
      })
    }
  }
  const plans = rows.flatMap(row => row.plans)
  const progress = progressLine(process.stderr, plans.length)
  const { cells } = await run({ plans, kinds, jobs, progress }).finally(() => progress.end())
  return rows.map(({ place, browser, plans: own }) => ({
    place,
    browser,
    cells: own.map(plan => cells[plans.indexOf(plan)]!),
  }))
}

/** The matrix as text: `H` where the victim was hijacked; a `!` marks what is not as `ground/cookie-matrix.ts` has it. */
export function matrixText(rows: readonly MatrixRow[], paint: Paint): string {
  const width = 19
  const lines = [
    paint('bold', ''.padEnd(width) + ['None', 'not set', 'Lax', 'Strict'].map(word => word.padEnd(9)).join('')),
  ]
  let last = ''
  for (const { place, browser, cells } of rows) {
    if (place !== last) lines.push(paint('bold', place))
    last = place
    const words = cells.map(({ verdict, expected }) => {
      const word = verdict === 'hijacked' ? 'H' : verdict === 'blocked' ? '–' : 'error'
      const shown = `${word}${verdict === expected ? '' : '!'}`.padEnd(9)
      return verdict === expected ? (word === 'H' ? paint('red', shown) : shown) : paint('yellow', shown)
    })
    lines.push(`  ${browser.padEnd(width - 2)}${words.join('')}`.trimEnd())
  }
  return lines.join('\n')
}
