import type { ControlContext } from '../context.ts'
import type { Policy, TicketPolicy } from '../../model/policy.ts'
import { type Awaitable, deny, PASS, type Verdict } from '../../model/verdict.ts'
import type { Session } from '../../model/session.ts'
import { ticketFrom, ticketFromFirstMessage } from '../../request/carriers.ts'
import type { TicketBinding } from '../../model/tickets.ts'
import type { Attempt } from '../../model/attempt.ts'
import type { HandshakeControl } from './handshake-control.ts'
import { addressSession } from './session.ts'

/**
 * A token that no other site can know (seed: CSRF token in the handshake): a ticket for this session, origin and path,
 * or the app's own CSRF token. In first-message mode it is deferred to `redeemFirstMessage`.
 */
export const ticket: HandshakeControl = {
  id: 'handshake/ticket',
  compile(policy, parts) {
    const section = policy.handshake.ticket
    if (section === null) return null
    if (section.carrier === 'first-message') {
      return attempt => {
        attempt.ticket = 'deferred'
        return PASS
      }
    }
    return attempt => {
      const token = ticketFrom(attempt.request, section)
      return typeof token === 'string' ? redeem(policy, section, parts, attempt, token) : token
    }
  },
}

/**
 * Judges the first message of a connection whose ticket is `deferred`; on a pass `attempt.ticket` is `verified`. What is
 * not `{"type":"auth","csrfToken":"…"}` is SALLY_AUTHENTICATION_FIRST. May throw or reject where `csrf` does.
 */
export function redeemFirstMessage(
  text: string,
  policy: Policy,
  parts: Pick<ControlContext, 'tickets'>,
  attempt: Attempt,
): Awaitable<Verdict> {
  const section = policy.handshake.ticket
  if (section === null || attempt.ticket !== 'deferred') {
    return deny('SALLY_AUTHENTICATION_FIRST', 'an authentication message on a connection that waits for none')
  }
  const token = ticketFromFirstMessage(text)
  if (token === null) {
    return deny('SALLY_AUTHENTICATION_FIRST', 'the first message is not {"type":"auth","csrfToken":"…"}')
  }
  return redeem(policy, section, parts, attempt, token)
}

/** What the ticket of a handshake must be bound to; a client without an Origin, where allowed, is bound to `''`. */
export function bindingOf(session: Session, origin: string | null, path: string): TicketBinding {
  return { session, origin: origin ?? '', path }
}

function redeem(
  policy: Policy,
  section: TicketPolicy,
  parts: Pick<ControlContext, 'tickets'>,
  attempt: Attempt,
  token: string,
): Awaitable<Verdict> {
  if (attempt.session === null)
    return deny('SALLY_TICKET_INVALID', 'there is no session that the ticket could be bound to')
  const verified = (verdict: Verdict): Verdict => {
    if (verdict.pass) attempt.ticket = 'verified'
    return verdict
  }
  if (section.csrf !== null) {
    const answer: unknown = section.csrf(token, attempt.request)
    return answer instanceof Promise ? answer.then(csrfVerdict).then(verified) : verified(csrfVerdict(answer))
  }
  // An anonymous connection has an id of its own, which no ticket could have been issued for.
  const session = policy.handshake.session === null ? addressSession(attempt.request) : attempt.session
  const verdict = parts.tickets.redeem(token, bindingOf(session, attempt.origin, attempt.request.path))
  return verdict instanceof Promise ? verdict.then(verified) : verified(verdict)
}

const csrfVerdict = (answer: unknown): Verdict =>
  answer === true ? PASS : deny('SALLY_CSRF_INVALID', 'handshake.ticket.csrf did not answer true')
