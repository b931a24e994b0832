// `npm run fuzz:wire -- --frames 10000000 --seed 1`: our decoder against that of `ws`, until the frames are done.
// With `--keep` the shortest stream of each kind of outcome goes to the corpus, beside what is there.
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { compare } from './differential.ts'
import { randomCuts, randomStream, seeded } from './random-stream.ts'

const { values } = parseArgs({
  options: {
    frames: { type: 'string', default: '10000000' },
    seed: { type: 'string', default: '1' },
    keep: { type: 'boolean', default: false },
  },
})
const corpus = new URL('corpus/streams.txt', import.meta.url)
const kept = values.keep ? new Set(readFileSync(corpus, 'utf8').split('\n')) : new Set<string>()
const shortest = new Map<string, string>()
const stories = new Map<string, number>()
let frames = 0
let streams = 0
for (let seed = Number(values.seed); frames < Number(values.frames); seed++) {
  const random = seeded(seed)
  const peer = random(4) === 0 ? 'server' : 'client'
  const stream = randomStream(random, peer === 'client', 1 + random(20))
  const { same, story } = compare(randomCuts(random, stream.bytes), peer)
  if (!same) {
    process.stdout.write(`seed ${seed}: ${story}\n${peer} ${stream.bytes.toString('hex')}\n`)
    process.exit(1)
  }
  if (values.keep) {
    const line = `${peer} ${stream.bytes.toString('hex')}`
    if (line.length < (shortest.get(story)?.length ?? 4000)) shortest.set(story, line)
  }
  stories.set(story, (stories.get(story) ?? 0) + 1)
  frames += stream.frames
  streams++
}
for (const [story, count] of [...stories].toSorted(([one], [other]) => one.localeCompare(other)))
  process.stdout.write(`${String(count).padStart(9)}  ${story}\n`)
process.stdout.write(`${frames} frames in ${streams} streams: no difference that is not explained\n`)
if (values.keep) writeFileSync(corpus, [...kept, ...shortest.values()].filter(Boolean).join('\n').concat('\n'))
