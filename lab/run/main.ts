import { writeFileSync } from 'node:fs'
import type { BrowserKind } from '../browsers/browser.ts'
import { BROWSERS } from '../browsers/catalogue.ts'
import { flawNames, loadFlaw } from './flaws.ts'
import { HELP, type Options, readOptions, UsageError } from './options.ts'
import { plansOf } from './plans.ts'
import { matrixText, measureMatrix } from './matrix.ts'
import { progressLine } from './progress.ts'
import { run } from './run.ts'
import { serveFlaw } from './serve.ts'
import { asExpected, paintFor, surprises, table } from './table.ts'

const out = (text: string): void => void process.stdout.write(`${text}\n`)
const colours = (stream: NodeJS.WriteStream): boolean => stream.isTTY && process.env['NO_COLOR'] === undefined

async function list(): Promise<void> {
  const paint = paintFor(colours(process.stdout))
  const names = flawNames()
  const width = Math.max(...names.map(name => name.length)) + 2
  for (const name of names) {
    const { flaw } = await loadFlaw(name)
    out(`${paint('bold', name.padEnd(width))}${flaw.control.padEnd(26)}${flaw.title}`)
  }
}

function kindsOf(options: Options): readonly BrowserKind[] {
  const kinds = BROWSERS.filter(({ id }) => options.browsers?.includes(id) ?? true)
  const missing = kinds.filter(kind => !kind.installed())
  if (options.browsers === null) return kinds.filter(kind => kind.installed())
  if (missing.length > 0)
    throw new UsageError(`Not installed: ${missing.map(({ id }) => id).join(', ')}. See lab/README.md`)
  return kinds
}

async function matrix(options: Options): Promise<boolean> {
  const rows = await measureMatrix(kindsOf(options), options.jobs)
  if (options.json) out(JSON.stringify(rows, null, 2))
  else out(matrixText(rows, paintFor(colours(process.stdout))))
  return rows.every(({ cells }) => cells.every(asExpected))
}

async function runAll(options: Options): Promise<boolean> {
  const kinds = kindsOf(options)
  const flaws = await Promise.all((options.flaws.length > 0 ? options.flaws : flawNames()).map(loadFlaw))
  const plans = plansOf(
    flaws,
    kinds.map(({ id }) => id),
  )
  if (plans.length === 0) throw new UsageError('No browser of the lab is installed. See lab/README.md')
  const started = performance.now()
  const progress = progressLine(process.stderr, plans.length)
  const { cells, versions } = await run({ plans, kinds, jobs: options.jobs, progress }).finally(() => progress.end())
  const seconds = (performance.now() - started) / 1000
  const wrong = surprises(cells)

  if (options.json) out(JSON.stringify({ browsers: versions, cells }, null, 2))
  else {
    const paint = paintFor(colours(process.stdout))
    out(table(cells, flaws, paint))
    out('')
    for (const line of wrong) out(paint('yellow', `! ${line}`))
    out(
      Object.values(versions)
        .filter((version, at, all) => all.indexOf(version) === at)
        .join(' · '),
    )
    out(`${cells.filter(asExpected).length} of ${cells.length} cells as described, in ${seconds.toFixed(0)} s`)
  }
  if (options.html !== null) {
    const { htmlPage } = await import('./html.ts')
    writeFileSync(options.html, htmlPage({ cells, versions, flaws, seconds }))
  }
  return wrong.length === 0
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2))
  if (options.command === 'help') {
    out(HELP)
    return 0
  }
  if (options.command === 'list') {
    await list()
    return 0
  }
  if (options.command === 'serve') {
    await serveFlaw(options.flaws[0]!, options.guarded ? 'guarded' : 'vulnerable', out)
    return 0
  }
  return (await (options.command === 'matrix' ? matrix(options) : runAll(options))) ? 0 : 1
}

/** How long what is left open may take to close, in ms. */
const LEFT_OPEN_MS = 5000

try {
  process.exitCode = await main()
  setTimeout(() => {
    process.stderr.write('A flaw left something open: see what its app or exploit does not close.\n')
    process.exit()
  }, LEFT_OPEN_MS).unref()
} catch (error) {
  process.stderr.write(error instanceof UsageError ? `${error.message}\n` : `${(error as Error).stack}\n`)
  process.exitCode = 2
}
