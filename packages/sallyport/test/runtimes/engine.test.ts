import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { OTHER_NODES, runWhole } from './runtimes.ts'

/** All that stands on how Node reads, writes and ends its sockets: the fast paths, and what takes over where they are not. */
const SERVER = readdirSync(new URL('../server', import.meta.url)).filter(name => name.endsWith('.test.ts'))
/** What stands on how Node's HTTP parser tells of a handshake. */
const FILES = [
  ...SERVER.map(name => `server/${name}`),
  'attacks/pipelining.test.ts',
  '../../gateway/test/listener/first-bytes.test.ts',
  '../../gateway/test/listener/declined-upgrade.test.ts',
]

/** Some hundred handshakes, for the oldest and the newest parser. */
const HOSTILE = 'attacks/handshake-hostile.test.ts'
const HOSTILE_TO = new Set([OTHER_NODES[0], OTHER_NODES.at(-1)])

test('the fast paths are among what is run', () => {
  const named = ['engine-fast-path', 'engine-write', 'first-bytes-reader', 'engine'].map(name => `${name}.test.ts`)
  assert.deepEqual(
    named.filter(name => !SERVER.includes(name)),
    [],
  )
})

for (const runtime of OTHER_NODES) {
  test(`${runtime.name} is what it is named`, () => {
    const { stdout } = spawnSync(runtime.command, ['--version'], { encoding: 'utf8' })
    assert.equal(stdout.trim().replace('v', 'Node '), runtime.name)
  })

  for (const file of HOSTILE_TO.has(runtime) ? [...FILES, HOSTILE] : FILES)
    test(`${runtime.name}: ${file}`, t => runWhole(t, runtime, file))
}
