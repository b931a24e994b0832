import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'
import { nearest } from '../shape/nearest.ts'
import { quote } from '../shape/shown.ts'
import type { ExitCode, Terminal } from './terminal.ts'

/** One command. A new one is a file in this folder and a row in `command-line.ts`. */
export interface Command {
  /** One line for the list of commands. */
  readonly about: string
  /** What `--help` prints. */
  readonly help: string
  run(args: readonly string[], terminal: Terminal): Promise<ExitCode>
}

/** A command line that was not understood, or a file that could not be loaded. Exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
  readonly code = 'SALLY_USAGE'
}

type Values<O extends ParseArgsOptionsConfig> = ReturnType<
  typeof parseArgs<{ options: O; allowPositionals: true }>
>['values']

/** Options that every command has. */
export const COMMON = { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const

/** Reads the arguments of a command. Throws a `UsageError`, with the nearest known option where one is unknown. */
export function readArguments<const O extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: O,
  most: number,
): { readonly values: Values<O>; readonly positionals: readonly string[] } {
  let read: { readonly values: object; readonly positionals: readonly string[] }
  try {
    read = parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
  } catch (error) {
    const [, option] = /Unknown option '(-{1,2}[\w-]+)'/.exec((error as Error).message) ?? []
    if (option === undefined) throw new UsageError((error as Error).message)
    const near = nearest(option.replace(/^-+/, ''), Object.keys(options))
    throw new UsageError(`there is no ${option}${near === undefined ? '' : `; did you mean --${near}?`}`)
  }
  const extra = read.positionals[most]
  if (extra !== undefined) throw new UsageError(`${quote(extra)} is one argument too many`)
  return { values: read.values as Values<O>, positionals: read.positionals }
}
