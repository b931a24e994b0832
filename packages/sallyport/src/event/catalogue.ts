import type { HandshakeRequest } from '../model/handshake-request.ts'
import type { DenialRow, Level } from '../model/denials.ts'
import type { Code, ControlId, Denial } from '../model/verdict.ts'
import type { Session } from '../model/session.ts'
import type { StoreState, RevocationTarget } from '../model/store.ts'
import type { EventKind, SallyEvent } from '../model/event.ts'
import { faultOf } from './fault.ts'
import { type Notice, NOTICES, STORE_STATES } from './notices.ts'
import { vocabularyName } from './parameters.ts'
import { clean, cleanOrigin, cleanPath, FIELD_BOUNDS, type Redactor } from './redact.ts'

/** The user and the session of an event: what is known so far. */
export interface EventSubject {
  /** Id of the connection or of the attempt. */
  readonly connection?: string
  readonly request?: HandshakeRequest
  readonly session?: Session | null
}

/** Builds events from plain facts. Whoever calls asks `events.listening` first: without a listener nothing is built. */
export interface Catalogue {
  /** `control` when another than the one of the code's row speaks: one that threw, say. */
  describeDenial(subject: EventSubject, denial: Denial, enforced: boolean, control?: ControlId): SallyEvent
  describeOpen(subject: EventSubject): SallyEvent
  /** `livedMs` in ms. `code` names the denial that closed it, if one did. */
  describeClose(subject: EventSubject, closeCode: number, livedMs: number, code?: Code): SallyEvent
  /** The first message bore a valid ticket. */
  describeAuthenticated(subject: EventSubject): SallyEvent
  describeTicket(subject: EventSubject): SallyEvent
  describeRevoked(target: RevocationTarget): SallyEvent
  /** A `dangerously…` key, at start: `handshake.origin.dangerouslyAllowMissing`. */
  describeWeakened(path: string, control: ControlId): SallyEvent
  /** A control that only reports, at start; null: all of them. */
  describeReporting(control: ControlId | null): SallyEvent
  /** `open`: how many connections were told to close. */
  describeShutdown(open: number): SallyEvent
  /** The shared store went away, is asked again, came back, or stayed away for too long. */
  describeStore(state: StoreState): SallyEvent
  /** `session`: the one that it is about. */
  describeNotice(notice: Notice, session?: Session): SallyEvent
  /** Something threw. The error's class and place are told, never its message: that may quote what the peer sent. */
  describeFailure(subject: EventSubject, code: Code, error: unknown, control?: ControlId): SallyEvent
}

/** The row of each denial, and its sentence. */
export interface DenialTable {
  rowOf(code: Code): DenialRow
  /** What it saw, as a sentence for the operator. */
  sentenceOf(denial: Denial): string
}

/** What a catalogue is made with. */
export interface CatalogueOptions {
  /** The policy's `name`. */
  readonly name: string
  readonly redactor: Redactor
  readonly denials: DenialTable
  /** Ms since the epoch. */
  readonly now: () => number
}

/** Closes that an honest client and a healthy server do not end with (RFC 6455 §7.4.1). */
const ABNORMAL: ReadonlySet<number> = new Set([1002, 1003, 1007, 1008, 1009, 1010, 1011])

/** The guard that an event is about. */
interface EventSource extends Omit<CatalogueOptions, 'name' | 'denials'> {
  /** The policy's `name`, cleaned. */
  readonly appid: string
}

interface Facts {
  readonly kind: EventKind
  readonly event: string
  readonly level: Level
  readonly description: string
  readonly control?: ControlId | undefined
  readonly code?: Code | undefined
  readonly reason?: string | undefined
  readonly detail?: string | undefined
  readonly rest?: Partial<SallyEvent> | undefined
}

/** An event of these facts. `subject`: null for what is about the guard itself. */
function createEvent(guard: EventSource, facts: Facts, subject: EventSubject | null): SallyEvent {
  const { appid, redactor, now } = guard
  const { request, session } = subject ?? {}
  const user = session ? redactor.user(session.user) : undefined
  const ip = request ? clean(request.ip, FIELD_BOUNDS.ip) : undefined
  const origin = request?.header('origin')
  const shownOrigin = origin === undefined ? undefined : cleanOrigin(origin)
  const agent = request?.header('user-agent')
  const useragent = agent === undefined ? undefined : clean(agent, FIELD_BOUNDS.useragent)
  const host = request?.header('host')
  const path = request ? cleanPath(request.path) : undefined
  return Object.freeze({
    kind: facts.kind,
    datetime: new Date(now()).toISOString(),
    appid,
    event: subject
      ? vocabularyName(facts.event, {
          user,
          ip: ip ?? '',
          useragent: useragent ?? '',
          origin: shownOrigin ?? '',
          path: path ?? '',
          control: facts.control ?? '',
          reason: facts.reason ?? facts.code ?? '',
        })
      : facts.event,
    level: facts.level,
    description: facts.description,
    ...(facts.control !== undefined && { control: facts.control }),
    ...(facts.code !== undefined && { code: facts.code }),
    ...(facts.detail !== undefined && facts.detail !== '' && { detail: clean(facts.detail, FIELD_BOUNDS.detail) }),
    ...facts.rest,
    ...(subject?.connection !== undefined && { connection: clean(subject.connection, 64) }),
    ...(session && { session: redactor.session(session.id) }),
    ...(user !== undefined && { user }),
    ...(ip !== undefined && { source_ip: ip }),
    ...(shownOrigin !== undefined && { origin: shownOrigin }),
    ...(useragent !== undefined && { useragent }),
    ...(host !== undefined && { hostname: cleanOrigin(host, FIELD_BOUNDS.host) }),
    ...(request && {
      protocol: request.secure ? 'wss' : 'ws',
      request_uri: path ?? '/',
      request_method: clean(request.method, 16),
    }),
  })
}

