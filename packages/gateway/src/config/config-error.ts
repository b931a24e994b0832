import { kindOf } from 'sallyport/internal'

/** One thing that is wrong with a configuration file, where it stands. */
export interface ConfigProblem {
  /** Name of the file as it was given. */
  readonly file: string
  /** From 1. */
  readonly line: number
  /** From 1, in UTF-16 units. */
  readonly column: number
  /** `routes.chat.handshake.origin.allow[0]`; empty for the file as a whole. */
  readonly path: string
  /** The value as far as it may be shown: secrets, and what came from the environment or a mounted file, never. */
  readonly value: string
  readonly message: string
  /** What to write instead. */
  readonly remedy: string
  /** The nearest word that is known, where a word is not. */
  readonly nearest?: string
}

/** Problems that the text of the error spells out; `problems` holds them all. */
const SPELLED_OUT = 100

/** A configuration that cannot be used: every problem at once, in the order of the file. Nothing of it takes effect. */
export class ConfigError extends Error {
  readonly code = 'SALLY_CONFIG_INVALID'
  readonly problems: readonly ConfigProblem[]

  constructor(problems: readonly ConfigProblem[]) {
    if (!Array.isArray(problems) || problems.length === 0) {
      throw new TypeError(`ConfigError: problems is ${kindOf(problems)}, not a list of what is wrong`)
    }
    const sorted = problems.toSorted(
      (a, b) => a.file.localeCompare(b.file) || a.line - b.line || a.column - b.column || a.path.localeCompare(b.path),
    )
    super(formatProblems(sorted))
    this.name = 'ConfigError'
    this.problems = Object.freeze(sorted.map(problem => Object.freeze({ ...problem })))
  }
}

const counted = (count: number): string => (count === 1 ? '1 problem' : `${count} problems`)

/** In a few words, where the problems are told beside them. */
export function problemsIn(file: string, { problems }: ConfigError): string {
  return `${counted(problems.length)} in ${file}`
}

/** Problems as lines that editors and terminals can jump to: `file:line:column  path  value: message`, then the remedy. `what` has them. */
export function formatProblems(problems: readonly ConfigProblem[], what = 'the configuration'): string {
  if (!Array.isArray(problems)) {
    throw new TypeError(`formatProblems: problems is ${kindOf(problems)}; write formatProblems(error.problems)`)
  }
  const lines = problems.slice(0, SPELLED_OUT).flatMap(({ file, line, column, path, value, message, remedy }) => {
    const where = `${file}:${line}:${column}`
    const fault = [path, value === '' ? message : `${value}: ${message}`].filter(text => text !== '').join('  ')
    return [`  ${where}  ${fault}`, `${' '.repeat(where.length + 4)}→ ${remedy}`]
  })
  if (problems.length > SPELLED_OUT) lines.push(`  … and ${problems.length - SPELLED_OUT} more`)
  return `${what} has ${counted(problems.length)} (SALLY_CONFIG_INVALID)\n${lines.join('\n')}`
}
