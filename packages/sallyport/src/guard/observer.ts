import type { Notice } from '../event/notices.ts'
import { createEvents, type Events } from '../event/emit.ts'
import type { Attempt } from '../model/attempt.ts'
import type { HandshakeRequest } from '../model/handshake-request.ts'
import { DEFINITIONS } from '../policy/definitions.ts'
import { denialRow, sentenceOf } from '../policy/denials.ts'
import { isReported } from '../model/reporting.ts'
import type { Policy } from '../policy/types.ts'
import type { Runtime } from '../model/runtime.ts'
import type { Code, ControlId, Denial } from '../model/verdict.ts'
import type { Session } from '../model/session.ts'
import type { StoreState, RevocationTarget } from '../model/store.ts'
import type { ConnectionState } from '../connection/state.ts'

/** Turns decisions into events and counters. Nothing in it can change a decision. */
export interface Observer {
  readonly events: Events
  deniedAttempt(control: ControlId, denial: Denial, enforced: boolean, attempt: Attempt): void
  /** Bytes that are not an HTTP request. Nothing more is known of them than that they arrived. */
  unreadable(denial: Denial, ip: string): void
  /** A socket was closed before it became a connection. It is only counted. */
  lostSocket(code: Code): void
  /** Emits an event for the sockets that were counted. */
  lostSockets(denial: Denial, ip: string): void
  /** `enforced` (default true) is false if report mode issues the ticket all the same. */
  deniedTicket(request: HandshakeRequest, denial: Denial, session: Session | null, enforced?: boolean): void
  issuedTicket(request: HandshakeRequest, session: Session | null): void
  denied(control: ControlId, denial: Denial, enforced: boolean, connection: ConnectionState): void
  opened(connection: ConnectionState): void
  /** Only counts: a connection that changes its guard neither opens nor closes. */
  adopted(connection: ConnectionState): void
  surrendered(): void
  authenticated(connection: ConnectionState): void
  closed(connection: ConnectionState, code: number): void
  /** The app's own code threw. `onError` gets the error itself. Events carry only its kind. */
  failed(error: unknown, connection: ConnectionState): void
  revoked(target: RevocationTarget): void
  started(): void
  drained(open: number): void
  storeState(state: StoreState): void
  /** `session`: the session that the notice is about. */
  notice(notice: Notice, session?: Session): void
  received(bytes: number): void
  sent(bytes: number, messages?: number): void
}

/** Creates the observer of one guard. */
export function createObserver(policy: Policy, runtime: Runtime): Observer {
  const { now } = runtime
  const routes = policy.handshake.ticket?.paths ?? null
  const reporting = DEFINITIONS.map(({ id }) => id).filter(id => isReported(policy, id))
  const events = createEvents({
    policy: policy.events,
    name: policy.name,
    denials: { rowOf: denialRow, sentenceOf },
    runtime,
    routes,
    reporting,
  })
  const { counters, describe } = events
  // If nobody listens, no event is built.
  const tell = (build: () => Parameters<Events['emit']>[0]): void => {
    if (events.listening) events.emit(build())
  }

  return {
    events,
    deniedAttempt(control, denial, enforced, attempt) {
      const { id, request, session } = attempt
      counters.denied(control, denial.code, request.path, enforced)
      tell(() => describe.describeDenial({ connection: id, request, session }, denial, enforced, control))
    },
    unreadable(denial, ip) {
      counters.denied('handshake/request', denial.code, '', true)
      tell(() => ({ ...describe.describeDenial({}, denial, true), source_ip: ip }))
    },
    lostSocket: code => counters.denied('handshake/connections', code, '', true),
    lostSockets(denial, ip) {
      tell(() => ({ ...describe.describeDenial({}, denial, true), ...(ip !== '' && { source_ip: ip }) }))
    },
    deniedTicket(request, denial, session, enforced = true) {
      counters.denied('handshake/ticket', denial.code, request.path, enforced)
      tell(() => describe.describeDenial({ request, session }, denial, enforced))
    },
    issuedTicket(request, session) {
      counters.ticketIssued()
      tell(() => describe.describeTicket({ request, session }))
    },
    denied(control, denial, enforced, live) {
      counters.denied(control, denial.code, live.path, enforced)
      tell(() => describe.describeDenial(about(live), denial, enforced, control))
    },
    adopted: live => counters.opened(live.path),
    surrendered: () => counters.closed(),
    opened(live) {
      counters.opened(live.path)
      tell(() => describe.describeOpen(about(live)))
    },
    authenticated: live => tell(() => describe.describeAuthenticated(about(live))),
    closed(live, code) {
      counters.closed()
      tell(() => describe.describeClose(about(live), code, now() - live.openedAt, live.rare.denial?.code))
    },
    failed: (error, live) => tell(() => describe.describeFailure(about(live), 'SALLY_HANDLER_FAILED', error)),
    revoked: target => tell(() => describe.describeRevoked(target)),
    started() {
      for (const { path, control } of policy.weakened) tell(() => describe.describeWeakened(path, control))
      const { report } = policy
      for (const control of report === 'all' ? [null] : report) tell(() => describe.describeReporting(control))
    },
    drained: open => tell(() => describe.describeShutdown(open)),
    storeState: state => tell(() => describe.describeStore(state)),
    notice: (notice, session) => tell(() => describe.describeNotice(notice, session)),
    received: bytes => counters.messageIn(bytes),
    sent: (bytes, messages) => counters.messageOut(bytes, messages),
  }
}

function about(live: ConnectionState): { connection: string; request: HandshakeRequest; session: Session } {
  return { connection: live.id, request: live.request, session: live.session }
}
