import { test } from 'node:test'
import { OTHER_NODES, runWhole } from './runtimes.ts'

/** What reads and writes bytes by Node's buffers and zlib, most of it against random streams. */
const FILES = [
  'differential.test.ts',
  'deflate-differential.test.ts',
  'frame-run.test.ts',
  'json-writer.test.ts',
  'upgrade.test.ts',
  'utf8.test.ts',
]

// The oldest and the newest: what lies between them has no other buffers.
for (const runtime of [OTHER_NODES[0]!, OTHER_NODES.at(-1)!]) {
  for (const file of FILES) test(`${runtime.name}: ${file}`, t => runWhole(t, runtime, `wire/${file}`))
}
