import { readFileSync } from 'node:fs'
import { nearest } from 'sallyport/internal'
import { check, CHECK_HELP } from './check.ts'
import { explain, EXPLAIN_HELP } from './explain.ts'
import { importAsyncApi, IMPORT_HELP } from './import.ts'
import { init, INIT_HELP } from './init.ts'
import { run, RUN_HELP } from './run.ts'
import type { ExitCode, Terminal } from './terminal.ts'
import { UsageError } from './usage.ts'

interface Command {
  readonly help: string
  readonly about: string
  readonly run: (args: readonly string[], terminal: Terminal) => ExitCode | Promise<ExitCode>
}

const COMMANDS: { readonly [name: string]: Command } = {
  run: { run, help: RUN_HELP, about: 'serve, until SIGTERM' },
  check: { run: check, help: CHECK_HELP, about: 'name every problem and everything weakened' },
  init: { run: init, help: INIT_HELP, about: 'write a configuration to begin with' },
  import: { run: importAsyncApi, help: IMPORT_HELP, about: 'message schemas from an AsyncAPI 3 document' },
  explain: {
    run: explain,
    help: EXPLAIN_HELP,
    about: 'replay one handshake or message: which control decides, and why',
  },
}

const HELP = `sallyport-gateway COMMAND [options]

The sallyport policy in front of any WebSocket backend.

${Object.entries(COMMANDS)
  .map(([name, { about }]) => `  ${name.padEnd(9)}${about}`)
  .join('\n')}

sallyport-gateway COMMAND --help describes each; sallyport-gateway --version is the version.
`

/** Of the package, which is the folder above in the sources and in what is built from them. */
const MANIFEST = new URL('../../package.json', import.meta.url)

/** Obeys a command line. */
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
    const near = name === undefined ? undefined : nearest(name, Object.keys(COMMANDS))
    terminal.err(
      name === undefined
        ? HELP
        : `there is no command '${name.slice(0, 60)}'${near === undefined ? '' : `; did you mean ${near}?`}\n\n${HELP}`,
    )
    return 2
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    terminal.out(command.help)
    return 0
  }
  try {
    return await command.run(rest, terminal)
  } catch (error) {
    if (error instanceof UsageError) {
      terminal.err(`sallyport-gateway ${name}: ${error.message}\n\n${command.help}`)
      return 2
    }
    throw error
  }
}
