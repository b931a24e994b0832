import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { OLDEST_NODE, tooOld } from '../../src/cli/node-version.ts'
import { cli } from '../runtime/gateway-process.ts'

const VERSIONS: readonly (readonly [version: string, isOld: boolean])[] = [
  ['18.20.8', true],
  ['20.20.2', true],
  ['22.17.1', true],
  ['22.18.0', false],
  ['22.23.3', false],
  ['24.0.0', false],
  ['100.0.0', false],
]
for (const [version, isOld] of VERSIONS) {
  test(`Node ${version} is ${isOld ? 'too old' : 'new enough'}`, () => {
    assert.equal(tooOld(version) !== null, isOld)
  })
}

test('the oldest Node is the one of the package', () => {
  const { engines } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  assert.equal(engines.node, `>=${OLDEST_NODE.join('.')}`)
})

test('an old Node is told so in one line, and nothing of what it could not load', () => {
  const [command, args] = cli(['check'])
  const old = `data:text/javascript,Object.defineProperty(process, 'versions', { value: { node: '20.20.2' } })`
  const { status, stdout, stderr } = spawnSync(command, ['--import', old, ...args], { encoding: 'utf8' })
  assert.deepEqual([status, stdout, stderr], [1, '', 'sallyport-gateway needs Node 22.18 or later; this is 20.20.2\n'])
})
