import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'

/** How often a property runs in a process with `SALLYPORT_RUNS` set to `runs`. */
function count(
  runs: string | undefined,
  parameters: string,
): { readonly status: number | null; readonly text: string } {
  const code = `
    import { fc } from ${JSON.stringify(new URL('fast-check.ts', import.meta.url).href)}
    let times = 0
    fc.assert(fc.property(fc.nat(), () => { times++ }), ${parameters})
    await fc.assert(fc.asyncProperty(fc.nat(), async () => { times++ }), ${parameters})
    process.stdout.write(String(times))`
  const { SALLYPORT_RUNS: _, ...env } = process.env
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', code], {
    encoding: 'utf8',
    env: runs === undefined ? env : { ...env, SALLYPORT_RUNS: runs },
  })
  return { status, text: stdout + stderr }
}

for (const { row, runs, parameters, times } of [
  {
    row: 'without SALLYPORT_RUNS a property has its own runs',
    runs: undefined,
    parameters: '{ numRuns: 7 }',
    times: 14,
  },
  { row: 'SALLYPORT_RUNS=3 multiplies them', runs: '3', parameters: '{ numRuns: 7 }', times: 42 },
  { row: 'SALLYPORT_RUNS=3 multiplies the usual 100', runs: '3', parameters: 'undefined', times: 600 },
]) {
  test(row, () => assert.deepEqual(count(runs, parameters), { status: 0, text: String(times) }))
}

for (const runs of ['0', '-1', '1.5', 'many', ''])
  test(`SALLYPORT_RUNS=${JSON.stringify(runs)} is an error: no property may run less than usual`, () => {
    const { status, text } = count(runs, '{ numRuns: 7 }')
    assert.equal(status, 1)
    assert.match(text, /SALLYPORT_RUNS must be a whole number/)
  })
