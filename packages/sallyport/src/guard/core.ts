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
import type { Policy } from '../model/policy.ts'
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

/** A guard without its ways in: the doors, the keeper and the connections between them. */
export interface Core {
  readonly policy: Policy
  readonly context: ControlContext
  /** Serves the host that a server listens on, whatever `handshake.host` names: a page on a rebound name sends its own name. */
  serveHost(name: string): void
  fromNode(request: IncomingMessage): HandshakeRequest
  fromWeb(request: Request, ip: string): HandshakeRequest
  /** `maker` makes Node's request where somebody asks for it. */
  fromRead(read: ReadRequest, socket: Socket, maker: RequestMaker): HandshakeRequest
  /** Runs the handshake door. `early`: bytes came behind the request before it was answered (RFC 6455 §4.1 forbids it), or it came behind one that is not answered yet. Never throws. The answer is synchronous when every control's was. */
  admit(request: HandshakeRequest, early?: boolean): Admittance | Promise<Admittance>
  /** The same for the first request of a session that polls, and so is no upgrade. */
  admitPolling(request: HandshakeRequest): Admittance | Promise<Admittance>
  /** Gives up an admission that was never opened. */
  abandon(admission: Admission): void
  open(admission: Admission, transport: Transport, delivery: Delivery): LiveConnection
  /** Whose requests can be made again, so that a connection that lives on need not keep its own. */
  restWith(maker: RequestMaker): void
  /**
   * Takes an open connection over from another guard: it is judged by this policy from now on. It ends where this handshake
   * door refuses it (rate and ticket are not asked again), or finds another session or user. Where the door cannot tell,
   * because a look-up or a store fails, it lives on for `lifetime.session.grace`, counted from the last yes under any guard.
   */
  adopt(connection: ConnectionState): void
  /**
   * Runs the message door for a way in that keeps the order of its messages by itself. One with a rule of its `own` is judged
   * by size, rate, format and that rule. Never throws.
   */
  admitMessage(subject: MessageSubject | OwnMessage, connection: MessageConnection): Verdict | Promise<Verdict>
  /** What a ticket request must pass before its session is looked up. */
  admitTicketRequest(request: HandshakeRequest): Awaitable<Denial | TicketAdmission>
  revoke(target: Revocable): Promise<void>
  /** Lets every connection go within the time given, or the policy's, and refuses new ones. Resolves when none is left. */
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

/** Says with whom the guard shares its state. */
function announceCompany({ policy, observer, shared }: { policy: Policy; observer: Observer; shared: Shared }): void {
  if (shared.company === 'copy') observer.notice('shares-copy')
  // With a store of its own it shares revocations alone, as its store does anyway.
  else if (shared.company === 'name' && policy.store === null) observer.notice('shares')
  else if (shared.company === 'twin') observer.notice('twin')
  if (shared.apart) observer.notice('apart')
}
