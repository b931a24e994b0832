// `npm run ci:long`: what takes too long for `.ci/run` and is run before a release. `-- --list` shows the steps,
// `-- --only fuzz-wire,lab` runs some of them. Ends with 1 if a step failed, with 2 for a wrong option.
import { globSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { listOf, runAll, tableOf } from './ci-long/run.ts'
import { chosenOf, type Step, stepsOf } from './ci-long/steps.ts'
import { cleanCommit, stamp } from './passed.ts'

const root = join(import.meta.dirname, '..')
const say = (line: string): void => void process.stderr.write(`ci:long: ${line}\n`)

function readSteps(): { readonly steps: readonly Step[]; readonly list: boolean; readonly isWhole: boolean } {
  const { values } = parseArgs({
    options: { list: { type: 'boolean', default: false }, only: { type: 'string' }, seed: { type: 'string' } },
  })
  const seed = Number(values.seed ?? Math.floor(Date.now() / 1000))
  if (!Number.isSafeInteger(seed) || seed < 0) throw new TypeError(`--seed must be a whole number, not ${values.seed}`)
  const propertyTests = globSync('{packages,examples,lab}/**/*.test.ts', { cwd: root, exclude: ['**/node_modules'] })
    .filter(file => readFileSync(join(root, file), 'utf8').includes('support/fast-check.ts'))
    .toSorted()
  const results = values.list ? '' : mkdtempSync(join(tmpdir(), 'sallyport-bench-'))
  const steps = chosenOf(stepsOf({ seed, propertyTests, results }), values.only?.split(',') ?? [])
  return { steps, list: values.list, isWhole: values.only === undefined }
}

async function main(): Promise<number> {
  const { steps, list, isWhole } = readSteps()
  if (list) {
    process.stdout.write(`${listOf(steps)}\n`)
    return 0
  }
  const before = cleanCommit(root)
  const outcomes = await runAll(steps, root, say)
  process.stdout.write(`${tableOf(outcomes)}\n`)
  if (outcomes.some(({ ok }) => !ok)) return 1
  const stamped = isWhole && stamp(root, 'ci-long', before)
  say(stamped ? `commit ${before} has passed` : 'not noted for a release: a part of it ran, or the tree has changes')
  return 0
}

try {
  process.exitCode = await main()
} catch (error) {
  say((error as Error).message)
  process.exitCode = 2
}
