import { formatReport, reportPolicy } from '../policy/report.ts'
import { tellProblems } from './check.ts'
import { COMMON, type Command, readArguments } from './command.ts'
import { loadPolicy } from './load-policy.ts'

const HELP = `sallyport report policy.ts [--json]

Prints what a policy turns on, off and weakens, with the values of every control and the requirements that are touched.
It is what guard.report() answers.

      --json   for machines

Exit code: 0 the report was printed, 1 the policy has problems, 2 usage, or the file does not load.
`

/** `report`: every control under a policy. */
export const reportCommand: Command = {
  about: 'print what a policy turns on, off and weakens',
  help: HELP,
  async run(args, terminal) {
    const { values, positionals } = readArguments(args, COMMON, 1)
    const loaded = await loadPolicy(positionals[0])
    if (!loaded.ok) {
      if (values.json === true) terminal.out(JSON.stringify({ ok: false, problems: loaded.problems }, null, 2))
      else tellProblems(loaded.problems, terminal)
      return 1
    }
    const report = reportPolicy(loaded.policy)
    terminal.out(
      values.json === true ? JSON.stringify(report, null, 2) : formatReport(report, { colour: terminal.colour }),
    )
    return 0
  },
}
