import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { LiveConnection } from '../connection/live-connection.ts'
import type { Delivery } from '../connection/services.ts'
import type { ConnectionState } from '../connection/state.ts'
import type { Transport } from '../connection/transport.ts'
import type { ControlContext } from '../controls/context.ts'
import { createKeeper } from '../controls/lifetime/keeper.ts'
import type { MessageConnection, MessageSubject } from '../controls/message/message-control.ts'
import { createOwnDoor, type OwnMessage } from '../controls/message/own-message.ts'
import type { HandshakeRequest } from '../model/handshake-request.ts'
import type { Policy } from '../policy/types.ts'
import type { Runtime } from '../model/runtime.ts'
import type { Session } from '../model/session.ts'
import type { Awaitable, Denial, Verdict } from '../model/verdict.ts'
import { createAddressReader } from '../request/client-address.ts'
import {
  fromNode,
  fromRead,
  fromWeb,
  PeerRequest,
  type ReadRequest,
  type RequestMaker,
} from '../request/peer-request.ts'
import { namedStore } from '../store/named-store.ts'
import { createTickets } from '../ticket/token.ts'
import { type Admission, type Admittance, admit, admitPolling, admitTicketRequest, open } from './admission.ts'
import { createControlContext } from './control-context.ts'
import { compileDoors } from './doors.ts'
import { drain } from './drain.ts'
import { createEntering } from './entering.ts'
import type { GuardState } from './guard-state.ts'
import type { Observer } from './observer.ts'
import { createRemembered } from './remembered.ts'
import { endRevoked, revoke, subscribe } from './revocation.ts'
import type { Revocable } from './revocation-target.ts'
import { createServices } from './services.ts'
import { joinShared, type Shared } from './shared-state.ts'
import { releaseAttempt, renewSlots } from './slots.ts'
import { adopt } from './takeover.ts'
import type { TicketAdmission } from './ticket-endpoint.ts'

/** A guard without its ways in: the doors, the keeper, and the connections between them. */
export interface Core {
  readonly policy: Policy
  readonly context: ControlContext
  /**
   * Accepts the host that a server listens on, in addition to `handshake.host`. An attacker's name that was rebound to
   * this address is still refused, because the page sends that name.
   */
  serveHost(name: string): void
  fromNode(request: IncomingMessage): HandshakeRequest
  fromWeb(request: Request, ip: string): HandshakeRequest
  /** Builds a request. `maker` makes Node's request object when code asks for it. */
  fromRead(read: ReadRequest, socket: Socket, maker: RequestMaker): HandshakeRequest
  /**
   * Runs the handshake door. `early`: bytes followed the request before its answer (RFC 6455 §4.1 forbids that), or the
   * request followed another one that has no answer yet. Never throws. The result is synchronous if every control
   * answered synchronously.
   */
  admit(request: HandshakeRequest, early?: boolean): Admittance | Promise<Admittance>
  /** Like `admit`, for the first request of a session that polls. That request is not an upgrade. */
  admitPolling(request: HandshakeRequest): Admittance | Promise<Admittance>
  /** Gives up an admission that was never opened. */
  abandon(admission: Admission): void
  open(admission: Admission, transport: Transport, delivery: Delivery): LiveConnection
  /** `maker` can make the requests again, so a connection that stays open need not keep its own. */
  restWith(maker: RequestMaker): void
  /**
   * Takes an open connection over from another guard. This policy judges it from now on. The connection ends if this
   * handshake door refuses it (rate and ticket are not checked again), or finds another session or user. If the door
   * cannot decide because a look-up or a store fails, the connection stays open for `lifetime.session.grace`. That time
   * counts from its last successful check under any guard.
   */
  adopt(connection: ConnectionState): void
  /**
   * Runs the message door for a way in that itself keeps the order of its messages. A message with its `own` rule is
   * judged by size, rate, format and that rule. Never throws.
   */
  admitMessage(subject: MessageSubject | OwnMessage, connection: MessageConnection): Verdict | Promise<Verdict>
  /** Runs the door that a ticket request must pass before its session is looked up. */
  admitTicketRequest(request: HandshakeRequest): Awaitable<Denial | TicketAdmission>
  revoke(target: Revocable): Promise<void>
  /**
   * Closes every connection within the given time, or within the policy's time, and refuses new ones. Resolves when no
   * connection is left.
   */
  drain(withinMs?: number): Promise<void>
  readonly connections: ReadonlySet<ConnectionState>
}

