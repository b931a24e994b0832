import type { ConfigProblem } from './config-error.ts'
import type { ConfigDocument } from './document.ts'
import { type Path, pathText } from './path.ts'
import { kindOf, show } from './shown-value.ts'

/** Reads the text of a file that the configuration names; throws where it cannot. */
export type ReadFile = (path: string) => string

/** What reading a document has found so far. */
export interface Reading {
  readonly document: ConfigDocument
  readonly readFile: ReadFile
  readonly problems: ConfigProblem[]
  /** Why something may go in clear, by the path of what it is said of. */
  readonly plaintext: Map<string, string>
}

/** A value that will not do. */
export interface Fault {
  readonly message: string
  readonly remedy: string
  readonly nearest?: string | undefined
  /** Shown instead of the value. */
  readonly value?: string
  /** The key itself is wrong, not what it holds. */
  readonly atKey?: boolean
}

/** Whether it may repeat the value. */
const quotes = (text: string): boolean => /['`]/.test(text.replaceAll('`openssl rand -base64 32`', ''))

/** Tells of a value that will not do. What was filled in from the environment is never shown, nor a remedy that may quote it. */
export function refuse(reading: Reading, path: Path, value: unknown, fault: Fault): void {
  const { document } = reading
  const from = document.from(path)
  reading.problems.push({
    file: document.file,
    ...(fault.atKey === true ? document.atKey(path) : document.at(path)),
    path: pathText(path),
    value: from === null ? (fault.value ?? (value === undefined ? '' : show(value))) : `(${from}, hidden)`,
    message: from !== null && quotes(fault.message) ? 'not a value that is known here' : fault.message,
    remedy: from !== null && (quotes(fault.remedy) || fault.nearest) ? `correct what ${from} holds` : fault.remedy,
    ...(fault.nearest === undefined || from !== null ? {} : { nearest: fault.nearest }),
  })
}

/** As `refuse`, for what must not be shown: its kind and length alone are told. */
export function refuseSecret(reading: Reading, path: Path, value: unknown, message: string, remedy: string): void {
  const shown = typeof value === 'string' ? `(hidden, ${Buffer.byteLength(value)} bytes)` : kindOf(value)
  refuse(reading, path, value, { message, remedy, value: shown })
}

/** The text of a file named `file:…`, without the line feed at its end; null, and a problem, where it cannot be read. */
export function readMounted(reading: Reading, path: Path, value: string): string | null {
  const name = value.slice('file:'.length)
  try {
    return reading.readFile(name).replace(/\r?\n$/, '')
  } catch (error) {
    refuse(reading, path, value, {
      message: `the file cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unreadable'})`,
      remedy: 'name a file that this user may read; a relative name is taken from the folder of the configuration',
    })
    return null
  }
}
