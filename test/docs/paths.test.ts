import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { markdownPages } from '../../scripts/docs/hand-written.ts'

const root = new URL('../..', import.meta.url)
/** Seen from the root, from the library (`src/…`) or from the page's own folder. */
const exists = (path: string, page: string): boolean =>
  [new URL(path, root), new URL(`packages/sallyport/${path}`, root), new URL(path, new URL(page, root))].some(
    existsSync,
  )

// The changelog tells of files that were there once.
for (const page of markdownPages().filter(path => path !== 'CHANGELOG.md')) {
  const text = readFileSync(new URL(page, root), 'utf8').replaceAll(/^\s*```[^]*?^\s*```$/gm, '')
  const named = [...text.matchAll(/(?<!\[)`((?:packages|scripts|test|docs|lab|examples|bench|src)\/[\w./-]+)`/g)]
  if (named.length === 0) continue
  test(`paths: every file that ${page} names exists`, () => {
    assert.deepEqual(
      named.map(([, path]) => path!).filter(path => !exists(path, page)),
      [],
    )
  })
}
