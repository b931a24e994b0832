import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ControlContext } from '../controls/context.ts'
import type { Attempt } from '../model/attempt.ts'
import type { HandshakeRequest } from '../model/handshake-request.ts'
import { chargeUser } from '../controls/handshake/rate.ts'
import { type Asking, isPaced, resolveSession } from '../controls/handshake/resolve-session.ts'
import { bindingOf } from '../controls/handshake/ticket.ts'
import { isReported } from '../model/reporting.ts'
import type { Policy } from '../policy/types.ts'
import { type Awaitable, type Denial, deny } from '../model/verdict.ts'
import { STRANGERS } from '../session/lookup-question.ts'
import type { Timer, Timers } from '../model/runtime.ts'
import type { Session } from '../model/session.ts'
import {
  type FastifyReplyLike,
  type FastifyRequestLike,
  writeToFastify,
  writeToNode,
  writeToWeb,
} from './ticket-hosts.ts'
import { issuedAnswer, methodAnswer, offAnswer, refusedAnswer, type TicketAnswer } from './ticket-answer.ts'
import { requireCall } from './ticket-call.ts'
import { originFault, pathOf, siteFault } from './ticket-request.ts'

/** What a web host knows about the peer of a request: Bun's `server.requestIP`, Deno's `info.remoteAddr`. */
export interface WebInfo {
  readonly ip?: string
}

/**
 * One decision of the endpoint itself, for the event stream. The door reports its own decisions. It never contains the
 * ticket.
 */
export interface TicketReport {
  readonly request: HandshakeRequest
  /** Null if a ticket was issued. */
  readonly denial: Denial | null
  readonly session: Session | null
  /** `''` if a missing Origin was allowed. Null before the door has answered. */
  readonly origin: string | null
}

/** What is known about a ticket request that passed the door. */
export interface TicketAdmission extends Partial<Pick<Attempt, 'standing' | 'credential'>> {
  readonly origin: string | null
}

/** The parameters of the endpoint. The guard supplies them. */
export interface TicketEndpointParts {
  readonly policy: Policy
  readonly context: ControlContext
  readonly fromNode: (request: IncomingMessage) => HandshakeRequest
  readonly fromWeb: (request: Request, info: WebInfo) => HandshakeRequest
  /**
   * Runs transport, host, origin and rate, and reports its own denials. `origin` is null if a missing one was allowed.
   */
  readonly runDoor: (request: HandshakeRequest) => Awaitable<Denial | TicketAdmission>
  readonly emit?: (report: TicketReport) => void
  /** Gets each denial that report mode does not enforce. */
  readonly wouldDeny?: (denial: Denial, request: HandshakeRequest, session: Session) => void
  /** Whether web requests may come without the address of the peer. */
  readonly withoutAddress?: boolean
}