/** An event of one guard, from its facts. */
type Describe = (facts: Facts, subject: EventSubject | null) => SallyEvent

type SubjectEvents = Pick<
  Catalogue,
  'describeDenial' | 'describeOpen' | 'describeClose' | 'describeAuthenticated' | 'describeTicket' | 'describeFailure'
>

/** Events about an attempt or a connection. */
function subjectEvents(describe: Describe, denials: DenialTable): SubjectEvents {
  return {
    describeDenial(subject, denial, enforced, control) {
      const row = denials.rowOf(denial.code)
      // An error reply has a close code in its row too: the one after too many of them.
      const closes = enforced && (row.action === 'close' || row.action === 'terminate') && row.close !== undefined
      const facts: Facts = {
        kind: 'denial',
        event: row.event,
        level: row.level,
        description: row.means,
        control: control ?? row.control,
        code: denial.code,
        detail: denials.sentenceOf(denial),
        rest: { enforced, remedy: row.remedy, ...(closes && { close_code: row.close }) },
      }
      return describe(facts, subject)
    },
    describeOpen: subject =>
      describe({ kind: 'open', event: 'session_created', level: 'info', description: 'a connection opened' }, subject),
    describeClose(subject, closeCode, livedMs, code) {
      const rest = { close_code: closeCode, lived_ms: Math.max(0, Math.round(livedMs)) }
      const level = ABNORMAL.has(closeCode) ? 'warn' : 'info'
      const reason = code ?? `close ${closeCode}`
      const description = `a connection closed with ${closeCode}`
      return describe({ kind: 'close', event: 'session_expired', level, description, code, reason, rest }, subject)
    },
    describeAuthenticated(subject) {
      const description = 'the first message bore a valid ticket'
      return describe({ kind: 'authenticated', event: 'authn_login_success', level: 'info', description }, subject)
    },
    describeTicket: subject =>
      describe(
        { kind: 'ticket', event: 'authn_token_created', level: 'info', description: 'a ticket was issued' },
        subject,
      ),
    describeFailure(subject, code, error, control) {
      const row = denials.rowOf(code)
      const facts: Facts = {
        kind: 'failure',
        event: 'sys_crash',
        level: row.level,
        description: row.means,
        control: control ?? row.control,
        code,
        detail: faultOf(error),
        rest: { remedy: row.remedy },
      }
      return describe(facts, subject)
    },
  }
}

/** Events about the guard itself. */
function guardEvents(describe: Describe, { appid, redactor }: EventSource): Omit<Catalogue, keyof SubjectEvents> {
  return {
    describeRevoked(target) {
      const [whom, rest]: readonly [string, Partial<SallyEvent>] =
        target === 'all'
          ? ['all', {}]
          : 'session' in target
            ? ['a session', { session: redactor.session(target.session) }]
            : ['a user', { user: redactor.user(target.user) }]
      return describe(
        {
          kind: 'revoked',
          event: `authn_token_revoked:${rest.user ?? (target === 'all' ? 'all' : '')},${rest.session ?? 'all'}`,
          level: target === 'all' ? 'warn' : 'info',
          description: `the connections and tickets of ${whom === 'all' ? 'everybody' : whom} were revoked`,
          rest,
        },
        null,
      )
    },
    describeWeakened: (path, control) =>
      describe(
        {
          kind: 'weakened',
          event: `sys_monitor_disabled:${appid.replaceAll(',', ';')},${control}`,
          level: 'warn',
          description: 'the policy weakens a control',
          control,
          detail: path,
        },
        null,
      ),
    describeReporting: control =>
      describe(
        {
          kind: 'reporting',
          event: `sys_monitor_disabled:${appid.replaceAll(',', ';')},${control ?? 'all controls'}`,
          level: 'warn',
          description: `${control ?? 'every control'} only reports: it denies nothing`,
          control: control ?? undefined,
        },
        null,
      ),
    describeShutdown(open) {
      const description = `the guard drains ${open} connection${open === 1 ? '' : 's'}`
      return describe({ kind: 'shutdown', event: `sys_shutdown:${appid}`, level: 'info', description }, null)
    },
    describeStore({ state, detail }) {
      const [event, level, description] = STORE_STATES[state]
      return describe({ kind: 'store', event: `${event}:${appid},store`, level, description, detail }, null)
    },
    describeNotice(notice, session) {
      const [event, level, description, detail] = NOTICES[notice]
      const about =
        notice === 'outlives' ? `${event}:${appid.replaceAll(',', ';')},lifetime/session` : `${event}:${appid}`
      const rest = session && { session: redactor.session(session.id), user: redactor.user(session.user) }
      return describe({ kind: 'notice', event: about, level, description, detail, rest }, null)
    },
  }
}

/** The catalogue of all events of one guard. */
export function createCatalogue({ name, redactor, now, denials }: CatalogueOptions): Catalogue {
  const guard: EventSource = { appid: clean(name, 100), redactor, now }
  const describe: Describe = (facts, subject) => createEvent(guard, facts, subject)
  return { ...subjectEvents(describe, denials), ...guardEvents(describe, guard) }
}
