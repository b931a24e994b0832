import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Step } from './steps.ts'

/** How one step ended. */
export interface Outcome {
  readonly step: Step
  readonly ok: boolean
  /** `exit code 1`, a signal, or why the command did not start; empty if it passed. */
  readonly why: string
  readonly seconds: number
}

const timeOf = (seconds: number): string =>
  `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`

/** How often a step that runs says so, in ms. */
const SAY_EVERY_MS = 60_000

/** Runs one step with its output passed through, and says once a minute that it still runs. */
export async function runStep(step: Step, cwd: string, say: (line: string) => void): Promise<Outcome> {
  const started = performance.now()
  const seconds = (): number => (performance.now() - started) / 1000
  const child = spawn(step.command, step.args, { cwd, stdio: 'inherit', env: { ...process.env, ...step.env } })
  const timer = setInterval(() => say(`${step.id}: ${timeOf(seconds())} of about ${step.minutes}:00`), SAY_EVERY_MS)
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
    const why = code === 0 ? '' : signal === null ? `exit code ${code}` : `ended by ${signal}`
    return { step, ok: code === 0, why, seconds: seconds() }
  } catch (error) {
    return { step, ok: false, why: (error as Error).message, seconds: seconds() }
  } finally {
    clearInterval(timer)
  }
}

/** Runs the steps one after another. A step that fails does not keep the later ones from running. */
export async function runAll(steps: readonly Step[], cwd: string, say: (line: string) => void): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (const [index, step] of steps.entries()) {
    say(`[${index + 1}/${steps.length}] ${step.id}: ${step.proves} (about ${step.minutes} min)`)
    const outcome = await runStep(step, cwd, say)
    outcomes.push(outcome)
    say(`${outcome.ok ? 'ok  ' : 'FAIL'} ${step.id} ${timeOf(outcome.seconds)} ${outcome.why}`.trimEnd())
  }
  return outcomes
}

/** The table of what the steps are, and about how long they take. */
export function listOf(steps: readonly Step[]): string {
  const rows = steps.map(({ id, minutes, proves }) => `${id.padEnd(15)}${String(minutes).padStart(4)} min  ${proves}`)
  const all = steps.reduce((sum, { minutes }) => sum + minutes, 0)
  return [...rows, `${'all'.padEnd(15)}${String(all).padStart(4)} min`].join('\n')
}

/** The table of how the steps ended. */
export function tableOf(outcomes: readonly Outcome[]): string {
  return outcomes
    .map(({ step, ok, seconds, why }) =>
      `${ok ? 'ok  ' : 'FAIL'} ${step.id.padEnd(15)}${timeOf(seconds).padStart(7)}  ${why}`.trimEnd(),
    )
    .join('\n')
}
