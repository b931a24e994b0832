import type { BrowserKind, LabBrowser } from '../browsers/browser.ts'
import { type Cell, type Plan, runCell } from './cell.ts'

/** What a run tells while it goes on. */
export interface Progress {
  started(plan: Plan): void
  done(cell: Cell): void
}

export interface RunParts {
  readonly plans: readonly Plan[]
  readonly kinds: readonly BrowserKind[]
  /** Browsers at once. */
  readonly jobs: number
  readonly progress?: Progress
}

/** The cells in the order of their plans, and the versions of the browsers that ran them. */
export interface Result {
  readonly cells: readonly Cell[]
  readonly versions: Readonly<Record<string, string>>
}

/**
 * Runs the plans: one lane a browser, one for the raw clients, so many lanes at once. A browser serves all its cells, each
 * in a fresh profile; after a cell that went wrong the next one gets a new browser. Whatever happens, all are ended.
 */
export async function run({ plans, kinds, jobs, progress }: RunParts): Promise<Result> {
  const cells = new Map<Plan, Cell>()
  const versions: Record<string, string> = {}
  const failures: unknown[] = []

  const lane = async (browserPlans: readonly Plan[], kind: BrowserKind | null): Promise<void> => {
    let browser: LabBrowser | null = null
    try {
      for (const plan of browserPlans) {
        if (failures.length > 0) break
        progress?.started(plan)
        if (kind !== null && browser === null) {
          browser = await kind.start()
          versions[kind.id] = browser.version
        }
        const cell = await runCell(plan, browser)
        cells.set(plan, cell)
        progress?.done(cell)
        if (cell.verdict === 'error') {
          await browser?.end()
          browser = null
        }
      }
    } finally {
      await browser?.end()
    }
  }
  const lanes = [
    ...kinds.map(kind => ({ kind, own: plans.filter(plan => plan.browser === kind.id) })),
    { kind: null, own: plans.filter(plan => plan.browser === null) },
  ].filter(({ own }) => own.length > 0)

  const worker = async (): Promise<void> => {
    for (let next = lanes.shift(); next !== undefined && failures.length === 0; next = lanes.shift()) {
      await lane(next.own, next.kind).catch((error: unknown) => failures.push(error))
    }
  }
  await Promise.all(Array.from({ length: jobs }, worker))
  if (failures.length > 0) throw failures[0]
  return { cells: plans.flatMap(plan => cells.get(plan) ?? []), versions }
}
