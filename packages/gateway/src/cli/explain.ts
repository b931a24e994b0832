import { isIP } from 'node:net'
import { quote } from 'sallyport/internal'
import { ConfigError, formatProblems } from '../config/config-error.ts'
import type { ParsedConfig } from '../config/parse.ts'
import { createRouteTable, hostName } from '../route/route-table.ts'
import type { GatewayConfig } from '../model/config.ts'
import { readConfigFile } from '../runtime/running.ts'
import { type Explanation, replay, type Replayed } from './replay.ts'
import type { ExitCode, Terminal } from './terminal.ts'
import { COMMON, DEFAULT_FILE, readArguments, UsageError } from './usage.ts'

/** What a peer at a unix socket is called, as in `proxy.trust`. */
const UNIX_PEER = 'unix:'

export const EXPLAIN_HELP = `sallyport-gateway explain --host NAME --path /ws [--origin ORIGIN] [--message JSON] [options]

Replays one handshake, and one message behind it, against the policy of the configuration: which control decides, and why.
Nothing is sent to anybody: neither the backend nor the app is asked.

  -c, --config FILE     default ${DEFAULT_FILE}
      --host NAME       the Host header
      --path PATH       the target of the request
      --origin ORIGIN   the Origin header; left out: none is sent
      --ip ADDRESS      of the peer, unix: at a unix socket; default 203.0.113.7 (somewhere in the world)
      --plain           the connection is not TLS; default: it is
      --cookie TEXT     the Cookie header
      --header 'A: b'   any other header; may be repeated
      --user NAME       who the session would be found to be; default explain
      --nobody          the session would be found to be nobody
      --no-ticket       the handshake has no ticket; default: a good one
      --message JSON    a message behind the handshake
      --json            for machines

Exit code: 0 it would pass, 1 it would be denied (or the configuration has problems), 2 usage.
`

/** `explain`: one handshake, or one message, and who decides. */
export async function explain(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const { values } = readArguments(args, {
    ...COMMON,
    host: { type: 'string' },
    path: { type: 'string' },
    origin: { type: 'string' },
    ip: { type: 'string' },
    plain: { type: 'boolean' },
    cookie: { type: 'string' },
    header: { type: 'string', multiple: true },
    user: { type: 'string' },
    nobody: { type: 'boolean' },
    'no-ticket': { type: 'boolean' },
    message: { type: 'string' },
  })
  const { host, path, origin, cookie } = values
  if (host === undefined || path === undefined) throw new UsageError('say which: --host app.example.com --path /ws')
  if (!path.startsWith('/')) throw new UsageError(`--path begins with a slash: --path /ws, not ${quote(path)}`)
  if (values.ip !== undefined && values.ip !== UNIX_PEER && isIP(values.ip) === 0)
    throw new UsageError(`--ip is an IP address or ${UNIX_PEER}: --ip 203.0.113.7, not ${quote(values.ip)}`)
  const file = values.config ?? DEFAULT_FILE
  let parsed: ParsedConfig
  try {
    parsed = readConfigFile(file)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    terminal.err(
      values.json === true ? JSON.stringify({ ok: false, problems: error.problems }) : formatProblems(error.problems),
    )
    return 1
  }
  const { config } = parsed
  const route = createRouteTable(config.routes).find(hostName(host), path.replace(/\?.*$/s, ''))
  if (route === null) {
    tellNoRoute(config.routes, host, path, values.json === true, terminal)
    return 1
  }
  const asked: Replayed = {
    host,
    path,
    headers: [
      ...(origin === undefined ? [] : [['Origin', origin] as const]),
      ...(cookie === undefined ? [] : [['Cookie', cookie] as const]),
      ...headersOf(values.header ?? []),
    ],
    ip: values.ip ?? '203.0.113.7',
    secure: values.plain !== true,
    user: values.nobody === true ? null : (values.user ?? 'explain'),
    ticket: values['no-ticket'] !== true,
    message: values.message ?? null,
  }
  const explanation = await replay(config, route, asked)
  if (values.json === true) terminal.out(JSON.stringify({ route: route.id, ...explanation }, null, 2))
  else tell(explanation, route.id, asked.message !== null, terminal)
  return explanation.pass ? 0 : 1
}

function tellNoRoute(
  routes: GatewayConfig['routes'],
  host: string,
  path: string,
  isJson: boolean,
  terminal: Terminal,
): void {
  const told = {
    pass: false,
    decides: 'no route',
    code: 'GATEWAY_NO_ROUTE',
    status: 404,
    why: `no route serves ${host} and ${path.replace(/\?.*$/s, '')}`,
  }
  if (isJson) terminal.out(JSON.stringify(told, null, 2))
  else
    terminal.out(
      `${terminal.paint('red', 'refused (404)')}  no route serves this host and path: ${routes.map(({ id, hosts, path: served }) => `${id} serves ${hosts.join(', ') || 'every host that no other names,'} ${served}`).join('; ')}`,
    )
}

/** Reads `Name: value` lines. Throws a `UsageError` that does not show the line: it may hold a secret. */
function headersOf(lines: readonly string[]): readonly (readonly [string, string])[] {
  return lines.map((line, index): readonly [string, string] => {
    const colon = line.indexOf(':')
    if (colon < 1)
      throw new UsageError(
        `--header number ${index + 1} (hidden, ${Buffer.byteLength(line)} bytes) is no header: write --header 'Name: value'`,
      )
    return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()]
  })
}

function tell(explanation: Explanation, route: string, isMessageAsked: boolean, terminal: Terminal): void {
  const { handshake, message } = explanation
  const line = (what: string, step: Explanation['handshake']): void => {
    if (step.decides === null) {
      terminal.out(
        `${what}  ${terminal.paint('green', 'passes')}${step.passedOn === undefined ? '' : `: the backend receives ${step.passedOn}`}`,
      )
      return
    }
    const { control, code, why, remedy, answer, enforced } = step.decides
    const verdict = enforced
      ? terminal.paint('red', 'denied')
      : terminal.paint('yellow', 'would be denied, passes in report mode')
    terminal.out(
      `${what}  ${verdict} by ${terminal.paint('bold', control)} (${code}${answer === '' ? '' : `, ${answer}`})`,
    )
    terminal.out(`           why     ${why}`)
    terminal.out(`           remedy  ${remedy}`)
    for (const other of step.alsoDenies)
      terminal.out(`           also    ${other.control} would deny it: ${other.code}, ${other.why}`)
    if (step.passedOn !== undefined) terminal.out(`           passes  the backend receives ${step.passedOn}`)
  }
  terminal.out(`route      ${route}`)
  line('handshake', handshake)
  if (message !== null) line('message  ', message)
  else if (isMessageAsked) terminal.out('message    never sent: its handshake is denied')
}
