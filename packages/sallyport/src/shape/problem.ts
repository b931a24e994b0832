import { isList, kindOf } from './shown.ts'
import type { ControlId } from '../model/verdict.ts'

/** One thing that is wrong with a policy. */
export interface Problem {
  /** Where: `handshake.origin.allow[0]`. */
  readonly path: string
  /** The value as far as it may be shown: secrets never, strings cut to 60 characters. */
  readonly value: string
  /** What is wrong with it. */
  readonly message: string
  /** What to write instead. */
  readonly remedy: string
  /** The nearest word that is known, where a word is not. */
  readonly nearest?: string
}

/** What a reader knows of the whole policy, to say what to write instead. */
export interface Hints {
  /** What to write in the section at a path; undefined where there is no example. */
  exampleOf(path: string): string | undefined
  /** Where an unknown key at `path` belongs, best first. */
  placesOf(key: string, path: string): readonly string[]
}

/** What reading a policy has found so far. */
export interface Findings {
  readonly hints: Hints
  readonly problems: Problem[]
  readonly weakened: { readonly path: string; readonly control: ControlId }[]
}

/** Problems that the text of the error spells out; `problems` holds them all. */
const SPELLED_OUT = 100
const WIDEST_PATH = 48

/**
 * A policy that cannot be used: every problem at once, each with its path, its value and what to write.
 * Thrown at start, before a socket is open; nothing of a faulty policy takes effect.
 */
export class PolicyError extends Error {
  readonly code = 'SALLY_POLICY_INVALID'
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[]) {
    if (!isList(problems) || problems.length === 0) {
      throw new TypeError(`PolicyError: problems is ${kindOf(problems)}, not a list of what is wrong`)
    }
    super(formatProblems(problems))
    this.name = 'PolicyError'
    this.problems = Object.freeze(problems.map(problem => Object.freeze({ ...problem })))
  }
}

function formatProblems(problems: readonly Problem[]): string {
  const told = problems.slice(0, SPELLED_OUT)
  const width = Math.min(WIDEST_PATH, Math.max(...told.map(problem => problem.path.length)))
  const margin = ' '.repeat(width + 4)
  const lines = told.flatMap(({ path, value, message, remedy }) => [
    `  ${path.padEnd(width)}  ${value}: ${message}`,
    `${margin}→ ${remedy}`,
  ])
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`
  if (problems.length > told.length) lines.push(`  … and ${problems.length - told.length} more`)
  return `the policy has ${count} (SALLY_POLICY_INVALID)\n${lines.join('\n')}`
}
