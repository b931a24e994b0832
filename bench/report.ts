import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { wrapped } from '../scripts/docs/wrap.ts'
import { barChart, type ChartGroup } from './chart.ts'
import type { Spread } from './statistics.ts'

/** One row of a report: a peer, and a figure for each case. */
export interface ReportRow {
  readonly name: string
  readonly cells: readonly string[]
}

/** What a benchmark says, in Markdown, JSON and SVG. */
export interface Report {
  readonly name: string
  readonly title: string
  readonly notes: readonly string[]
  readonly tables: readonly {
    readonly title: string
    readonly columns: readonly string[]
    readonly rows: readonly ReportRow[]
  }[]
  readonly chart: { readonly title: string; readonly unit: string; readonly groups: readonly ChartGroup[] }
  readonly data: unknown
}

/** Writes `bench/results/<name>.md`, `.json` and `.svg`, and the Markdown to standard output. */
export function writeReport(report: Report): void {
  writeTables(report)
  const { title, unit, groups } = report.chart
  writeFileSync(`${RESULTS}${report.name}.svg`, barChart(title, unit, groups))
}

/** `SALLYPORT_BENCH_RESULTS` names another folder, for runs whose figures are not to be committed. */
const RESULTS = join(process.env['SALLYPORT_BENCH_RESULTS'] ?? fileURLToPath(new URL('results', import.meta.url)), '/')

/** The same without a chart. */
export function writeTables(report: Omit<Report, 'chart'>): void {
  mkdirSync(RESULTS, { recursive: true })
  const machine = machineWords()
  const tables = report.tables.map(({ title, columns, rows }) =>
    [
      `## ${title}`,
      '',
      `| | ${columns.join(' | ')} |`,
      `|---|${columns.map(() => '---:').join('|')}|`,
      ...rows.map(({ name, cells }) => `| ${name} | ${cells.join(' | ')} |`),
    ].join('\n'),
  )
  const markdown = wrapped([`# ${report.title}`, ...report.notes, machine, ...tables].join('\n\n'))
  writeFileSync(`${RESULTS}${report.name}.md`, `${markdown}\n`)
  writeFileSync(
    `${RESULTS}${report.name}.json`,
    `${JSON.stringify({ machine, ...(report.data as object) }, null, 1)}\n`,
  )
  process.stdout.write(`${markdown}\n`)
}

/** `1.42 (1.38–1.47)` */
export function shown({ median, least, most }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${least.toFixed(digits)}–${most.toFixed(digits)})`
}

function machineWords(): string {
  const versions = (['ws', 'socket.io', 'bun', 'ajv', 'joi', 'typebox'] as const).map(name => {
    const manifest = readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url), 'utf8')
    return `${name} ${(JSON.parse(manifest) as { readonly version: string }).version}`
  })
  const [cpu] = cpus()
  return `Node ${process.versions.node}, ${versions.join(', ')}, without bufferutil. ${cpus().length} cores of ${cpu?.model ?? 'unknown make'}: the servers on one, the load on the other, by taskset, over loopback.`
}
