// `npm run sizes`: how long files and functions are. It only reports; nothing fails.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ImportGraph, readImports } from './imports.ts'

const root = join(import.meta.dirname, '..')
const PACKAGES = [
  ['library', 'packages/sallyport/src'],
  ['gateway', 'packages/gateway/src'],
  ['lab', 'lab'],
] as const
const MOST_FILE_LINES = 300
const MOST_FUNCTION_LINES = 60
/** Smaller files with one importer are candidates to be merged into it. */
const SMALL_FILE_LINES = 25

interface LongFunction {
  readonly file: string
  readonly line: number
  readonly message: string
}

/** Functions over the bound, as oxlint counts them: comments and blank lines included. */
function longFunctions(folder: string): readonly LongFunction[] {
  const temporary = mkdtempSync(join(tmpdir(), 'sizes-'))
  const config = join(temporary, 'oxlint.json')
  const rules = { 'max-lines-per-function': ['error', { max: MOST_FUNCTION_LINES }] }
  writeFileSync(config, JSON.stringify({ plugins: [], categories: { correctness: 'off' }, rules }))
  const args = ['-c', config, '--format', 'json', folder]
  const { stdout } = spawnSync('oxlint', args, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 26 })
  rmSync(temporary, { recursive: true })
  const { diagnostics } = JSON.parse(stdout) as {
    diagnostics: { filename: string; message: string; labels: { span: { line: number } }[] }[]
  }
  return diagnostics.map(({ filename, message, labels: [label] }) => ({
    file: filename,
    line: label!.span.line,
    message: message.replace(/ Maximum allowed .*$/, '').replace(/^The /, ''),
  }))
}

function importersOf(graph: ImportGraph, file: string): readonly string[] {
  return [...graph].filter(([, imported]) => imported.has(file)).map(([importer]) => importer)
}

function report(name: string, folder: string): readonly string[] {
  const graph = readImports(join(root, folder))
  const isTest = (file: string): boolean => file.startsWith('test/')
  const files = [...graph.keys()]
    .filter(file => !isTest(file))
    .map(file => ({
      file,
      lines: readFileSync(join(root, folder, file), 'utf8')
        .trimEnd()
        .split('\n').length,
    }))
    .toSorted((a, b) => b.lines - a.lines)
  const median = files[Math.floor(files.length / 2)]!.lines
  const over = files.filter(({ lines }) => lines > MOST_FILE_LINES)
  const functions = longFunctions(folder).filter(({ file }) => !isTest(file.slice(folder.length + 1)))
  const small = files.flatMap(({ file, lines }) => {
    const importers = importersOf(graph, file)
    return lines < SMALL_FILE_LINES && importers.length === 1 ? [`  ${lines} ${file}, by ${importers[0]}`] : []
  })
  return [
    `${name}: ${files.length} files, median ${median} lines, greatest ${files[0]!.lines} (${files[0]!.file})`,
    `files over ${MOST_FILE_LINES} lines: ${over.length}`,
    ...over.map(({ file, lines }) => `  ${lines} ${file}`),
    `functions over ${MOST_FUNCTION_LINES} lines: ${functions.length}`,
    ...functions
      .map(({ file, line, message }) => `  ${file.slice(folder.length + 1)}:${line} ${message}`)
      .toSorted((a, b) => a.localeCompare(b)),
    `files under ${SMALL_FILE_LINES} lines with one importer: ${small.length}`,
    ...small,
    '',
  ]
}

for (const [name, folder] of PACKAGES) process.stdout.write(`${report(name, folder).join('\n')}\n`)
