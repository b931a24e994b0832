import { parseArgs, type ParseArgsConfig, type ParseArgsOptionsConfig } from 'node:util'
import { nearest, quote } from 'sallyport/internal'

/** A command line that was not understood: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
  readonly code = 'SALLY_USAGE'
}

type Values<O extends ParseArgsOptionsConfig> = ReturnType<
  typeof parseArgs<{ options: O; allowPositionals: true }>
>['values']

/** Reads the arguments of a command. Throws a `UsageError` with the nearest known option. */
export function readArguments<const O extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: O,
  positionals = 0,
): { readonly values: Values<O>; readonly positionals: readonly string[] } {
  try {
    const read = parseArgs({ args: [...args], options, allowPositionals: true, strict: true } satisfies ParseArgsConfig)
    if (read.positionals.length > positionals)
      throw new UsageError(`${quote(read.positionals[positionals]!)} is one argument too many`)
    return { values: read.values as unknown as Values<O>, positionals: read.positionals }
  } catch (error) {
    if (error instanceof UsageError) throw error
    const [, option] = /Unknown option '(-{1,2}[\w-]+)'/.exec((error as Error).message) ?? []
    if (option === undefined) throw new UsageError((error as Error).message)
    const near = nearest(option.replace(/^-+/, ''), Object.keys(options))
    throw new UsageError(`there is no ${option}${near === undefined ? '' : `; did you mean --${near}?`}`)
  }
}

/** Options that every command has. */
export const COMMON = {
  config: { type: 'string', short: 'c' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

/** Where the file is, unless said. */
export const DEFAULT_FILE = 'gateway.yaml'
