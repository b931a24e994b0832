import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { type Attempt, bequeath, newAttempt } from '../model/attempt.ts'
import { createAddressReader } from '../request/client-address.ts'
import { outlasts } from '../controls/handshake/connections.ts'
import type { HandshakeRequest } from '../model/handshake-request.ts'
import { HANDSHAKE_DOOR, POLLING_DOOR, STANDING_DOOR, TICKET_DOOR } from '../controls/handshake/doors.ts'
import {
  fromNode,
  fromRead,
  fromWeb,
  PeerRequest,
  type ReadRequest,
  type RequestMaker,
} from '../request/peer-request.ts'
import { redeemFirstMessage } from '../controls/handshake/ticket.ts'
import { createKeeper } from '../controls/lifetime/keeper.ts'
import { concurrency } from '../controls/message/concurrency.ts'
import { compileHeartbeats } from '../controls/message/heartbeat.ts'
import { createMessageDoor } from '../controls/message/run.ts'
import { compileOutbound } from '../controls/message/outbound.ts'
import { controlFrames } from '../controls/message/size.ts'
import { isReported } from '../model/reporting.ts'
import { createDoor } from '../controls/run.ts'
import type { Policy } from '../model/policy.ts'
import type { Runtime } from '../model/runtime.ts'
import { type Awaitable, type ControlId, type Denial, deny, type Verdict } from '../model/verdict.ts'
import { STRANGERS } from '../session/lookup-queue.ts'
import type { Session } from '../model/session.ts'
import { LEASE_TTL_MS } from '../model/lease-time.ts'
import { namedStore } from '../store/named-store.ts'
import type { RevocationTarget } from '../model/store.ts'
import type { TicketAdmission } from './ticket-endpoint.ts'
import { createTickets } from '../ticket/token.ts'
import { createAttemptId } from './attempt-id.ts'
import { createParts } from './create-parts.ts'
import { createEntering, isMeant, isOlder } from './entering.ts'
import type { Delivery, GuardServices } from '../connection/services.ts'
import { LiveConnection } from '../connection/live-connection.ts'
import type { Observer } from './observer.ts'
import { textOf } from '../connection/outbound-text.ts'
import type { ControlContext } from '../controls/context.ts'
import { type Refusal, refusalOf } from './refusal.ts'
import { createRemembered } from './remembered.ts'
import { joinShared } from './shared-state.ts'
import { createStanding } from './standing.ts'
import { type Revocable, readTarget } from './revocation-target.ts'
import type { Transport } from '../connection/transport.ts'

/** A handshake that passed: to be opened on a transport, or given up. */
export interface Admission {
  readonly pass: true
  readonly attempt: Attempt & { readonly session: Session }
}

/** What the handshake door answers. */
export type Admittance = Admission | (Refusal & { readonly pass: false })

/** A guard without its ways in: the doors, the keeper and the connections between them. */
export interface Core {
  readonly policy: Policy
  readonly parts: ControlContext
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
  adopt(connection: LiveConnection): void
  /** What a ticket request must pass before its session is looked up. */
  admitTicketRequest(request: HandshakeRequest): Awaitable<Denial | TicketAdmission>
  revoke(target: Revocable): Promise<void>
  /** Lets every connection go within the time given, or the policy's, and refuses new ones. Resolves when none is left. */
  drain(withinMs?: number): Promise<void>
  readonly connections: ReadonlySet<LiveConnection>
}

