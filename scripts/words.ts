// Finds idioms of scripts/words/list.ts in comments, error texts, test names and pages. Folders of scripts/words/exceptions.ts
// are not mended yet: `-- --all` shows their findings too.
import { existsSync, globSync, readFileSync } from 'node:fs'
import { EXCEPTIONS } from './words/exceptions.ts'
import { IDIOMS } from './words/list.ts'
import { proseOfModule, proseOfPage } from './words/texts.ts'

const root = new URL('..', import.meta.url)
// The list itself, and sentences of its test.
const SKIPPED = new Set(['CHANGELOG.md', 'scripts/words/list.ts', 'test/docs/words.test.ts'])
const all = process.argv.includes('--all')
const files = globSync(
  [
    'packages/*/src/**/*.ts',
    '{packages/*,examples/*,lab,.}/test/**/*.ts',
    'scripts/**/*.{ts,mjs,md}',
    '*.md',
    '{docs,lab,bench,examples}/**/*.md',
  ],
  { cwd: root, exclude: path => path.includes('node_modules') },
).filter(path => !SKIPPED.has(path))

const used = new Set<string>()
let found = 0
for (const path of files.toSorted()) {
  const source = readFileSync(new URL(path, root), 'utf8')
  const prose = path.endsWith('.md') ? proseOfPage(source) : proseOfModule(source, /(^|\/)test\//.test(path))
  const excepted = EXCEPTIONS.find(folder => path.startsWith(folder))
  for (const { text, at } of prose) {
    for (const { pattern, instead } of IDIOMS) {
      for (const { 0: words, index } of text.matchAll(pattern)) {
        if (excepted !== undefined) used.add(excepted)
        if (excepted !== undefined && !all) continue
        found++
        const around = text.slice(Math.max(0, index - 30), index + words.length + 30)
        process.stdout.write(`${path}:${at}  "${words.trim()}" in "…${around}…"\n    write ${instead}\n`)
      }
    }
  }
}
for (const folder of EXCEPTIONS) {
  if (!used.has(folder) && existsSync(new URL(folder, root)))
    process.stdout.write(`nothing left in ${folder}: take it out of scripts/words/exceptions.ts\n`)
}
if (found > 0) process.exitCode = 1
