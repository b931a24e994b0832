import { parseArgs } from 'node:util'
import type { BrowserId } from '../browsers/browser.ts'
import { BROWSERS } from '../browsers/catalogue.ts'
import { flawNames } from './flaws.ts'

/** What the command line asks for. */
export interface Options {
  readonly command: 'run' | 'list' | 'serve' | 'matrix' | 'help'
  /** Empty: all of them. */
  readonly flaws: readonly string[]
  /** Null: all that are installed. */
  readonly browsers: readonly BrowserId[] | null
  readonly json: boolean
  /** File to write the HTML page to. */
  readonly html: string | null
  /** `serve` the guarded app. */
  readonly guarded: boolean
  /** Browsers that run at once. */
  readonly jobs: number
}

/** The command line is not understood; the message says what to write. */
export class UsageError extends Error {}

export const HELP: string = `Attacks on WebSockets, in real browsers: on a flawed app, and on the same app behind Sallyport.

  npm run lab                          every flaw in every browser that is installed
  npm run lab -- <flaw> …              some of them
  npm run lab -- list                  the flaws, and the control that stops each
  npm run lab -- serve <flaw>          play by hand; --guarded for the guarded app
  npm run lab -- matrix                where the session cookie travels, by SameSite and browser

  --browser <id,…>   ${BROWSERS.map(({ id }) => id).join(', ')}
  --json             the result as JSON on stdout
  --html <file>      a page with what every server saw, for each cell
  --jobs <n>         browsers at once (default 2)
  --help

A cell says "hijacked" when the attacker's server holds the victim's secret or the victim's state was changed, "blocked"
when the browser kept the cookie back, "stopped" when the named control alone refused and the honest client works.
The exit code is 1 when a cell is not as the flaw describes it. Only loopback is ever a target.
`

/** Reads the command line. Throws a UsageError. */
export function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parse(args)
  const [first, ...others] = positionals
  const isCommand = first === 'list' || first === 'serve' || first === 'matrix'
  const command = values.help ? 'help' : isCommand ? first : 'run'
  const flaws = isCommand ? others : positionals
  const known = flawNames()
  for (const flaw of flaws) {
    if (!known.includes(flaw))
      throw new UsageError(`There is no flaw "${flaw}".${nearest(flaw, known)} See: npm run lab -- list`)
  }
  if (command === 'serve' && flaws.length !== 1)
    throw new UsageError('Write one flaw: npm run lab -- serve no-origin-commands')
  const ids = BROWSERS.map(({ id }) => id)
  const browsers = values.browser?.flatMap(value => value.split(',')) ?? null
  for (const browser of browsers ?? []) {
    if (!ids.includes(browser as BrowserId))
      throw new UsageError(`There is no browser "${browser}". Write one of: ${ids.join(', ')}`)
  }
  const jobs = Number(values.jobs ?? 2)
  if (!Number.isInteger(jobs) || jobs < 1 || jobs > 8) throw new UsageError('--jobs is a number from 1 to 8')
  return {
    command,
    flaws,
    browsers: browsers as readonly BrowserId[] | null,
    json: values.json ?? false,
    html: values.html ?? null,
    guarded: values.guarded ?? false,
    jobs,
  }
}

function parse(args: readonly string[]): {
  readonly values: {
    help?: boolean
    json?: boolean
    guarded?: boolean
    html?: string
    jobs?: string
    browser?: string[]
  }
  readonly positionals: readonly string[]
} {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h' },
        json: { type: 'boolean' },
        guarded: { type: 'boolean' },
        html: { type: 'string' },
        jobs: { type: 'string' },
        browser: { type: 'string', multiple: true },
      },
    })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function nearest(wrong: string, known: readonly string[]): string {
  const close = known.find(name => name.includes(wrong) || wrong.includes(name))
  return close === undefined ? '' : ` Did you mean ${close}?`
}
