import { readFileSync } from 'node:fs'
import { nearest } from '../shape/nearest.ts'
import { quote } from '../shape/shown.ts'
import { checkCommand } from './check.ts'
import { type Command, UsageError } from './command.ts'
import { explainCommand } from './explain.ts'
import { reportCommand } from './report.ts'
import type { ExitCode, Terminal } from './terminal.ts'

const COMMANDS: { readonly [name: string]: Command } = {
  check: checkCommand,
  report: reportCommand,
  explain: explainCommand,
}

const HELP = `sallyport COMMAND policy.ts [options]

${Object.entries(COMMANDS)
  .map(([name, { about }]) => `  ${name.padEnd(9)}${about}`)
  .join('\n')}

The file exports a policy, or a guard, as default or by the name \`policy\` or \`guard\`.
sallyport COMMAND --help describes a command; sallyport --version prints the version.
`

/** The same file seen from the sources and from what is built. */
const MANIFEST = new URL('../../package.json', import.meta.url)

/** Runs a command line, without the name of the program. Never throws for what a user typed. */
export async function commandLine(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const [name, ...rest] = args
  if (name === '--help' || name === '-h' || name === 'help') {
    terminal.out(HELP)
    return 0
  }
  if (name === '--version' || name === '-V') {
    terminal.out((JSON.parse(readFileSync(MANIFEST, 'utf8')) as { readonly version: string }).version)
    return 0
  }
  const command = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (command === undefined) {
    terminal.err(name === undefined ? HELP : `${unknown(name)}\n\n${HELP}`)
    return 2
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    terminal.out(command.help)
    return 0
  }
  try {
    return await command.run(rest, terminal)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    terminal.err(`sallyport ${name}: ${error.message}\n\nsallyport ${name} --help describes the command`)
    return 2
  }
}

function unknown(name: string): string {
  const near = nearest(name, Object.keys(COMMANDS))
  return `there is no command ${quote(name)}${near === undefined ? '' : `; did you mean ${near}?`}`
}
