import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { compare, REACHABLE } from './differential.ts'
import { singly } from './decoding.ts'
import { randomCuts, randomStream, seeded } from './random-stream.ts'

describe('the same messages and refusals as the receiver of ws', () => {
  test('12 000 random streams in random cuts, right and broken', () => {
    const met = new Set<string>()
    for (let seed = 1; seed <= 12000; seed++) {
      const random = seeded(seed)
      const peer = random(4) === 0 ? 'server' : 'client'
      const stream = randomStream(random, peer === 'client', 1 + random(20))
      const { same, story } = compare(randomCuts(random, stream.bytes), peer)
      assert.ok(same, `seed ${seed}: ${story}`)
      const [, outcome = ''] = story.split(' ')
      met.add(outcome)
    }
    assert.deepEqual(
      REACHABLE.filter(code => !met.has(code)),
      [],
      'every rule was broken at least once',
    )
  })

  const corpus = readFileSync(new URL('corpus/streams.txt', import.meta.url), 'utf8')
    .split('\n')
    .filter(Boolean)
  test(`the corpus of ${corpus.length} streams, whole and byte by byte`, () => {
    assert.ok(corpus.length >= 20)
    for (const line of corpus) {
      const [peer, hex] = line.split(' ') as ['client' | 'server', string]
      const bytes = Buffer.from(hex, 'hex')
      for (const chunks of [[bytes], singly(bytes)]) {
        const { same, story } = compare(chunks, peer)
        assert.ok(same, `${line.slice(0, 200)}: ${story}`)
      }
    }
  })
})
