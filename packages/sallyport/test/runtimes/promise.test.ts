import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { OTHER_NODES } from './runtimes.ts'

const read = (path: string): string => readFileSync(new URL(`../../../../${path}`, import.meta.url), 'utf8')
const short = (version: string): string => version.replace(/^Node (\d+\.\d+)\.\d+$/, '$1')

test('the README names the versions that are tested, and no other', () => {
  const tested = [...OTHER_NODES.map(({ name }) => short(name)), short(`Node ${process.versions.node}`)].toSorted()
  const [, promised = ''] = /^Node \d+\.\d+ or later, tested on ([\d., and]+); /m.exec(read('README.md')) ?? []
  assert.deepEqual(promised.split(/, | and /), tested)
})

for (const name of ['sallyport', 'gateway']) {
  test(`the oldest that is tested is the oldest that ${name} promises to run on`, () => {
    const { engines } = JSON.parse(read(`packages/${name}/package.json`)) as { engines: { node: string } }
    assert.equal(`Node ${engines.node.replace('>=', '')}.0`, OTHER_NODES[0]!.name)
  })
}