/** Compiles a frozen policy. */
export function createCore(policy: Policy, runtime: Runtime, observer: Observer): Core {
  const ownHosts = new Set<string>()
  const guard = createState(policy, runtime, observer, ownHosts)
  const doors = compileDoors(policy, guard.context, observer)
  const services = createServices(guard, doors)
  const ownDoor = createOwnDoor(policy, guard.context, (control, denial, enforced, _subject, connection) =>
    observer.denied(control, denial, enforced, connection as ConnectionState),
  )
  const readAddress = createAddressReader(policy.proxy)
  subscribe(guard)
  observer.started()
  announceCompany(guard)
  return {
    policy,
    context: guard.context,
    connections: guard.live,
    serveHost: name => void ownHosts.add(name),
    fromNode: request => fromNode(request, readAddress),
    fromWeb: (request, ip) => fromWeb(request, readAddress, ip),
    fromRead: (read, socket, maker) => fromRead(read, socket, maker, readAddress),
    admit: (request, early = false) => admit(guard, doors, request, early),
    admitPolling: request => admitPolling(guard, doors, request),
    abandon: ({ attempt }) => releaseAttempt(guard, attempt),
    open: (admission, transport, delivery) => open(guard, services, admission, transport, delivery),
    restWith(maker) {
      guard.requestMaker = maker
    },
    adopt: connection => adopt(guard, services, connection),
    admitMessage: (subject, connection) =>
      'own' in subject ? ownDoor(subject, connection) : services.admitMessage(subject, connection),
    admitTicketRequest: request => admitTicketRequest(guard, doors, request),
    revoke: target => revoke(guard, target),
    drain: (withinMs = policy.lifetime.shutdown.withinMs) => drain(guard, withinMs),
  }
}

function createState(policy: Policy, runtime: Runtime, observer: Observer, ownHosts: ReadonlySet<string>): GuardState {
  const { now } = runtime
  const shared = joinShared(policy, runtime, {
    heard: target => endRevoked(guard, target),
    joined: () => observer.notice('shares-copy'),
  })
  const store = policy.store === null ? shared.store : namedStore(policy.store, policy.name)
  const marks = store === shared.store ? null : shared.store
  const section = policy.handshake.ticket
  const secrets = section?.secrets ?? [shared.secretFor(policy.store)]
  const tickets = createTickets(section === null ? null : { ...section, secrets }, { store, now, marks }, runtime)
  const remembered = createRemembered(policy, now)
  const found = (session: Session): void => {
    if (remembered.note(session)) observer.notice('outlives', session)
  }
  const context = createControlContext(policy, { store, tickets, marks, found, ownHosts }, runtime)
  const guard: GuardState = {
    policy,
    context,
    runtime,
    observer,
    store,
    marks,
    shared,
    remembered,
    keeper: createKeeper<ConnectionState>(policy, runtime, {
      renew: ({ attempt }) => renewSlots(guard, attempt),
      settle({ request }) {
        if (guard.requestMaker !== null && request instanceof PeerRequest) request.rest(guard.requestMaker)
      },
    }),
    live: new Set(),
    lingering: new Set(),
    entering: createEntering(),
    standIns: new WeakSet(),
    draining: null,
    subscriptions: [],
    requestMaker: null,
  }
  return guard
}

/** Emits a notice that names what this guard shares its state with. */
function announceCompany({ policy, observer, shared }: { policy: Policy; observer: Observer; shared: Shared }): void {
  if (shared.company === 'copy') observer.notice('shares-copy')
  // A guard with its own store shares only revocations. A store shared by two servers does that in any case.
  else if (shared.company === 'name' && policy.store === null) observer.notice('shares')
  else if (shared.company === 'twin') observer.notice('twin')
  if (shared.apart) observer.notice('apart')
}
