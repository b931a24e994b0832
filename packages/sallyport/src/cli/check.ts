import { createObserver } from '../guard/observer.ts'
import { createCore } from '../guard/core.ts'
import type { Policy } from '../policy/types.ts'
import { systemRuntime } from '../model/system-runtime.ts'
import { reportPolicy } from '../policy/report.ts'
import type { Problem } from '../shape/problem.ts'
import { COMMON, type Command, readArguments } from './command.ts'
import { loadPolicy } from './load-policy.ts'
import type { Terminal } from './terminal.ts'

const HELP = `sallyport check policy.ts [--json]

Reads a policy, compiles every control, and prints each problem with its path, its value and what to write.
Nothing listens, and no store is asked.

      --json   for machines: { ok, problems, weakened }

Exit code: 0 no problem, 1 problems, 2 usage, or the file does not load.
`

/** `check`: every problem of a policy. */
export const checkCommand: Command = {
  about: 'print every problem of a policy, with what to write',
  help: HELP,
  async run(args, terminal) {
    const { values, positionals } = readArguments(args, COMMON, 1)
    const loaded = await loadPolicy(positionals[0])
    const problems = loaded.ok ? compileProblems(loaded.policy) : loaded.problems
    const weakened = loaded.ok ? loaded.policy.weakened : []
    if (values.json === true) terminal.out(JSON.stringify({ ok: problems.length === 0, problems, weakened }, null, 2))
    else if (problems.length > 0) tellProblems(problems, terminal)
    else if (loaded.ok) {
      const { counts, name } = reportPolicy(loaded.policy)
      terminal.out(`${terminal.paint('green', 'no problem')}  ${name}: ${counts.on} controls on, ${counts.off} off`)
      for (const { path, control } of weakened)
        terminal.out(`${terminal.paint('yellow', 'weakened')}    ${path} weakens ${control}`)
    }
    return problems.length === 0 ? 0 : 1
  },
}

/** What compiling the controls finds, such as a schema whose compiler is not installed. */
function compileProblems(policy: Policy): readonly Problem[] {
  const alone: Policy = { ...policy, store: null, events: { ...policy.events, log: null } }
  try {
    createCore(alone, systemRuntime, createObserver(alone, systemRuntime))
    return []
  } catch (error) {
    const message = error instanceof Error ? error.message : 'it threw no Error'
    return [{ path: 'policy', value: policy.name, message, remedy: 'mend it and run check again' }]
  }
}

/** Problems as aligned text. `report` and `explain` print them too. */
export function tellProblems(problems: readonly Problem[], terminal: Terminal): void {
  for (const { path, value, message, remedy } of problems) {
    terminal.err(`${terminal.paint('red', 'problem')}  ${terminal.paint('bold', path)}`)
    terminal.err(`  value   ${value}`)
    terminal.err(`  why     ${message}`)
    terminal.err(`  remedy  ${remedy}`)
  }
  terminal.err(`${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}`)
}
