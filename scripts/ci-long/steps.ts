/** A part of `npm run ci:long`. */
export interface Step {
  readonly id: string
  readonly proves: string
  /** About how long it takes on two cores with nothing else running, in minutes. */
  readonly minutes: number
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** Every browser of the lab. The lab fails if one of them is not installed. */
const BROWSERS = 'chromium,chromium-debian,firefox,firefox-open,webkit,webkit-itp'

/** What the steps depend on. */
export interface Inputs {
  /** The first seed of the wire fuzzer: a new one for each run, so that each run tries other streams. */
  readonly seed: number
  /** The test files that contain properties. */
  readonly propertyTests: readonly string[]
  /** The folder for the results of benches: the committed ones stay as they are. */
  readonly results: string
}

/** The steps, the cheapest first. */
export function stepsOf({ seed, propertyTests, results }: Inputs): readonly Step[] {
  return [
    {
      id: 'fuzz-wire',
      proves: 'the decoder agrees with that of `ws` on 20 million random frames',
      minutes: 5,
      command: 'npm',
      args: ['run', 'fuzz:wire', '--', '--frames', '20000000', '--seed', String(seed)],
    },
    {
      id: 'reload-rights',
      proves: 'reloads in doubt: 5 000 sockets live for the grace, and not beyond it',
      minutes: 4,
      command: 'npm',
      args: ['run', 'bench:reload-rights'],
    },
    {
      id: 'properties',
      proves: 'each property test (wire, messages, stores, policy, gateway) with ten times the runs',
      minutes: 2,
      command: process.execPath,
      args: ['scripts/test.mjs', '--test-timeout=1200000', ...propertyTests],
      env: { SALLYPORT_RUNS: '10' },
    },
    {
      id: 'faults',
      proves: 'clusters of real processes keep every promise through crashes, stops, splits and failovers',
      minutes: 5,
      command: 'npm',
      args: ['run', 'faults'],
    },
    {
      id: 'matrix',
      proves: 'every browser sends the session cookie where the table of the lab says so',
      minutes: 5,
      command: 'npm',
      args: ['run', 'lab', '--', 'matrix', '--browser', BROWSERS],
    },
    {
      id: 'lab',
      proves: 'every flaw is hijacked without the guard and stopped with it, in every browser',
      minutes: 10,
      command: 'npm',
      args: ['run', 'lab', '--', '--browser', BROWSERS],
    },
    {
      id: 'honest',
      proves: 'offices of 20, 60 and 200 people are in again within 10 s, and no stranger is',
      minutes: 20,
      command: 'npm',
      args: ['run', 'bench:honest'],
      env: { SALLYPORT_BENCH_RESULTS: results },
    },
  ]
}

/** The steps that `only` names; throws if it names one that does not exist. */
export function chosenOf(steps: readonly Step[], only: readonly string[]): readonly Step[] {
  const ids = steps.map(({ id }) => id)
  const unknown = only.filter(id => !ids.includes(id))
  if (unknown.length > 0) {
    throw new TypeError(
      `ci:long has no step ${unknown.map(id => JSON.stringify(id)).join(', ')}. Write one of: ${ids.join(', ')}`,
    )
  }
  return only.length === 0 ? steps : steps.filter(({ id }) => only.includes(id))
}
