import type { Flaw } from '../ground/description.ts'
import type { Cell } from './cell.ts'
import type { LoadedFlaw } from './flaws.ts'
import type { Verdict } from './verdict.ts'

/** Writes ANSI colours, or nothing. */
export interface Paint {
  (colour: 'red' | 'green' | 'yellow' | 'dim' | 'bold', text: string): string
}

const CODES = { red: 31, green: 32, yellow: 33, dim: 2, bold: 1 } as const

export function paintFor(colours: boolean): Paint {
  return colours ? (colour, text) => `\u001B[${CODES[colour]}m${text}\u001B[0m` : (_colour, text) => text
}

const COLOUR: Readonly<Record<Verdict, 'red' | 'green' | 'yellow' | 'dim'>> = {
  hijacked: 'red',
  blocked: 'dim',
  stopped: 'green',
  error: 'yellow',
}

/** The two cells of one attack in one browser: the flawed app, and the guarded one. */
export interface Pair {
  readonly vulnerable: Cell | undefined
  readonly guarded: Cell | undefined
}

/** One attack on one flaw, browser by browser. */
export interface Row {
  readonly flaw: string
  readonly described: Flaw
  /** Where the page is: `https://evil.localhost`, `https://evil.localhost, framed`, `raw client`. */
  readonly attacker: string
  readonly pairs: ReadonlyMap<string, Pair>
}

/** Cells in rows, in the order they came. */
export function rowsOf(cells: readonly Cell[], flaws: readonly LoadedFlaw[]): readonly Row[] {
  const rows = new Map<string, Row & { readonly pairs: Map<string, Pair> }>()
  for (const cell of cells) {
    const key = `${cell.flaw} ${cell.attacker}`
    const described = flaws.find(({ name }) => name === cell.flaw)!.flaw
    const row = rows.get(key) ?? { flaw: cell.flaw, described, attacker: cell.attacker, pairs: new Map<string, Pair>() }
    rows.set(key, row)
    const pair = row.pairs.get(cell.browser) ?? { vulnerable: undefined, guarded: undefined }
    row.pairs.set(cell.browser, { ...pair, [cell.variant]: cell })
  }
  return [...rows.values()]
}

export const asExpected = (cell: Cell): boolean => cell.verdict === cell.expected

/** The table as text. */
export function table(cells: readonly Cell[], flaws: readonly LoadedFlaw[], paint: Paint): string {
  const rows = rowsOf(cells, flaws)
  const browsers = [...new Set(cells.filter(({ browser }) => browser !== 'client').map(({ browser }) => browser))]
  const width = Math.max(...rows.map(({ attacker }) => attacker.length), 10) + 4
  const column = 22
  const word = (cell: Cell | undefined): string => {
    if (cell === undefined) return '–'
    return asExpected(cell) ? paint(COLOUR[cell.verdict], cell.verdict) : paint('yellow', `${cell.verdict}!`)
  }
  const plainLength = (cell: Cell | undefined): number =>
    cell === undefined ? 1 : cell.verdict.length + (asExpected(cell) ? 0 : 1)
  const both = (pair: Pair | undefined): string => {
    if (pair === undefined) return ''.padEnd(column)
    const length = plainLength(pair.vulnerable) + 3 + plainLength(pair.guarded)
    return `${word(pair.vulnerable)} → ${word(pair.guarded)}${' '.repeat(Math.max(1, column - length))}`
  }
  const lines = [
    `${' '.repeat(width)}${browsers.map(browser => paint('bold', browser.padEnd(column))).join('')}`.trimEnd(),
  ]
  let last = ''
  for (const { flaw, described, attacker, pairs } of rows) {
    if (flaw !== last)
      lines.push(`${paint('bold', flaw)}  ${paint('dim', `${described.title} · ${described.control}`)}`)
    last = flaw
    const shown = described.kind === 'client' ? [both(pairs.get('client'))] : browsers.map(id => both(pairs.get(id)))
    lines.push(`  ${attacker.padEnd(width - 2)}${shown.join('')}`.trimEnd())
  }
  return lines.join('\n')
}

/** One line for each cell that is not as its flaw describes it. */
export function surprises(cells: readonly Cell[]): readonly string[] {
  return cells
    .filter(cell => !asExpected(cell))
    .map(
      ({ flaw, attacker, browser, variant, verdict, expected, why }) =>
        `${flaw} from ${attacker} in ${browser}, ${variant}: ${verdict}, not ${expected}${why && ` (${why})`}`,
    )
}
