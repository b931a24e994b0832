import { globSync, readFileSync } from 'node:fs'
import { type Page, pages } from './pages.ts'
import { wrapped } from './wrap.ts'

const ROOT = new URL('../..', import.meta.url)

/** Paths of all Markdown pages of the repository, the generated ones included. */
export function markdownPages(): readonly string[] {
  const paths = globSync(['*.md', '{docs,scripts,lab,examples,bench}/**/*.md'], {
    cwd: ROOT,
    exclude: path => path.includes('node_modules'),
  })
  return paths.toSorted()
}

/** The pages that are not generated, as they are after wrapping. */
export function handWritten(): readonly Page[] {
  const generated = new Set(pages().map(({ path }) => path))
  return markdownPages()
    .filter(path => !generated.has(path))
    .map(path => ({ path, content: wrapped(readFileSync(new URL(path, ROOT), 'utf8')) }))
}
