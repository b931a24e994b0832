import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Comment, parseSync, type Program } from 'oxc-parser'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** One exported name. */
export interface ApiName {
  readonly name: string
  readonly kind: 'function' | 'class' | 'interface' | 'type' | 'const'
  /** Its docstring without stars; empty where there is none. */
  readonly doc: string
  /** The file of its declaration, from the root of the repository. */
  readonly file: string
}

type Statement = Program['body'][number]
type Found = ReadonlyMap<string, ApiName>

interface Parsed {
  readonly body: readonly Statement[]
  readonly comments: readonly Comment[]
  readonly text: string
}

const parsed = new Map<string, Parsed>()

function parse(file: string): Parsed {
  const known = parsed.get(file)
  if (known !== undefined) return known
  const text = readFileSync(join(ROOT, file), 'utf8')
  const { program, comments, errors } = parseSync(file, text)
  if (errors.length > 0) throw new Error(`${file} does not parse: ${errors[0]!.message}`)
  const result = { body: program.body, comments, text }
  parsed.set(file, result)
  return result
}

/** The names that a file exports, with what each declaration says, wherever it stands. */
export function exportsOf(file: string): Found {
  const { body } = parse(file)
  const names = new Map<string, ApiName>()
  for (const statement of body) {
    if (statement.type !== 'ExportNamedDeclaration') continue
    if (statement.declaration !== null)
      // Of overloads the first has the docstring.
      for (const declared of declarationsOf(file, statement))
        if (!names.has(declared.name)) names.set(declared.name, declared)
    for (const { local, exported } of statement.specifiers) {
      const [inner, outer] = [nameOf(local), nameOf(exported)]
      const found =
        statement.source === null ? localName(file, inner) : exportsOf(pathOf(file, statement.source.value)).get(inner)
      if (found === undefined) throw new Error(`${file} exports ${outer}, whose declaration was not found`)
      names.set(outer, { ...found, name: outer })
    }
  }
  return names
}

const nameOf = (node: object): string =>
  (node as { readonly name?: string }).name ?? (node as { readonly value: string }).value

/** A relative import as a path from the root. */
const pathOf = (file: string, source: string): string => join(dirname(file), source)

function localName(file: string, name: string): ApiName | undefined {
  for (const statement of parse(file).body) {
    if (statement.type === 'ImportDeclaration') {
      const specifier = statement.specifiers.find(({ local }) => local.name === name)
      if (specifier?.type !== 'ImportSpecifier' || !statement.source.value.startsWith('.')) continue
      return exportsOf(pathOf(file, statement.source.value)).get(nameOf(specifier.imported))
    }
    const found = declarationsOf(file, statement).find(declared => declared.name === name)
    if (found !== undefined) return found
  }
  return undefined
}

const KINDS: { readonly [type: string]: ApiName['kind'] } = {
  FunctionDeclaration: 'function',
  TSDeclareFunction: 'function',
  ClassDeclaration: 'class',
  TSInterfaceDeclaration: 'interface',
  TSTypeAliasDeclaration: 'type',
  VariableDeclaration: 'const',
}

function declarationsOf(file: string, statement: Statement): readonly ApiName[] {
  const node = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement
  const kind = node === null ? undefined : KINDS[node.type]
  if (node === null || kind === undefined) return []
  const doc = docBefore(file, statement.start)
  if (node.type === 'VariableDeclaration')
    return node.declarations.flatMap(({ id }) => (id.type === 'Identifier' ? [{ name: id.name, kind, doc, file }] : []))
  const { id } = node as { readonly id?: { readonly name: string } | null }
  return id === undefined || id === null ? [] : [{ name: id.name, kind, doc, file }]
}

/** The docstring that ends right before a position; a line comment for a tool may stand between. */
function docBefore(file: string, start: number): string {
  const { comments, text } = parse(file)
  const doc = comments.findLast(({ type, value, end }) => type === 'Block' && value.startsWith('*') && end <= start)
  if (doc === undefined || !/^(?:\s|\/\/[^\n]*\n)*$/.test(text.slice(doc.end, start))) return ''
  return doc.value
    .slice(1)
    .replaceAll(/^\s*\* ?/gm, '')
    .trim()
}