/** Compiles a frozen policy. */
export function createCore(policy: Policy, runtime: Runtime, observer: Observer): Core {
  const { now } = runtime
  const shared = joinShared(policy, {
    heard: target => endAll(target),
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
  const ownHosts = new Set<string>()
  const parts = createParts(policy, { store, tickets, marks, found, ownHosts }, runtime)
  const { halfOpen } = parts
  const readAddress = createAddressReader(policy.proxy)
  const live = new Set<LiveConnection>()
  /** They have ended, and messages from before that are still handled. */
  const lingering = new Set<LiveConnection>()
  const entering = createEntering()
  // A drain is the operator's own command: report mode would leave a server that cannot stop.
  const enforced = (control: ControlId): boolean => control === 'lifetime/shutdown' || !isReported(policy, control)
  let draining: (() => void)[] | null = null

  const lookupMs = policy.timeoutMs + STRANGERS.waitMs + policy.timeoutMs
  const compile = (
    door: typeof HANDSHAKE_DOOR,
  ): { id: ControlId; check: (attempt: Attempt) => Verdict | Promise<Verdict>; timeoutMs?: number }[] =>
    door.flatMap(control => {
      const check = control.compile(policy, parts)
      if (check === null) return []
      // A look-up is bounded by the queue that it waits in.
      return [{ id: control.id, check, ...(control.id === 'handshake/session' && { timeoutMs: lookupMs }) }]
    })
  const doorParts = { report: policy.report, timeoutMs: policy.timeoutMs }
  const handshakeDoor = createDoor<Attempt>({
    ...doorParts,
    checks: compile(HANDSHAKE_DOOR),
    observe: (control, denial, isEnforced, attempt) => observer.deniedAttempt(control, denial, isEnforced, attempt),
  })
  const pollingDoor = createDoor<Attempt>({
    ...doorParts,
    checks: compile(POLLING_DOOR),
    observe: (control, denial, isEnforced, attempt) => observer.deniedAttempt(control, denial, isEnforced, attempt),
  })
  const standing = createStanding({
    policy,
    parts,
    lookups: parts.lookups,
    door: STANDING_DOOR,
    observe: (control, denial, isEnforced, attempt) => observer.deniedAttempt(control, denial, isEnforced, attempt),
  })
  const ticketDoor = createDoor<Attempt>({
    ...doorParts,
    checks: compile(TICKET_DOOR),
    observe: (control, denial, isEnforced, attempt) => observer.deniedAttempt(control, denial, isEnforced, attempt),
  })
  const firstMessageDoor = createDoor<string, LiveConnection>({
    ...doorParts,
    checks: [
      {
        id: 'handshake/ticket',
        check: (text, connection) => redeemFirstMessage(text, policy, parts, connection.attempt),
      },
    ],
    observe(control, denial, isEnforced, _text, connection) {
      if (!isEnforced) connection.unproven = true
      observer.denied(control, denial, isEnforced, connection)
    },
  })
  const services: GuardServices = {
    policy,
    now,
    admitMessage: createMessageDoor(policy, parts, (control, denial, isEnforced, _subject, connection) =>
      observer.denied(control, denial, isEnforced, connection as LiveConnection),
    ),
    heartbeats: compileHeartbeats(policy),
    admitFirst: firstMessageDoor,
    controlFrame: controlFrames(policy, parts),
    outbound: compileOutbound(policy, message => textOf(message, policy.message.format?.bigIntegers)),
    handlers: concurrency.compile(policy),
    check(connection) {
      const { attempt, session } = connection
      // In report mode it stands in for nobody; there is nothing that could lapse.
      if (standIns.has(attempt)) return { is: 'yes', session }
      const isWanted = (): boolean => connection.attempt === attempt && connection.readyState < 2
      return connection.unjudged
        ? standing.judge(attempt, session, isWanted)
        : standing.recheck(attempt, session, isWanted)
    },
    touch: connection => keeper.touch(connection),
    denied: (control, denial, isEnforced, connection) => observer.denied(control, denial, isEnforced, connection),
    enforced,
    onlyReports: policy.report === 'all',
    authenticated: connection => observer.authenticated(connection),
    failed: (error, connection) => observer.failed(error, connection),
    sent: (bytes, messages) => observer.sent(bytes, messages),
    received: bytes => observer.received(bytes),
    store,
    surrender(connection, heir, to) {
      live.delete(connection)
      keeper.forget(connection)
      // Given back and taken again, a place would be free while the other door asks.
      if (to === store) bequeath(connection.attempt, heir)
      else release(connection.attempt)
      letGo()
      observer.surrendered()
      if (draining !== null && live.size === 0) for (const done of draining) done()
    },
    ended(connection, code) {
      live.delete(connection)
      keeper.forget(connection)
      release(connection.attempt)
      observer.closed(connection, code)
      if (connection.lingers) lingering.add(connection)
      if (draining !== null && live.size === 0) for (const done of draining) done()
    },
    over(connection) {
      if (lingering.delete(connection)) letGo()
    },
  }
  let maker: RequestMaker | null = null
  const keeper = createKeeper<LiveConnection>(policy, runtime, {
    renew({ attempt }) {
      for (const { key, cap } of attempt.leases) settle(() => store.lease(key, attempt.id, cap, LEASE_TTL_MS))
    },
    settle({ request }) {
      if (maker !== null && request instanceof PeerRequest) request.rest(maker)
    },
  })

  const release = (attempt: Attempt): void => {
    entering.leave(attempt)
    halfOpen.leave(attempt)
    letGo()
    if (attempt.ended) return
    attempt.ended = true
    for (const { key } of attempt.leases) settle(() => store.release(key, attempt.id))
  }
  /** Places that were granted under a higher cap, or that this policy does not count. */
  const giveUpNarrowed = (attempt: Attempt): void => {
    const kept = attempt.leases.filter(lease => outlasts(policy, lease))
    for (const lease of attempt.leases) {
      if (!kept.includes(lease)) settle(() => store.release(lease.key, attempt.id))
    }
    attempt.leases = kept
  }
  const standIns = new WeakSet<Attempt>()
  const refuse = (attempt: Attempt, denial: Denial): Admittance => {
    release(attempt)
    return { pass: false, ...refusalOf(denial) }
  }
  const refuseDraining = (attempt: Attempt): Admittance => {
    const denial = deny('SALLY_SHUTDOWN', {}, 1)
    observer.deniedAttempt('lifetime/shutdown', denial, true, attempt)
    return refuse(attempt, denial)
  }
  const conclude = (attempt: Attempt, verdict: Verdict): Admittance => {
    halfOpen.leave(attempt)
    if (!verdict.pass) return refuse(attempt, verdict)
    if (draining !== null) return refuseDraining(attempt)
    // Only report mode comes here without a session: it acts for nobody in particular.
    if (attempt.session === null) {
      attempt.session = { id: attempt.id, user: `ip:${attempt.request.ip}` }
      standIns.add(attempt)
    }
    if (entering.isRevoked(attempt)) {
      return refuseLate(attempt, 'handshake/session', deny('SALLY_SESSION_REVOKED', 'revoked during the handshake'))
    }
    return { pass: true, attempt: attempt as Admission['attempt'] }
  }
  /** Refuses what the door let pass, because the world changed while it was asked. */
  const refuseLate = (attempt: Attempt, control: ControlId, denial: Denial): Admittance => {
    observer.deniedAttempt(control, denial, true, attempt)
    return refuse(attempt, denial)
  }
  const revoked = deny('SALLY_LIFETIME_REVOKED')
  const endAll = (target: RevocationTarget, at: number | null = null): void => {
    const news = { target, at }
    parts.lookups.renew()
    settle(() => policy.handshake.session?.forget?.())
    for (const connection of live) {
      if (isMeant(news, connection.session) && isOlder(news, connection.enteredAt)) connection.revoked(revoked)
    }
    for (const connection of lingering) if (isMeant(news, connection.session)) connection.revoked(revoked)
    entering.note(news)
  }
  /** The latest expiry among the open connections that a revocation means; 0 where none is known. */
  const latestExpiry = (target: RevocationTarget): number => {
    let latest = 0
    for (const { session } of live) {
      if (session.expiresAt !== undefined && session.expiresAt > latest && isMeant({ target, at: null }, session)) {
        latest = session.expiresAt
      }
    }
    return latest
  }
  const listen = (): (() => void)[] => [
    marks === null ? () => undefined : store.onRevoked(endAll),
    store.onState?.(state => {
      observer.storeState(state)
      if (state.state === 'lost') loseAll(state.endsWithinMs ?? LOST_WITHIN_MS)
    }) ?? (() => undefined),
  ]
  const hear = (): void => {
    shared.listen()
    listening = listen()
  }
  /** Ends the open connections one after the other: a crowd that comes back at once finds a store that has just come back. */
  const loseAll = (withinMs: number): void => {
    const from = now()
    for (const connection of live) {
      if (connection.lostAt !== 0) continue
      connection.lostAt = from + connection.spread * withinMs
      keeper.touch(connection)
    }
  }
  let listening: (() => void)[] = []
  /** Once it has drained nobody is left whom news could be of: a store outlives the guards that a reload replaces. */
  const letGo = (): void => {
    if (draining === null || live.size > 0 || lingering.size > 0 || entering.size > 0) return
    shared.leave()
    for (const off of listening) off()
    listening = []
  }

  hear()
  observer.started()
  if (shared.company === 'copy') observer.notice('shares-copy')
  // With a store of its own it shares revocations alone, as its store does anyway.
  else if (shared.company === 'name' && policy.store === null) observer.notice('shares')
  else if (shared.company === 'twin') observer.notice('twin')
  if (shared.apart) observer.notice('apart')
  return {
    policy,
    parts,
    serveHost: name => void ownHosts.add(name),
    connections: live,
    fromNode: request => fromNode(request, readAddress),
    fromWeb: (request, ip) => fromWeb(request, readAddress, ip),
    fromRead: (read, socket, maker) => fromRead(read, socket, maker, readAddress),
    admit(request, early = false) {
      const attempt = attemptOf(request)
      if (draining !== null) return refuseDraining(attempt)
      if (early) {
        const denial = deny(
          'SALLY_REQUEST_MALFORMED',
          'bytes follow the request before it was answered, or it follows one that is not',
        )
        observer.deniedAttempt('handshake/request', denial, enforced('handshake/request'), attempt)
        if (enforced('handshake/request')) return refuse(attempt, denial)
      }
      entering.begin(attempt, now())
      const verdict = handshakeDoor(attempt)
      return verdict instanceof Promise ? verdict.then(later => conclude(attempt, later)) : conclude(attempt, verdict)
    },
    admitPolling(request) {
      const attempt = attemptOf(request)
      if (draining !== null) return refuseDraining(attempt)
      entering.begin(attempt, now())
      const verdict = pollingDoor(attempt)
      return verdict instanceof Promise ? verdict.then(later => conclude(attempt, later)) : conclude(attempt, verdict)
    },
    abandon: ({ attempt }) => release(attempt),
    open({ attempt }, transport, delivery) {
      const isRevoked = entering.isRevoked(attempt)
      const enteredAt = entering.beganAt(attempt)
      entering.leave(attempt)
      const connection = new LiveConnection(services, attempt, transport, delivery)
      if (enteredAt !== 0) connection.enteredAt = enteredAt
      if (draining !== null) connection.leaveAt = now()
      live.add(connection)
      keeper.touch(connection)
      observer.opened(connection)
      if (isRevoked) connection.end(revoked)
      return connection
    },
    restWith(given) {
      maker = given
    },
    adopt(connection) {
      const { id, ticket, subprotocol, origin } = connection.attempt
      const { request, session } = connection
      // Its session was found once: it waits among those who are known.
      const attempt: Attempt = { ...newAttempt(id, request), ticket, subprotocol, origin, session, standing: 'proven' }
      if (listening.length === 0) hear()
      connection.moveTo(services, attempt)
      giveUpNarrowed(attempt)
      if (draining !== null) connection.leaveAt = now()
      live.add(connection)
      keeper.touch(connection)
      observer.adopted(connection)
      connection.recheck()
    },
    admitTicketRequest(request) {
      if (draining !== null) return deny('SALLY_SHUTDOWN', {}, 1)
      const attempt = attemptOf(request)
      const answer = (verdict: Verdict): Denial | TicketAdmission => (verdict.pass ? attempt : verdict)
      const verdict = ticketDoor(attempt)
      return verdict instanceof Promise ? verdict.then(answer) : answer(verdict)
    },
    async revoke(given) {
      const { target, expiresAt } = readTarget(given)
      observer.revoked(target)
      const ttlMs = remembered.ttlMs(target, expiresAt, latestExpiry(target))
      // Here at once, whatever becomes of the store; the caller learns if other nodes were not reached.
      endAll(target)
      if (marks === null) {
        shared.store.revoke(target, ttlMs)
        return
      }
      // The other guards of its name in this process, and this one while its store is away.
      settle(() => shared.store.revoke(target, ttlMs))
      await store.revoke(target, ttlMs)
    },
    async drain(withinMs = policy.lifetime.shutdown.withinMs) {
      if (draining === null) observer.drained(live.size)
      draining ??= []
      letGo()
      if (live.size === 0) return
      const from = now()
      for (const connection of live) {
        if (connection.leaveAt !== 0 && connection.leaveAt <= from + withinMs) continue
        connection.leaveAt = from + Math.random() * withinMs
        connection.leaveBy = from + withinMs
        keeper.touch(connection)
      }
      await new Promise<void>(resolve => draining?.push(resolve))
    },
  }
}

/** Open connections end within this time once a store is lost that names none, in ms. */
const LOST_WITHIN_MS = 5000

function attemptOf(request: HandshakeRequest): Attempt {
  return newAttempt(createAttemptId(), request)
}

/** A store that fails while something is given back or renewed costs nothing but time: the lease lapses by itself. */
function settle(step: () => unknown): void {
  try {
    const pending = step()
    if (pending instanceof Promise) pending.catch(() => undefined)
  } catch {
    // As above.
  }
}
