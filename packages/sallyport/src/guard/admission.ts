import { end } from '../connection/ending.ts'
import { LiveConnection } from '../connection/live-connection.ts'
import type { Delivery } from '../connection/services.ts'
import type { Services } from '../connection/state.ts'
import type { Transport } from '../connection/transport.ts'
import type { Door } from '../controls/run.ts'
import { type Attempt, newAttempt } from '../model/attempt.ts'
import type { HandshakeRequest } from '../model/handshake-request.ts'
import type { Session } from '../model/session.ts'
import { type Awaitable, type ControlId, type Denial, deny, type Verdict } from '../model/verdict.ts'
import { createAttemptId } from './attempt-id.ts'
import type { Doors } from './doors.ts'
import { LATE_MARGIN_MS } from './entering.ts'
import { type GuardState, isEnforced } from './guard-state.ts'
import { type Refusal, refusalOf } from './refusal.ts'
import { REVOKED } from './revocation.ts'
import { releaseAttempt } from './slots.ts'
import type { TicketAdmission } from './ticket-endpoint.ts'

/** A handshake that passed the door. It is opened on a transport, or given up. */
export interface Admission {
  readonly pass: true
  readonly attempt: Attempt & { readonly session: Session }
}

/** The answer of the handshake door. */
export type Admittance = Admission | (Refusal & { readonly pass: false })

/**
 * The margin for late news covers handshakes up to this duration, in ms. For longer ones the connection records its
 * start.
 */
const SHORT_HANDSHAKE_MS = LATE_MARGIN_MS - 1000

/** Runs a handshake through its door. The result is synchronous if every control answered synchronously. */
export function admit(
  guard: GuardState,
  doors: Doors,
  request: HandshakeRequest,
  early: boolean,
): Admittance | Promise<Admittance> {
  const attempt = attemptOf(guard, request)
  if (guard.draining !== null) return refuseDraining(guard, attempt)
  if (early) {
    const denial = deny('SALLY_REQUEST_MALFORMED', { reason: 'early' })
    const enforced = isEnforced(guard, 'handshake/request')
    guard.observer.deniedAttempt('handshake/request', denial, enforced, attempt)
    if (enforced) return refuse(guard, attempt, denial)
  }
  return ask(guard, doors.handshake, attempt)
}

/** Like `admit`, for the first request of a session that polls. */
export function admitPolling(
  guard: GuardState,
  doors: Doors,
  request: HandshakeRequest,
): Admittance | Promise<Admittance> {
  const attempt = attemptOf(guard, request)
  if (guard.draining !== null) return refuseDraining(guard, attempt)
  return ask(guard, doors.polling, attempt)
}

/** Runs the door that a ticket request must pass before its session is looked up. */
export function admitTicketRequest(
  guard: GuardState,
  doors: Doors,
  request: HandshakeRequest,
): Awaitable<Denial | TicketAdmission> {
  if (guard.draining !== null) return deny('SALLY_SHUTDOWN', {}, 1)
  const attempt = attemptOf(guard, request)
  const answer = (verdict: Verdict): Denial | TicketAdmission => (verdict.pass ? attempt : verdict)
  const verdict = doors.ticket(attempt)
  return verdict instanceof Promise ? verdict.then(answer) : answer(verdict)
}

function ask(guard: GuardState, door: Door<Attempt, void>, attempt: Attempt): Admittance | Promise<Admittance> {
  guard.entering.begin(attempt, guard.runtime.now())
  const verdict = door(attempt)
  return verdict instanceof Promise
    ? verdict.then(later => conclude(guard, attempt, later))
    : conclude(guard, attempt, verdict)
}

function conclude(guard: GuardState, attempt: Attempt, verdict: Verdict): Admittance {
  guard.context.halfOpen.leave(attempt)
  if (!verdict.pass) return refuse(guard, attempt, verdict)
  if (guard.draining !== null) return refuseDraining(guard, attempt)
  // Only in report mode an attempt without a session comes here. Its session then stands for no particular user.
  if (attempt.session === null) {
    attempt.session = { id: attempt.id, user: `ip:${attempt.request.ip}` }
    guard.standIns.add(attempt)
  }
  if (guard.entering.isRevoked(attempt)) {
    const denial = deny('SALLY_SESSION_REVOKED', { reason: 'meanwhile' })
    return refuseLate(guard, attempt, 'handshake/session', denial)
  }
  return { pass: true, attempt: attempt as Admission['attempt'] }
}

function refuse(guard: GuardState, attempt: Attempt, denial: Denial): Admittance {
  releaseAttempt(guard, attempt)
  return { pass: false, ...refusalOf(denial) }
}

/** Refuses an attempt because of a change before or during the run of the door. */
function refuseLate(guard: GuardState, attempt: Attempt, control: ControlId, denial: Denial): Admittance {
  guard.observer.deniedAttempt(control, denial, true, attempt)
  return refuse(guard, attempt, denial)
}

function refuseDraining(guard: GuardState, attempt: Attempt): Admittance {
  return refuseLate(guard, attempt, 'lifetime/shutdown', deny('SALLY_SHUTDOWN', {}, 1))
}

/** Opens an admitted handshake on a transport. */
export function open(
  guard: GuardState,
  services: Services,
  { attempt }: Admission,
  transport: Transport,
  delivery: Delivery,
): LiveConnection {
  const { entering } = guard
  const isRevoked = entering.isRevoked(attempt)
  const enteredAt = entering.beganAt(attempt)
  entering.leave(attempt)
  const connection = new LiveConnection(services, attempt, transport, delivery)
  if (enteredAt !== 0 && connection.openedAt - enteredAt > SHORT_HANDSHAKE_MS) {
    connection.ownRare().enteredAt = enteredAt
  }
  if (guard.draining !== null) connection.leaveAt = guard.runtime.now()
  guard.live.add(connection)
  guard.keeper.touch(connection)
  guard.observer.opened(connection)
  if (isRevoked) end(connection, { kind: 'denied', denial: REVOKED })
  return connection
}

function attemptOf({ runtime }: GuardState, request: HandshakeRequest): Attempt {
  return newAttempt(createAttemptId(runtime), request)
}
