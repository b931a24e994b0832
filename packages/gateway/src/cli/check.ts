import { createGuard, formatReport, type Report } from 'sallyport'
import { ConfigError, formatProblems } from '../config/config-error.ts'
import type { ParsedConfig } from '../config/parse.ts'
import { policyInputOf } from '../config/route-policy.ts'
import type { GatewayConfig } from '../model/config.ts'
import type { Weakness } from '../config/weakness.ts'
import { readConfigFile } from '../runtime/running.ts'
import { resolverOf } from '../session/resolver.ts'
import type { ExitCode, Terminal } from './terminal.ts'
import { tryAll } from './trial.ts'
import { COMMON, DEFAULT_FILE, readArguments } from './usage.ts'

export const CHECK_HELP = `sallyport-gateway check [--config gateway.yaml] [--strict] [--json]

Reads the configuration as \`run\` would, compiles every policy, and names each problem with file, line and column, and
everything that is weakened. Every key signs and verifies once, every certificate is opened, and the packages that the file
needs are loaded. Nobody is asked, and nothing listens.

  -c, --config FILE   default ${DEFAULT_FILE}
      --strict        also fails on what is weakened, turned off by a dangerously… key, or only reports,
                      unless the file accepts it with a reason
      --json          for machines

Exit code: 0 well, 1 problems (with --strict: or weakened), 2 usage.
`

/** `check`: every problem, and everything weakened. */
export async function check(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const { values } = readArguments(args, { ...COMMON, strict: { type: 'boolean' } })
  const file = values.config ?? DEFAULT_FILE
  let parsed: ParsedConfig
  try {
    parsed = readConfigFile(file)
    await tryAll(file, parsed.config)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    if (values.json === true)
      terminal.out(JSON.stringify({ ok: false, problems: error.problems, weakened: [] }, null, 2))
    else terminal.err(terminal.paint('red', formatProblems(error.problems)))
    return 1
  }
  const reports = reportsOf(parsed.config)
  const weakened = [...parsed.weakened, ...weakOf(reports)]
  const accepted = weakened.filter(one => one.accepted !== null).length
  const ok = values.strict !== true || weakened.length === accepted
  if (values.json === true) {
    terminal.out(JSON.stringify({ ok, problems: [], weakened, routes: Object.fromEntries(reports) }, null, 2))
    return ok ? 0 : 1
  }
  for (const [id, report] of reports)
    terminal.out(`${terminal.paint('bold', `routes.${id}`)} ${formatReport(report, { colour: terminal.colour })}`)
  for (const { path, message, accepted: reason } of weakened)
    terminal.out(
      reason === null
        ? `${terminal.paint('yellow', 'weakened')}  ${path}: ${message}`
        : `${terminal.paint('green', 'accepted')}  ${path}: ${message}; accepted because: ${reason}`,
    )
  const routes = parsed.config.routes.length
  const told = `${file}: ${routes} route${routes === 1 ? '' : 's'}, no problem, ${weakened.length} weakened${accepted === 0 ? '' : `, ${accepted} of them accepted with a reason`}`
  terminal.out(terminal.paint(ok ? 'green' : 'red', told))
  return ok ? 0 : 1
}

/** What each route's policy comes to. */
function reportsOf(config: GatewayConfig): readonly (readonly [string, Report])[] {
  return config.routes.map(
    route => [route.id, createGuard(policyInputOf(route, config, resolverOf(route.session))).report()] as const,
  )
}

function weakOf(reports: readonly (readonly [string, Report])[]): readonly Weakness[] {
  return reports.flatMap(([id, { controls }]) =>
    controls.flatMap(({ control, state, because, requirements }): Weakness[] => {
      const touches = requirements.length === 0 ? '' : ` (touches ${requirements.join(', ')})`
      const accepted = null
      if (state === 'report-only')
        return [
          { path: `routes.${id}.report`, message: `${control} denies nothing, it only reports${touches}`, accepted },
        ]
      return because.map(path => ({
        path: `routes.${id}.${path}`,
        message: `${control} is ${state === 'off' ? 'off' : 'weakened'}${touches}`,
        accepted,
      }))
    }),
  )
}
