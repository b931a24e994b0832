import { isIP } from 'node:net'
import { DENIALS } from '../policy/denials.ts'
import type { DenialCode } from '../policy/denials.ts'
import type { Policy } from '../policy/types.ts'
import { nearest } from '../shape/nearest.ts'
import { quote } from '../shape/shown.ts'
import { tellProblems } from './check.ts'
import { COMMON, type Command, readArguments, UsageError } from './command.ts'
import { describeControl, describeDenial } from './describe.ts'
import { loadPolicy } from './load-policy.ts'
import { type Asked, type Decision, type Explanation, replayHandshake } from './replay-handshake.ts'
import type { ExitCode, Terminal } from './terminal.ts'

const HELP = `sallyport explain policy.ts CODE
sallyport explain policy.ts EVENT-JSON
sallyport explain policy.ts --host NAME --origin ORIGIN [--path PATH] [options]

Says why a handshake is denied or passes, and which keys of the policy decide. It runs the controls of the policy on a
request that nobody sent. A store is not asked, and neither are the session resolver and the csrf function of the policy.

      CODE              a denial code: SALLY_ORIGIN_NOT_ALLOWED
      EVENT-JSON        one event of the log. Its Origin, host, path and address are tried again
      --host NAME       the Host header
      --origin ORIGIN   the Origin header. Left out: none is sent
      --path PATH       the target of the request. Default /
      --ip ADDRESS      of the peer. Default 203.0.113.7
      --plain           the connection is not TLS
      --header 'A: b'   another header. May be repeated
      --user NAME       the user that the session is for. Default explain
      --nobody          there is no session
      --no-ticket       there is no ticket. Default: a valid one
      --json            for machines

Exit code: 0 it passes, or a code was explained; 1 it is denied, or the policy has problems; 2 usage, or the file does
not load.
`

const OPTIONS = {
  ...COMMON,
  host: { type: 'string' },
  origin: { type: 'string' },
  path: { type: 'string' },
  ip: { type: 'string' },
  plain: { type: 'boolean' },
  header: { type: 'string', multiple: true },
  user: { type: 'string' },
  nobody: { type: 'boolean' },
  'no-ticket': { type: 'boolean' },
} as const

type Values = ReturnType<typeof readArguments<typeof OPTIONS>>['values']

/** `explain`: why a handshake is denied or passes. */
export const explainCommand: Command = {
  about: 'say why a handshake is denied or passes, and which key decides',
  help: HELP,
  async run(args, terminal) {
    const { values, positionals } = readArguments(args, OPTIONS, 2)
    const [file, subject] = positionals
    const event = subject?.trimStart().startsWith('{') === true ? readEvent(subject) : null
    const code = event === null && subject !== undefined ? readCode(subject) : event?.code
    const isHandshake = subject === undefined || (event?.hostname !== undefined && isOfHandshake(code))
    const asked = isHandshake ? askedOf(values, event) : null
    const loaded = await loadPolicy(file)
    if (!loaded.ok) {
      if (values.json === true) terminal.out(JSON.stringify({ ok: false, problems: loaded.problems }, null, 2))
      else tellProblems(loaded.problems, terminal)
      return 1
    }
    if (asked === null) return explainCode(code!, loaded.policy, values.json === true, terminal)
    const explanation = await replayHandshake(loaded.policy, asked)
    if (values.json === true) terminal.out(JSON.stringify(explanation, null, 2))
    else tell(explanation, loaded.policy, terminal)
    return explanation.pass ? 0 : 1
  },
}

/** The fields of an event of the log that `explain` reads. */
interface LoggedEvent {
  readonly code?: DenialCode
  readonly origin?: string
  readonly hostname?: string
  readonly request_uri?: string
  readonly source_ip?: string
}

