import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { runInThisContext } from 'node:vm'
import { CONTROLS } from '../../packages/sallyport/src/policy/controls.ts'
import { DENIALS } from '../../packages/sallyport/src/policy/denials.ts'
import { policyWith } from '../../packages/sallyport/test/policy/honest-policy.ts'
import { problemsOf } from '../../packages/sallyport/test/policy/problems-of.ts'
import { pages, partOf } from '../../scripts/docs/pages.ts'
import { controlsOf, REQUIREMENTS, SOURCES, sourceOf, testOf, testsOf } from '../../scripts/docs/requirements.ts'

const root = new URL('../..', import.meta.url)
const at = (path: string): string => fileURLToPath(new URL(path, root))
const PAGES = pages()

for (const { path, content } of PAGES) {
  test(`drift: ${path} is what is generated`, () => {
    assert.ok(existsSync(at(path)), 'run `npm run docs`')
    assert.equal(readFileSync(at(path), 'utf8'), content)
  })
}

test('drift: no page of a control that is no more', () => {
  const listed = readdirSync(at('docs/controls'), { recursive: true, withFileTypes: true })
  const files = listed.filter(entry => entry.isFile()).length
  assert.equal(files, PAGES.filter(page => page.path.startsWith('docs/controls/')).length)
})

for (const { id } of CONTROLS) {
  test(`one control = one name: ${id}`, () => {
    const missing = [sourceOf(id), testOf(id), `docs/controls/${id}.md`].filter(path => !existsSync(at(path)))
    assert.deepEqual(missing, [])
  })

  test(`${id}: its part is prose and one example, which the policy accepts`, () => {
    const [prose = '', example = '', ...more] = partOf(id).split('```ts\n')
    assert.equal(more.length, 0)
    assert.ok(prose.length > 300, 'more than a line of reasons')
    const source = example.slice(0, example.indexOf('```'))
    assert.ok(source.includes(id.split('/')[1]!), 'the example shows the control')
    const build = runInThisContext(`((lookUp, process, ChatSchema, SearchSchema) => ({ ${source} }))`) as (
      ...known: unknown[]
    ) => object
    const environment = {
      TICKET_SECRET: 'kV7c1mQ0pXz4sT9wB2nE6rY8uJ3hL5dF',
      TICKET_SECRET_BEFORE: 'Zq2Wc8Rv5Tn1By7Um4Ik9Op3Ls6Hd0Gf',
    }
    const sections = Object.entries(
      build(() => null, { env: environment }, { type: 'object' }, { type: 'object' }),
    ).flatMap(([section, value]) =>
      section === 'proxy'
        ? [[section, value]]
        : Object.entries(value as object).map(([key, entry]) => [`${section}.${key}`, entry]),
    )
    assert.deepEqual(problemsOf(policyWith(Object.fromEntries(sections))), [])
  })
}

test('every requirement that a denial or a control names is a line', () => {
  const named = [
    ...Object.values(DENIALS).flatMap(row => row.requirements),
    ...CONTROLS.flatMap(row => row.requirements),
  ]
  assert.deepEqual(
    named.filter(id => !REQUIREMENTS.has(id)),
    [],
  )
})

for (const line of REQUIREMENTS.values()) {
  test(`requirement ${line.id} is met, shown by tests that exist, or said to be the host's`, () => {
    assert.ok(controlsOf(line.id).length + line.tests.length > 0 || line.host !== undefined)
    assert.ok(testsOf(line).length > 0 || line.host !== undefined)
    // The tests of its controls are looked for above, once each.
    assert.deepEqual(
      line.tests.filter(path => !existsSync(at(path))),
      [],
    )
  })
}

/** Every line there must be; none may be dropped. */
const numbers = (prefix: string, list: string): string[] =>
  list
    .trim()
    .split(/\s+/)
    .map(number => `${prefix}${number}`)
const upTo = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`)

test('no line is missing, none is there twice', () => {
  const asvs = `4.1.3 4.4.1 4.4.2 4.4.3 4.4.4 7.1.1 7.1.2 7.2.1 7.2.2 7.2.3 7.2.4 7.3.1 7.3.2 7.4.1 7.4.2 7.4.5 7.5.3 8.3.2
    9.1.1 9.1.2 9.1.3 9.2.1 9.2.2 9.2.3 9.2.4 14.2.1 16.2.1 16.2.2 16.2.3 16.2.4 16.2.5 16.3.1 16.3.2 16.3.3 16.3.4
    16.4.1 16.4.2 16.4.3 16.5.3`
  const expected = [
    ...upTo('S', 15),
    ...upTo('WS-', 33),
    ...numbers('ASVS-', asvs),
    ...numbers('RFC-', '10.1 10.2 10.4 10.6 10.7 10.8'),
    ...upTo('LOG-', 2),
  ]
  assert.deepEqual(
    SOURCES.flatMap(source => source.lines.map(line => line.id)),
    expected,
  )
  for (const { text } of REQUIREMENTS.values()) assert.notEqual(text, '')
})

test('links of generated pages lead to files', () => {
  for (const { path, content } of PAGES) {
    for (const [, target = ''] of content.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)) {
      // Sources and tests have a test each above, which names the one that is missing.
      if (target.includes('packages/') || target.includes('examples/') || target.includes('/test/')) continue
      assert.ok(existsSync(new URL(target, new URL(path, root))), `${path} → ${target}`)
    }
  }
})
