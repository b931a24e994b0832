// Every link of every page leads to a file and, with `#`, to a heading of it. Lines of prose and code fit in 120 characters.
import assert from 'node:assert/strict'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { test } from 'node:test'
import { markdownPages } from '../../scripts/docs/hand-written.ts'
import { WIDTH } from '../../scripts/docs/wrap.ts'

const root = new URL('../..', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')
const withoutCode = (page: string): string =>
  page.replaceAll(/^\s*```[^]*?^\s*```$/gm, '').replaceAll(/`[^`\n]*`/g, 'x')

/** The anchors that GitHub gives a page: one for each heading, and the ids written in it. */
function anchorsOf(page: string): ReadonlySet<string> {
  const anchors = new Set([...page.matchAll(/<a id="([^"]+)">/g)].map(([, id]) => id!))
  for (const [, heading = ''] of page.replaceAll(/^```[^]*?^```$/gm, '').matchAll(/^#{1,6} (.+)$/gm)) {
    const text = heading.replaceAll(/\]\([^)]*\)/g, ']').toLowerCase()
    const slug = text.replaceAll(/[^\p{L}\p{N}\p{M}\-_ ]/gu, '').replaceAll(' ', '-')
    for (let count = 0; ; count++) {
      const anchor = count === 0 ? slug : `${slug}-${count}`
      if (anchors.has(anchor)) continue
      anchors.add(anchor)
      break
    }
  }
  return anchors
}

function deadLinks(path: string): readonly string[] {
  return [...withoutCode(read(path)).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = '']) => {
    if (/^[a-z]+:/.test(link)) return []
    const [target = '', anchor] = link.split('#')
    const file = new URL(target === '' ? path.split('/').at(-1)! : target, new URL(path, root))
    if (!existsSync(file)) return [`${link}: no such file`]
    if (anchor === undefined || statSync(file).isDirectory()) return []
    return anchorsOf(readFileSync(file, 'utf8')).has(anchor) ? [] : [`${link}: no such heading`]
  })
}

test('links: every page has only links that lead somewhere', () => {
  const dead = markdownPages()
    // A prose part is linked from the page that is generated from it.
    .filter(path => !path.startsWith('scripts/docs/parts/'))
    .flatMap(path => deadLinks(path).map(link => `${path} → ${link}`))
  assert.deepEqual(dead, [])
})

test('lines: prose and code of every page fit, tables excepted', () => {
  const long = markdownPages().flatMap(path =>
    read(path)
      .split('\n')
      .flatMap((line, at) => (line.length > WIDTH && !line.trimStart().startsWith('|') ? [`${path}:${at + 1}`] : [])),
  )
  assert.deepEqual(long, [])
})

test('links: anchors are those of GitHub, also of a heading that is there twice', () => {
  assert.deepEqual([...anchorsOf('# A *b*: c\n\n## [d](e.md)\n\n## d\n')], ['a-b-c', 'd', 'd-1'])
})