function readEvent(text: string): LoggedEvent {
  let value: { readonly [key: string]: unknown }
  try {
    value = JSON.parse(text) as { readonly [key: string]: unknown }
  } catch {
    throw new UsageError('the event is no JSON: give one line of the log, in single quotes')
  }
  const textOf = (key: string): string | undefined => (typeof value[key] === 'string' ? value[key] : undefined)
  const [code, origin, hostname, request_uri, source_ip] = [
    textOf('code'),
    textOf('origin'),
    textOf('hostname'),
    textOf('request_uri'),
    textOf('source_ip'),
  ]
  if (code === undefined) throw new UsageError('the event has no code: only events of the kind "denial" are explained')
  return {
    code: readCode(code),
    ...(origin === undefined ? {} : { origin }),
    ...(hostname === undefined ? {} : { hostname }),
    ...(request_uri === undefined ? {} : { request_uri }),
    ...(source_ip === undefined ? {} : { source_ip }),
  }
}

function readCode(text: string): DenialCode {
  if (Object.hasOwn(DENIALS, text)) return text as DenialCode
  const near = nearest(text, Object.keys(DENIALS))
  throw new UsageError(
    `there is no denial code ${quote(text)}${near === undefined ? '' : `; did you mean ${near}?`} See docs/codes.md`,
  )
}

const isOfHandshake = (code: DenialCode | undefined): boolean =>
  code !== undefined && DENIALS[code].control.startsWith('handshake/')

/** The handshake to try: what the options say, else what the event says. */
function askedOf(values: Values, event: LoggedEvent | null): Asked {
  const host = values.host ?? event?.hostname
  if (host === undefined)
    throw new UsageError(
      'say which: a denial code, an event, or --host app.example.com --origin https://app.example.com',
    )
  const path = values.path ?? event?.request_uri ?? '/'
  if (!path.startsWith('/')) throw new UsageError(`--path begins with a slash: --path /ws, not ${quote(path)}`)
  const ip = values.ip ?? event?.source_ip ?? '203.0.113.7'
  if (isIP(ip) === 0) throw new UsageError(`--ip is an IP address: --ip 203.0.113.7, not ${quote(ip)}`)
  return {
    host,
    path,
    origin: values.origin ?? event?.origin ?? null,
    ip,
    secure: values.plain !== true,
    headers: (values.header ?? []).map(readHeader),
    user: values.nobody === true ? null : (values.user ?? 'explain'),
    ticket: values['no-ticket'] !== true,
  }
}

function readHeader(line: string, index: number): readonly [string, string] {
  const colon = line.indexOf(':')
  // The line may hold a secret, so it is not shown.
  if (colon < 1) throw new UsageError(`--header number ${index + 1} is no header: write --header 'Name: value'`)
  return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()]
}

function explainCode(code: DenialCode, policy: Policy, json: boolean, terminal: Terminal): ExitCode {
  const denial = describeDenial(code)
  const control = describeControl(denial.control, policy)
  if (json) terminal.out(JSON.stringify({ ...denial, policy: control }, null, 2))
  else {
    terminal.out(`${terminal.paint('bold', code)}  ${denial.control}`)
    terminal.out(`  why     ${denial.means}`)
    terminal.out(`  answer  ${denial.answer}`)
    terminal.out(`  remedy  ${denial.remedy}`)
    tellControl(denial.control, policy, terminal)
  }
  return 0
}

function tell({ pass, decides, alsoDenies }: Explanation, policy: Policy, terminal: Terminal): void {
  if (decides === null) {
    terminal.out(`handshake  ${terminal.paint('green', 'passes')}`)
    return
  }
  const { control, code, answer, why, remedy } = decides
  const verdict = pass
    ? terminal.paint('yellow', 'passes in report mode; would be denied')
    : terminal.paint('red', 'denied')
  terminal.out(`handshake  ${verdict} by ${terminal.paint('bold', control)} (${code}, ${answer})`)
  terminal.out(`  why     ${why}`)
  terminal.out(`  remedy  ${remedy}`)
  tellControl(control, policy, terminal)
  for (const other of alsoDenies) terminal.out(also(other))
}

const also = ({ control, code, why }: Decision): string => `  also    ${control} would deny it: ${code}, ${why}`

function tellControl(id: Decision['control'], policy: Policy, terminal: Terminal): void {
  const { state, values, keys } = describeControl(id, policy)
  terminal.out(`  policy  ${state}: ${values}`)
  for (const { key, meaning } of keys) terminal.out(`  key     ${terminal.paint('bold', key)}: ${meaning}`)
}
