import { type IncomingMessage, ServerResponse } from 'node:http'
import { isAnswering } from '../../node/answering.ts'
import { type Refusal, refusalOf } from '../../guard/refusal.ts'
import { refuseSocket } from '../../node/refuse-socket.ts'
import { type Attempt, newAttempt } from '../../model/attempt.ts'
import type { HandshakeControl } from '../../controls/handshake/handshake-control.ts'
import type { HandshakePolicy } from '../../controls/handshake/doors.ts'
import type { HandshakeRequest } from '../../model/handshake-request.ts'
import { host } from '../../controls/handshake/host.ts'
import { origin } from '../../controls/handshake/origin.ts'
import { isCanonicalPath } from '../../request/request-path.ts'
import { request as wellFormed } from '../../controls/handshake/request.ts'
import { resolveSession } from '../../controls/handshake/resolve-session.ts'
import { transport } from '../../controls/handshake/transport.ts'
import { createAttemptId } from '../../guard/attempt-id.ts'
import type { Inside } from '../../guard/registry.ts'
import type { LiveConnection } from '../../connection/live-connection.ts'
import { isReported } from '../../model/reporting.ts'
import { createDoor, type Door, type DoorCheck } from '../../controls/run.ts'
import { type Denial, deny, PASS, type Verdict } from '../../model/verdict.ts'
import type { Admissions } from './connections.ts'
import { Pace, UserPaces } from './pace.ts'
import type { SocketIoServerLike } from './server.ts'

/** A request as Engine.IO reads it. Engine.IO writes `_query` before its middlewares run, and acts on nothing else. */
export interface EngineRequest extends IncomingMessage {
  readonly _query: { readonly [name: string]: string | undefined }
}

/** Judges the requests that follow the first one of a Socket.IO session: polls, posts and upgrades. */
export interface RequestDoors {
  /** Judges the parts of the first request that `handshake/request` does not; null if they are well formed. */
  refuseFirst(request: EngineRequest, view: HandshakeRequest): Denial | null
  /** Judges a request that names a session. `live` is undefined where no such session is open. */
  follow(
    request: EngineRequest,
    view: HandshakeRequest,
    live: LiveConnection | undefined,
    upgrades: boolean,
  ): Promise<Verdict>
  /** The session of this id has ended. */
  ended(sid: string): void
}

/** The request of Engine.IO, and the connection that its `sid` names. */
interface Following {
  readonly request: EngineRequest
  readonly live: LiveConnection | undefined
  readonly hasEnded: boolean
}

const UNKNOWN: Denial = deny('SALLY_SESSION_MISSING', { reason: 'unknown-sid' })
/** The last poll of an honest page comes after its session ended. It is refused, and no event is emitted. */
const ENDED: Denial = deny('SALLY_SESSION_MISSING', { reason: 'ended-sid' })
/** Ids of ended sessions that are remembered: at most about 1 MB. */
const MOST_ENDED = 10_000
/** Engine.IO's own parameters. */
const OWN_PARAMETERS = ['EIO', 'transport', 'sid', 'j', 'b64']
const DANGEROUS = ['__proto__', 'constructor', 'prototype']

/**
 * The doors for later requests of a Socket.IO session. The id in the address proves nothing, so each request must come
 * from the origin and carry the credential of the session that the connection was opened for. An unknown id is refused
 * with the same answer as a wrong credential, and without a look-up.
 */
export function createRequestDoors({ core, observer }: Inside): RequestDoors {
  const { policy, context } = core
  const paces = new WeakMap<LiveConnection, Pace>()
  const users = new UserPaces()
  const ended = new Set<string>()
  const isEnforced = (control: 'handshake/request' | 'handshake/rate'): boolean => !isReported(policy, control)
  const longestMs = isEnforced('handshake/rate') ? policy.timeoutMs / 2 : 0

  const paceOf = (live: LiveConnection): Pace => {
    let pace = paces.get(live)
    if (pace === undefined) paces.set(live, (pace = new Pace(live.ip, users, context.runtime)))
    return pace
  }
  const checkPace = ({ request: view }: Attempt, { live }: Following): Verdict | Promise<Verdict> =>
    live === undefined || policy.handshake.rate === null
      ? PASS
      : paceOf(live).take(view.ip, live.session.user, context.now(), longestMs)
  const checkSession = async (attempt: Attempt, { live, hasEnded }: Following): Promise<Verdict> => {
    if (live?.readyState !== 1) return hasEnded || live !== undefined ? ENDED : UNKNOWN
    if (attempt.origin !== live.origin) return deny('SALLY_ORIGIN_NOT_ALLOWED', { reason: 'not-of-session' })
    const found = await resolveSession(policy, context, attempt.request, null, { standing: 'known' })
    if (!('session' in found)) return found
    // Without sessions a connection has an id of its own; its address must stay the same.
    const same = policy.handshake.session === null || found.session.id === live.session.id
    if (!same || found.session.user !== live.session.user) return deny('SALLY_SESSION_MISSING', { reason: 'other-sid' })
    paceOf(live).moved(attempt.request.ip)
    return PASS
  }

  const doorOf = (controls: readonly HandshakeControl<HandshakePolicy>[]): Door<Attempt, Following> => {
    const checks: DoorCheck<Attempt, Following>[] = controls.flatMap(control => {
      const check = control.compile(policy, context)
      return check === null ? [] : [{ id: control.id, check }]
    })
    return createDoor<Attempt, Following>({
      report: policy.report,
      timeoutMs: policy.timeoutMs,
      timers: context.runtime,
      checks: [
        ...checks,
        { id: 'handshake/request', check: checkForm },
        { id: 'handshake/rate', check: checkPace },
        { id: 'handshake/session', check: checkSession },
      ],
      observe(control, denial, enforced, attempt) {
        if (denial !== ENDED) observer.deniedAttempt(control, denial, enforced, attempt)
      },
    })
  }
  const polled = doorOf([transport, host, origin])
  // Origin comes first: a fragment in the address must not tell a foreign page more than any other request does.
  const upgraded = doorOf([transport, host, origin, wellFormed])

  return {
    refuseFirst(request, view) {
      const denial = formOf(request, view)
      if (denial === null) return null
      const enforced = isEnforced('handshake/request')
      observer.deniedAttempt('handshake/request', denial, enforced, newAttempt(createAttemptId(context.runtime), view))
      return enforced ? denial : null
    },
    async follow(request, view, live, upgrades) {
      const pace = live === undefined ? null : paceOf(live)
      pace?.enter()
      try {
        const attempt = newAttempt(live?.id ?? createAttemptId(context.runtime), view)
        const hasEnded = ended.has(request._query['sid'] ?? '')
        return await (upgrades ? upgraded : polled)(attempt, { request, live, hasEnded })
      } finally {
        pace?.leave()
      }
    },
    ended(sid) {
      ended.add(sid)
      if (ended.size <= MOST_ENDED) return
      for (const oldest of ended) {
        ended.delete(oldest)
        return
      }
    },
  }
}