/** Answers POST with a ticket: as a listener of node:http, an Express or Fastify handler, or for web `Request`s. */
export interface TicketEndpoint {
  (request: Request, info?: WebInfo): Promise<Response>
  (request: FastifyRequestLike, reply: FastifyReplyLike): Promise<unknown>
  (request: IncomingMessage, response: ServerResponse, next?: unknown): Promise<void>
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

/**
 * Issues tickets to the session of the request, for a page of the endpoint's own origin. A sibling subdomain gets none.
 * The WebSocket path is given as `?path=/ws`. The body is ignored. No request makes it throw or reject: a failure gives
 * a 503 without details. An argument that is not a request is a mistake of the caller and throws a `TypeError`.
 */
export function createTicketEndpoint(endpoint: TicketEndpointParts): TicketEndpoint {
  const charge = chargeUser(endpoint.policy, endpoint.context)
  return ((request: unknown, other?: unknown): Promise<unknown> => {
    requireCall(request, other, endpoint.withoutAddress ?? false)
    return respond(endpoint, view => answerTo(endpoint, charge, view), request, other)
  }) as TicketEndpoint
}

/** Judges one request, and notes in `report` what is known of it. */
async function decide(
  endpoint: TicketEndpointParts,
  charge: ReturnType<typeof chargeUser>,
  report: Writable<TicketReport>,
): Promise<TicketAnswer | Denial> {
  const { policy, context } = endpoint
  const { request } = report
  const section = policy.handshake.ticket
  if (section === null || section.csrf !== null) return offAnswer()
  if (request.method !== 'POST') return methodAnswer()
  const path = pathOf(request, section.paths)
  if (typeof path !== 'string') return path
  const site = siteFault(request)
  if (site !== null) return site
  const door = await within(context.runtime, policy.timeoutMs, endpoint.runDoor(request))
  if (!('origin' in door)) return refusedAnswer(door)
  report.origin = door.origin ?? ''
  const fault = originFault(request, report.origin)
  if (fault !== null) return fault
  const { standing = 'unproven', credential } = door
  const isKnown = standing === 'proven' || !isPaced(policy)
  const asking: Asking = {
    standing: isKnown ? 'known' : 'stranger',
    ...(credential !== undefined && { credential }),
  }
  const resolution = await resolveSession(policy, context, request, null, asking)
  if (!('session' in resolution)) return resolution
  report.session = resolution.session
  const charged = await charge?.(standing, resolution.session)
  if (charged?.pass === false) {
    if (!isReported(policy, 'handshake/rate')) return charged
    endpoint.wouldDeny?.(charged, request, resolution.session)
  }
  const issued = context.tickets.issue(bindingOf(resolution.session, door.origin, path))
  return issuedAnswer(issued, context.now())
}

/** The answer to one request. It never rejects: a failure gives a 503. */
async function answerTo(
  endpoint: TicketEndpointParts,
  charge: ReturnType<typeof chargeUser>,
  view: () => HandshakeRequest,
): Promise<TicketAnswer> {
  const { policy, context } = endpoint
  /** Time for the door, then for the wait in the queue, then for the look-up. */
  const patienceMs = policy.timeoutMs + STRANGERS.waitMs + policy.timeoutMs
  const report: Partial<Writable<TicketReport>> = { denial: null, session: null, origin: null }
  try {
    report.request = view()
    const decision = await within(
      context.runtime,
      patienceMs,
      decide(endpoint, charge, report as Writable<TicketReport>),
    )
    if ('status' in decision) {
      if (decision.status === 200) endpoint.emit?.(report as TicketReport)
      return decision
    }
    return refuse(decision)
  } catch (error) {
    return refuse(
      deny('SALLY_CONTROL_FAILED', {
        reason: 'ticket-endpoint',
        error: error instanceof Error ? error.name.slice(0, 200) : 'threw',
      }),
    )
  }

  function refuse(denial: Denial): TicketAnswer {
    report.denial = denial
    try {
      if (report.request !== undefined) endpoint.emit?.(report as TicketReport)
    } catch {
      // The log failed. The peer is refused all the same.
    }
    return refusedAnswer(denial)
  }
}

/** Writes the answer in the way of whoever called. */
async function respond(
  endpoint: TicketEndpointParts,
  answer: (view: () => HandshakeRequest) => Promise<TicketAnswer>,
  request: unknown,
  other: unknown,
): Promise<unknown> {
  if (request instanceof Request) {
    return writeToWeb(await answer(() => endpoint.fromWeb(request, (other as WebInfo | undefined) ?? {})))
  }
  if (typeof (request as Partial<FastifyRequestLike>).raw === 'object') {
    const { raw } = request as FastifyRequestLike
    return writeToFastify(await answer(() => endpoint.fromNode(raw)), raw, other as FastifyReplyLike)
  }
  const node = request as IncomingMessage
  return writeToNode(await answer(() => endpoint.fromNode(node)), node, other as ServerResponse)
}

/** Waits at most `ms`. A later result is dropped. */
function within<T>(timers: Timers, ms: number, work: Awaitable<T>): Promise<T | Denial> {
  let timer: Timer | undefined
  const late = new Promise<Denial>(resolve => {
    timer = timers.setTimeout(
      () => resolve(deny('SALLY_CONTROL_TIMEOUT', { reason: 'ticket-endpoint', timeoutMs: ms })),
      ms,
    )
  })
  return Promise.race([work, late]).finally(() => timers.clearTimeout(timer))
}
