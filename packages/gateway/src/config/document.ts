import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  type Scalar,
  type YAMLError,
} from 'yaml'
import type { ConfigProblem } from './config-error.ts'
import { fillIn } from './environment.ts'
import { type Path, pathText } from './path.ts'
import { show } from './shown-value.ts'

/** Line and column from 1. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** A YAML or JSON text as plain values that remember where they stood. */
export interface ConfigDocument {
  readonly file: string
  readonly value: unknown
  /** Where the value at a path stands, or the nearest thing above it that is there. */
  at(path: Path): Position
  /** Where the key at a path stands. */
  atKey(path: Path): Position
  /** What a value was filled in from (`${TOKEN}`), here or above; null for what the file itself says. */
  from(path: Path): string | null
}

/** How a text is read. */
export interface DocumentOptions {
  readonly file: string
  readonly env: { readonly [name: string]: string | undefined }
  /** True where `$` means nothing: JSON Schema has it in patterns. */
  readonly verbatim?: (path: Path) => boolean
}

/** A configuration beyond this is no configuration. */
const MOST_CHARS = 4 * 1024 * 1024
const DEEPEST = 64
const MOST_ALIASES = 100

/** Reads a text, or tells why it cannot be read. It is data alone: no tag makes an object of a class. */
export function readDocument(text: string, options: DocumentOptions): ConfigDocument | readonly ConfigProblem[] {
  const { file } = options
  const problems: ConfigProblem[] = []
  const lines = new LineCounter()
  const place = (offset: number): Position => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }
  const tell = (offset: number, path: Path, value: string, message: string, remedy: string, near?: string): void => {
    problems.push({
      file,
      ...place(offset),
      path: pathText(path),
      value,
      message,
      remedy,
      ...(near === undefined ? {} : { nearest: near }),
    })
  }
  if (text.length > MOST_CHARS) {
    tell(0, [], `${text.length} characters`, `more than ${MOST_CHARS}`, 'split it: message schemas go into files')
    return problems
  }
  const documents = parseAllDocuments(text, {
    lineCounter: lines,
    version: '1.2',
    schema: 'core',
    stringKeys: true,
    intAsBigInt: true,
  })
  const [document, second] = Array.isArray(documents) ? (documents as Document.Parsed[]) : []
  if (document === undefined) {
    tell(0, [], '', 'the file is empty', 'run `sallyport-gateway init` for one to begin with')
    return problems
  }
  if (second !== undefined) {
    tell(second.range[0], [], '', 'a second document (---)', 'write one document a file')
    return problems
  }
  for (const error of told(document)) {
    const [offset] = error.pos
    // What the parser quotes of the file could be a secret that was written without quotes (`!pass`, `*pass`, `@pass`).
    const [message = ''] = error.message.split(/ at line |\n|: /)
    if (text.startsWith('${', offset - 1))
      tell(offset - 1, [], '', 'not YAML or JSON: within { } and [ ] a reference stands in quotes', "write '${NAME}'")
    else tell(offset, [], '', `not YAML or JSON: ${message.replaceAll(/(["'`]).*\1/gs, '…')}`, remedyOf(error.code))
  }
  if (problems.length > 0) return problems

  const values = new Map<string, number>()
  const keys = new Map<string, number>()
  const origins = new Map<string, string>()
  let aliases = 0

  const read = (node: Node | null | undefined, path: Path, offset: number): unknown => {
    const start = node?.range?.[0] ?? offset
    values.set(keyOf(path), start)
    if (path.length > DEEPEST) {
      tell(start, path, '', `deeper than ${DEEPEST}`, 'flatten it')
      return undefined
    }
    if (node === null || node === undefined) return null
    if (isAlias(node)) {
      aliases++
      const target = node.resolve(document)
      if (aliases > MOST_ALIASES || target === undefined) {
        tell(
          start,
          path,
          '',
          aliases > MOST_ALIASES ? `more than ${MOST_ALIASES} aliases` : 'an alias of nothing',
          'write it out',
        )
        return undefined
      }
      return read(target, path, start)
    }
    if (isMap(node)) {
      const found: { [key: string]: unknown } = {}
      for (const { key, value } of node.items) {
        const name = isScalar(key) ? String(key.value) : ''
        const keyStart = (key as Node).range?.[0] ?? start
        const inner = [...path, name]
        keys.set(keyOf(inner), keyStart)
        if (name === '__proto__' || name === '<<') {
          tell(keyStart, inner, '', 'not a key', name === '<<' ? 'write the keys out' : 'remove it')
          continue
        }
        found[name] = read(value as Node | null, inner, keyStart)
      }
      return found
    }
    if (isSeq(node)) return node.items.map((item, index) => read(item as Node | null, [...path, index], start))
    return scalar(node, path, start)
  }

  const scalar = (node: Scalar, path: Path, start: number): unknown => {
    const { value } = node
    if (typeof value === 'bigint') return integer(value, options.verbatim?.(path) === true)
    if (typeof value !== 'string' || options.verbatim?.(path)) return value
    const filled = fillIn(value, options.env)
    if (!('text' in filled)) {
      tell(start, path, show(withoutDefaults(value)), filled.message, filled.remedy, filled.nearest)
      return undefined
    }
    if (filled.from !== null) origins.set(keyOf(path), filled.from)
    return filled.text
  }

  const value = read(document.contents, [], 0)
  if (problems.length > 0) return problems
  const nearestOf = (offsets: ReadonlyMap<string, number>, path: Path): Position => {
    for (let length = path.length; length >= 0; length--) {
      const key = keyOf(path.slice(0, length))
      const offset = length === path.length ? offsets.get(key) : (keys.get(key) ?? values.get(key))
      if (offset !== undefined) return place(offset)
    }
    return { line: 1, column: 1 }
  }
  return {
    file,
    value,
    at: (path: Path) => nearestOf(values, path),
    atKey: (path: Path) => nearestOf(keys, path),
    from(path: Path) {
      for (let length = path.length; length > 0; length--) {
        const origin = origins.get(keyOf(path.slice(0, length)))
        if (origin !== undefined) return origin
      }
      return null
    },
  }
}

/** An integer as a number; in a schema one that a number would round stays a bigint. */
function integer(value: bigint, isExact: boolean): number | bigint {
  const rounded = Number(value)
  return isExact && !Number.isSafeInteger(rounded) ? value : rounded
}

/** A key twice stands for itself; of what breaks the syntax only the first does: the rest is what follows from it. */
function told({ errors, warnings }: Document.Parsed): readonly YAMLError[] {
  const broken = errors.filter(({ code }) => code !== 'DUPLICATE_KEY').toSorted((a, b) => a.pos[0] - b.pos[0])
  return [...errors.filter(({ code }) => code === 'DUPLICATE_KEY'), ...broken.slice(0, 1), ...warnings]
}

/** A reference as an error may show it: what stands for a variable that is unset could be a secret. */
const withoutDefaults = (text: string): string => text.replaceAll(/(\$\{[^}]*?:-)[^}]*\}?/g, '$1…}')

const keyOf = (path: Path): string => JSON.stringify(path)

function remedyOf(code: string): string {
  if (code === 'DUPLICATE_KEY') return 'write each key once: two readers would choose differently'
  if (code === 'TAB_AS_INDENT') return 'indent with spaces'
  return 'see where the line and column point: indentation, a quote or a colon'
}
