import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { IDIOMS } from '../../scripts/words/list.ts'
import { proseOfModule, proseOfPage } from '../../scripts/words/texts.ts'

const found = (text: string): boolean => IDIOMS.some(({ pattern }) => text.match(pattern) !== null)

// Sentences that readers did not understand, and what they became.
const PAIRS: readonly (readonly [before: string, after: string])[] = [
  [
    'Whose the places of an attempt are whose connection another guard has taken over.',
    'Maps an attempt to the one that inherited its connection slots.',
  ],
  [
    "The socket is another's from now on: its end is not told of to whom `readFirst` named.",
    'Detaches the first-bytes reader; its `gone()` is no longer called.',
  ],
  ['At which a frame comes at the least that a pong has to wait for', 'Minimum transfer rate (bytes/s) of a frame.'],
  ['Once it has drained nobody is left whom news could be of', 'After a drain, unsubscribe from the store.'],
  ['no client can bring one into being', 'Clients cannot create new time series.'],
  ['A no closes it', 'A refusal closes it.'],
  ['it must be said', 'the required key is missing'],
]

for (const [before, after] of PAIRS) {
  test(`words: found in "${before.slice(0, 40)}…", not in its plain form`, () => {
    assert.ok(found(before))
    assert.ok(!found(after))
  })
}

test('words: a sentence is found over the line breaks of a comment, and in a text; code is not prose', () => {
  const source = `/** Ends what was\n * told of. */\nconst bears = x.anew // it is\n// that which\nthrow new Error('a path that is none')\n`
  const prose = proseOfModule(source, false)
  assert.deepEqual(
    prose.map(({ text, at }) => [at, text]),
    [
      [1, 'Ends what was told of.'],
      [3, 'it is that which'],
      [5, 'a path that is none'],
    ],
  )
  assert.ok(prose.every(({ text }) => found(text)))
  assert.deepEqual(
    proseOfModule(source, true).map(({ text }) => text),
    ['a path that is none'],
  )
  assert.deepEqual(
    proseOfPage('# A\n\nx `bears` y\nz\n\n```ts\nbears\n```\n| a | b |\n').map(({ text, at }) => [at, text]),
    [
      [1, 'A'],
      [3, 'x x y z'],
      [9, 'a'],
      [9, 'b'],
    ],
  )
})

test('words: comments, errors, test names and pages have no idiom of the list', () => {
  const { status, stdout } = spawnSync(process.execPath, ['scripts/words.ts'], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    encoding: 'utf8',
  })
  assert.equal(status, 0, stdout)
})
