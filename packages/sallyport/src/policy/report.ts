import { type ControlRow, rowOf } from './control-row.ts'
import { DEFINITIONS } from './definitions.ts'
import { requireOptions } from '../shape/options.ts'
import { isReported } from '../model/reporting.ts'
import { isList, kindOf } from '../shape/shown.ts'
import type { AnyDefinition, Effective } from '../controls/definition.ts'
import type { Policy } from './types.ts'
import type { ControlId } from '../model/verdict.ts'
import { durationInWords } from '../shape/words.ts'

/** What a control does under a policy. */
export type ControlState = 'on' | 'off' | 'weakened' | 'report-only'

/** One control of a report. */
export interface ReportLine {
  readonly control: ControlId
  readonly state: ControlState
  /** The effective values as text. */
  readonly values: string
  /** The keys in the policy that weaken it. */
  readonly because: readonly string[]
  /** Lines of `docs/requirements.md` that are affected, if the control is off, weakened or only reports. */
  readonly requirements: readonly string[]
}

/** The effect of a policy: every control, and what is open. */
export interface Report {
  readonly name: string
  readonly controls: readonly ReportLine[]
  readonly counts: Readonly<Record<ControlState, number>>
  /** What a control in report mode changes all the same, as text. Empty if no control is in report mode. */
  readonly changes: readonly string[]
}

/**
 * Describes what is on, off, weakened or only reports under a policy, and which requirements that affects. Contains no
 * secret.
 */
export function reportPolicy(policy: Policy): Report {
  const controls = Object.freeze(DEFINITIONS.map(control => lineOf(control, policy)))
  const count = (state: ControlState): number => controls.filter(line => line.state === state).length
  return Object.freeze({
    name: policy.name,
    controls,
    counts: Object.freeze({
      on: count('on'),
      off: count('off'),
      weakened: count('weakened'),
      'report-only': count('report-only'),
    }),
    changes: Object.freeze(changesOf(policy)),
  })
}

/** All changes that remain in report mode. Everything else is as without a guard. */
function changesOf(policy: Policy): string[] {
  const reports = (control: ControlId): boolean => isReported(policy, control)
  if (!DEFINITIONS.some(({ id }) => reports(id))) return []
  const { heartbeat } = policy.lifetime
  return [
    "the guard's own memory stays bounded: messages that wait, messages that slow controls still judge (64 of a connection), remembered users and addresses",
    'guard.drain closes connections and refuses new ones, and guard.revoke closes those that it names',
    ...(reports('handshake/ticket') ? ['the guard never answers with a ticket that is offered as a subprotocol'] : []),
    ...(DEFINITIONS.some(({ id }) => id.startsWith('handshake/') && reports(id))
      ? ['a handshake waits for its session, handshake.authorize and a shared store, each at most for `timeout`']
      : []),
    ...(reports('lifetime/heartbeat') && heartbeat !== null
      ? [`each peer is pinged every ${durationInWords(heartbeat.intervalMs)}`]
      : []),
    'an error that a handler throws or that a peer causes is an event and does not end the process',
    'the guard answers the heartbeats of sallyport.v1 and message.heartbeat; the app does not receive them',
    'guard.ws() replaces the options verifyClient and WebSocket of the app, and calls message listeners without emit()',
    'serve() and the gateway keep the bounds of the policy on HTTP heads and frames, and the gateway drops hop-by-hop headers',
  ]
}

/** What the section of a control comes to. */
function effectiveOf({ id, effective }: AnyDefinition, policy: Policy): Effective {
  const [door, name] = id.split('/') as [ControlRow['door'], string]
  return effective((policy[door] as { readonly [name: string]: unknown })[name], policy)
}

function lineOf(control: AnyDefinition, policy: Policy): ReportLine {
  const { id, requirements } = rowOf(control)
  const { values, active, needed } = effectiveOf(control, policy)
  const because = policy.weakened.filter(({ control }) => control === id).map(({ path }) => path)
  const reporting = isReported(policy, id)
  const state: ControlState = active ? (reporting ? 'report-only' : because.length > 0 ? 'weakened' : 'on') : 'off'
  return Object.freeze({
    control: id,
    state,
    values,
    because: Object.freeze(because),
    requirements: state === 'on' || (state === 'off' && !needed) ? Object.freeze([]) : requirements,
  })
}

const COLOURS: Readonly<Record<ControlState, string>> = { on: '32', off: '31', weakened: '33', 'report-only': '35' }

/** A report as aligned text for a terminal; `colour` marks the states with ANSI colours. */
export function formatReport(report: Report, options: { readonly colour?: boolean } = {}): string {
  if (typeof report !== 'object' || !isList(report?.controls)) {
    throw new TypeError(`formatReport: the report is ${kindOf(report)}; write formatReport(guard.report())`)
  }
  requireOptions('formatReport', options, ['colour'], 'formatReport(report, { colour: true })')
  const { colour = false } = options
  const paint = (text: string, code: string): string => (colour ? `\u001B[${code}m${text}\u001B[0m` : text)
  const width = Math.max(...report.controls.map(line => line.control.length))
  const margin = ' '.repeat(width + 16)
  const lines = report.controls.flatMap(({ control, state, values, because, requirements }) => [
    `  ${control.padEnd(width)}  ${paint(state.padEnd(12), COLOURS[state])}${rowsOf(values).join(`\n${margin}`)}`,
    ...(because.length === 0 ? [] : [`${margin}by ${because.join(', ')}`]),
    ...(requirements.length === 0 ? [] : wrapped(requirements).map(text => `${margin}touches ${text}`)),
  ])
  const { counts } = report
  const total = `${counts.on} on, ${counts.weakened} weakened, ${counts['report-only']} report only, ${counts.off} off`
  const changes =
    report.changes.length === 0 ? '' : `\nreport mode changes nothing but this:\n${listed(report.changes)}`
  return `${paint(report.name, '1')}: ${total}\n${lines.join('\n')}\n${changes}`
}

const listed = (items: readonly string[]): string => items.map(item => `  - ${item}\n`).join('')

const IDS_A_LINE = 8

function wrapped(ids: readonly string[]): readonly string[] {
  const rows: string[] = []
  for (let start = 0; start < ids.length; start += IDS_A_LINE)
    rows.push(ids.slice(start, start + IDS_A_LINE).join(', '))
  return rows
}

const MOST_COLUMNS = 80

/** Splits values into rows that fit a terminal. A row ends at a semicolon. */
function rowsOf(values: string): readonly string[] {
  if (values.length <= MOST_COLUMNS) return [values]
  const rows: string[] = []
  let row = ''
  for (const part of values.split('; ')) {
    const longer = row === '' ? part : `${row}; ${part}`
    if (row !== '' && longer.length >= MOST_COLUMNS) {
      rows.push(`${row};`)
      row = part
    } else row = longer
  }
  return [...rows, row]
}
