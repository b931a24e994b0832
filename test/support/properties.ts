import * as fastCheck from 'fast-check'

// By itself fast-check ends at some ten elements, whatever `maxLength` says: what lies beyond would never be tried.
fastCheck.configureGlobal({ defaultSizeToMaxWhenMaxSpecified: true })

export * from 'fast-check'

/** fast-check's own number of runs of a property. */
const USUAL_RUNS = 100

/** By how much `SALLYPORT_RUNS` multiplies the runs of each property: 1 unless it is set. */
function factor(): number {
  const text = process.env['SALLYPORT_RUNS'] ?? '1'
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) {
    throw new TypeError(`SALLYPORT_RUNS must be a whole number from 1 on, such as 20, not ${JSON.stringify(text)}`)
  }
  return value
}

const FACTOR = factor()

/**
 * fast-check's `assert`, with the runs of the property multiplied by `SALLYPORT_RUNS`. It hides the one of
 * `export *`, so every test that imports `fc` uses it.
 */
export function assert<Ts>(property: fastCheck.IAsyncProperty<Ts>, parameters?: fastCheck.Parameters<Ts>): Promise<void>
export function assert<Ts>(property: fastCheck.IProperty<Ts>, parameters?: fastCheck.Parameters<Ts>): void
export function assert<Ts>(
  property: fastCheck.IRawProperty<Ts>,
  parameters: fastCheck.Parameters<Ts> = {},
): Promise<void> | void {
  const numRuns = (parameters.numRuns ?? USUAL_RUNS) * FACTOR
  return fastCheck.assert(property as fastCheck.IProperty<Ts>, { ...parameters, numRuns })
}
