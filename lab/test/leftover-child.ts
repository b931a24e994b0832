// Started by leftovers.test.ts: starts browsers, tells their process groups, and ends in the way that it is told.
import { BROWSERS } from '../browsers/catalogue.ts'
import { runningGroups } from '../../test/browsers/process-group.ts'
import type { Plan } from '../run/cell.ts'
import { loadFlaw } from '../run/flaws.ts'
import { plansOf } from '../run/plans.ts'
import { run } from '../run/run.ts'

const [way, ...ids] = process.argv.slice(2)
const kinds = BROWSERS.filter(({ id }) => ids.includes(id))
const loaded = await loadFlaw('no-origin-commands')
const plans = (): readonly Plan[] =>
  plansOf(
    [loaded],
    kinds.map(({ id }) => id),
  )
let told = false

await run({
  // Often enough that the quick browser still runs when the slow one has started.
  plans: way === 'finishes' ? plans().slice(-2) : Array.from({ length: 10 }, plans).flat(),
  kinds,
  jobs: kinds.length,
  progress: {
    started() {},
    done() {
      const groups = runningGroups()
      if (told || groups.length < kinds.length) return
      told = true
      process.stdout.write(`${JSON.stringify(groups)}\n`)
      if (way === 'throws in the run') throw new Error('midway')
      if (way === 'throws outside') {
        setImmediate(() => {
          throw new Error('outside')
        })
      }
    },
  },
})
