import { parsePolicy } from '../../src/policy/parse.ts'
import { PolicyError } from '../../src/shape/problem.ts'
import type { Problem } from '../../src/shape/problem.ts'

/** The problems of a policy; none where it is accepted. Anything else that is thrown goes on. */
export function problemsOf(input: unknown): readonly Problem[] {
  try {
    parsePolicy(input)
    return []
  } catch (error) {
    if (error instanceof PolicyError) return error.problems
    throw error
  }
}