function checkForm({ request: view }: Attempt, { request }: Following): Verdict {
  return formOf(request, view) ?? PASS
}

/** Puts the doors before every request of both transports. */
export function guardRequests(
  io: SocketIoServerLike,
  { core }: Inside,
  doors: RequestDoors,
  admissions: Admissions,
  find: (sid: string) => LiveConnection | undefined,
): void {
  io.engine.use((given, response, next) => {
    const request = given as EngineRequest
    const upgrades = !(response instanceof ServerResponse)
    // Before anything is awaited: a peer that resets meanwhile must not end the process.
    if (upgrades) request.socket.on('error', () => request.socket.destroy())
    // A line without a value offers nothing; `ws` answers 400 to it.
    if (request.headers['sec-websocket-protocol'] === '') delete request.headers['sec-websocket-protocol']
    const view = withOwnOrigin(core.fromNode(request), request)
    // Engine.IO finds the session by this value.
    const { sid } = request._query
    const refuse = (refusal: Refusal): void => {
      if (upgrades) refuseSocket(request.socket, refusal)
      else response.writeHead(refusal.status, refusal.headers).end(refusal.body)
    }
    const decide = async (): Promise<void> => {
      if (sid) {
        const verdict = await doors.follow(request, view, find(sid), upgrades)
        return verdict.pass ? next() : refuse(refusalOf(verdict))
      }
      const denial = doors.refuseFirst(request, view)
      if (denial !== null) return refuse(refusalOf(denial))
      const answer = await (upgrades ? core.admit(view, isAnswering(request.socket, request)) : core.admitPolling(view))
      if (!answer.pass) return refuse(answer)
      admissions.keep(request, answer)
      // Whatever happens to it, its slots are given back.
      if (request.socket.destroyed) return admissions.giveUp(request)
      const end = upgrades ? request.socket : response
      end.once('close', () => admissions.giveUp(request))
      next()
    }
    decide().catch(() => next(new Error('SALLY_CONTROL_FAILED')))
  })
  io.engine.on('connection_error', failed => admissions.giveUp((failed as { readonly req: IncomingMessage }).req))
}

/** Why a request can be read in two ways; null if it cannot. */
function formOf({ method, headers }: EngineRequest, view: HandshakeRequest): Denial | null {
  if (/[^!-~]|#/.test(view.target)) return deny('SALLY_REQUEST_MALFORMED', { reason: 'characters' })
  if (!isCanonicalPath(view.path)) return deny('SALLY_REQUEST_MALFORMED', { reason: 'path' })
  const { query } = view
  const repeated = OWN_PARAMETERS.find(name => query.getAll(name).length > 1)
  if (repeated !== undefined) return deny('SALLY_REQUEST_MALFORMED', { reason: 'parameter', parameter: repeated })
  const dangerous = DANGEROUS.find(name => query.has(name))
  if (dangerous !== undefined) return deny('SALLY_REQUEST_MALFORMED', { reason: 'prototype', parameter: dangerous })
  if (query.has('j')) return deny('SALLY_REQUEST_MALFORMED', { reason: 'jsonp' })
  if (method !== 'GET' && method !== 'POST') {
    return deny('SALLY_REQUEST_MALFORMED', { reason: 'method', method: String(method).slice(0, 200) })
  }
  const encoding = headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity') return deny('SALLY_REQUEST_MALFORMED', { reason: 'encoding' })
  return null
}

/**
 * A request as the doors see it. Browsers leave the Origin out of a GET to the page's own server. Only there may it be
 * missing: if the browser says `same-origin`, it is the Origin of the server.
 */
function withOwnOrigin(view: HandshakeRequest, { headers }: IncomingMessage): HandshakeRequest {
  if (view.method !== 'GET' || headers.origin !== undefined || headers['sec-fetch-site'] !== 'same-origin') return view
  const own = [`${view.secure ? 'https' : 'http'}://${headers.host ?? ''}`]
  return Object.create(view, {
    lines: { value: (name: string) => (name === 'origin' ? own : view.lines(name)) },
    header: { value: (name: string) => (name === 'origin' ? own[0] : view.header(name)) },
  }) as HandshakeRequest
}
