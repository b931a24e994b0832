import type { ControlContext } from '../context.ts'
import { type Awaitable, deny as denyAny, PASS, type Verdict } from '../../model/verdict.ts'
import type { Session, SessionResolver } from '../../model/session.ts'
import { ticketFrom, ticketFromFirstMessage } from '../../request/carriers.ts'
import type { Carrier, TicketBinding } from '../../model/tickets.ts'
import type { Attempt } from '../../model/attempt.ts'
import type { HandshakeRequest } from '../../model/handshake-request.ts'
import { type Fields, readFlag, refuse, refuseIdle } from '../../shape/fields.ts'
import { choice, danger, duration, list, rule } from '../../shape/kinds.ts'
import { type InputOf, key, openSection, type Shape } from '../../shape/shape.ts'
import { isEmptyList, kindOf, show } from '../../shape/shown.ts'
import { durationInWords } from '../../shape/words.ts'
import { defineControl, denying, off, on, unneeded } from '../definition.ts'
import type { HandshakeCheck, HandshakeOf } from './handshake-control.ts'
import { addressSession } from './resolve-session.ts'
import { ambientOf } from './resolver-value.ts'
import { session as sessionControl } from './session.ts'
import { secrets } from './ticket-secrets.ts'

/** `handshake.ticket` of a parsed policy. */
export interface TicketSection {
  readonly secrets: readonly string[] | null
  readonly ttlMs: number
  readonly carrier: Carrier
  readonly parameter: string
  readonly paths: readonly string[] | null
  readonly csrf: CsrfRule | null
}

/** Verifies the app's own CSRF token. */
type CsrfRule = (token: string, request: HandshakeRequest) => Awaitable<boolean>

const TTL_MS = 30_000
const PARAMETER = 'ticket'

const parameter: Shape<string, string> = {
  type: 'string',
  schema: { type: 'string' },
  read(fields, name, fallback) {
    const value = fields.get(name)
    if (value === undefined) return fallback
    if (typeof value === 'string' && /^[\w.~-]{1,64}$/.test(value)) return value
    const remedy = "write letters, digits, '-', '_': 'ticket'"
    refuse(fields, name, show(value), 'not the plain name of a query parameter', remedy)
    return fallback
  },
  words: name => `'${name}'`,
}

const KEYS = {
  secret: key(
    secrets,
    null,
    'HMAC keys of 32 bytes or more, newest first; older ones still verify. Share them between nodes.',
    { secret: true },
  ),
  ttl: key(duration(), TTL_MS, 'How long a ticket is valid.', {
    because: 'from the ticket endpoint to the handshake is one round trip; 30 s forgives a slow radio and little else',
  }),
  carrier: key(choice('subprotocol', 'first-message', 'query'), 'subprotocol', 'How it travels; never in a cookie.'),
  parameter: key(parameter, PARAMETER, "Name of the query parameter, with `carrier: 'query'`."),
  paths: key(list<string>("'/ws'", readPath), null, 'Paths that a ticket may be asked for.', { shown: 'any' }),
  csrf: key(
    rule<CsrfRule>('(token, request) => boolean'),
    null,
    "Verifies the app's own CSRF token instead of a ticket.",
  ),
  dangerouslyWithoutAddress: danger(
    '`guard.ticket(request)` may be called without `{ ip }`: all who ask share the limits of one address.',
  ),
  dangerouslyWithoutTicket: danger('Relies on the Origin alone although the session is a cookie.'),
}
export type TicketInput = InputOf<typeof KEYS>

const DENIALS = {
  SALLY_TICKET_MISSING: {
    action: 'refuse',
    http: 403,
    level: 'warn',
    event: 'malicious_csrf',
    requirements: ['S2', 'WS-8', 'ASVS-4.4.4'],
    means: 'the handshake has no ticket',
    remedy: 'Fetch one from the ticket endpoint and offer it by the configured carrier; `sallyport/client` does.',
    tells: 'the handshake has no ticket by {carrier}',
  },
  SALLY_TICKET_INVALID: {
    action: 'refuse',
    http: 403,
    level: 'warn',
    event: 'malicious_csrf',
    requirements: ['S2', 'WS-8', 'ASVS-9.1.1'],
    means: 'the ticket was not issued here for this session, Origin and path',
    remedy:
      'Fetch the ticket in the page that connects, for the path it connects to; share `handshake.ticket.secret` between nodes.',
    tells: {
      repeated: 'the handshake has {tickets} tickets',
      characters: 'the ticket is not of 1 to {most} well-formed characters',
      'no-session': 'there is no session that the ticket could be bound to',
      version: 'the ticket is of another version',
      form: 'the ticket is not of the form of a ticket',
      future: 'the ticket expires later than any that is issued now',
      foreign: 'the ticket was not issued here for this session, origin and path',
    },
  },
  SALLY_TICKET_EXPIRED: {
    action: 'refuse',
    http: 403,
    level: 'info',
    event: 'session_use_after_expire',
    requirements: ['S2', 'WS-8', 'ASVS-9.2.1'],
    means: 'the ticket is past its expiry',
    remedy: 'Fetch a ticket right before connecting; check the clocks of the nodes.',
    tells: 'the ticket expired {agoMs} ms ago',
  },
  SALLY_TICKET_USED: {
    action: 'refuse',
    http: 403,
    level: 'critical',
    event: 'authn_token_reuse',
    requirements: ['S2', 'WS-8', 'ASVS-7.2.4'],
    means: 'the ticket was already used',
    remedy: 'Fetch a new ticket for every connection. Seen without a client bug: somebody replays.',
    tells: 'the ticket was redeemed before',
  },
  SALLY_TICKET_REVOKED: {
    action: 'refuse',
    http: 403,
    level: 'warn',
    event: 'authn_token_revoked',
    requirements: ['S2', 'WS-12', 'ASVS-7.4.1'],
    means: 'the ticket was issued before its session or user was revoked',
    remedy: 'The user must sign in again.',
    tells: 'the ticket is older than the revocation of its session or user',
  },
  SALLY_CSRF_INVALID: {
    action: 'refuse',
    http: 403,
    level: 'warn',
    event: 'malicious_csrf',
    requirements: ['S2', 'WS-8'],
    means: "the app's own CSRF token did not verify",
    remedy: 'Send the token of the page that connects; see `handshake.ticket.csrf`.',
    tells: 'handshake.ticket.csrf did not answer true',
  },
} as const
const deny = denying(DENIALS)

/** What of a policy says how a ticket is redeemed. */
type TicketPolicy = HandshakeOf<{ ticket: TicketSection | null; session: SessionResolver | null }>

/**
 * Requires a token that no other site can know (seed: CSRF token in the handshake): a ticket for this session, origin
 * and path, or the app's own CSRF token. In first-message mode `redeemFirstMessage` checks it later.
 */
export const ticket = defineControl({
  id: 'handshake/ticket',
  denies: 'there is no valid, unused ticket for this session, origin and path',
  default: `on with cookie sessions; ${durationInWords(TTL_MS)}, single use, in Sec-WebSocket-Protocol`,
  meets: [
    'S3',
    'S11',
    'S15',
    'WS-13',
    'WS-14',
    'WS-30',
    'ASVS-4.4.3',
    'ASVS-7.2.1',
    'ASVS-7.2.2',
    'ASVS-7.2.3',
    'ASVS-9.1.1',
    'ASVS-9.1.2',
    'ASVS-9.2.2',
    'ASVS-9.2.3',
    'ASVS-9.2.4',
    'ASVS-14.2.1',
  ],
  keys: KEYS,
  example: 'ticket: { secret: process.env.TICKET_SECRET }',
  denials: DENIALS,
  /**
   * It is on if the session's credential is ambient, and if the policy asks for it. On a public endpoint the ticket is
   * bound to the address.
   */
  read(handshake, earlier): TicketSection | null {
    const ambient = ambientOf(handshake, earlier.sectionOf(sessionControl))
    const isSaid = handshake.get('ticket') !== undefined
    const section = openSection(handshake, { id: 'handshake/ticket', keys: KEYS })
    const isWithout =
      ambient === true
        ? section.isWeakened('dangerouslyWithoutTicket')
        : readFlag(section.fields, 'dangerouslyWithoutTicket', false)
    const csrf = section.value('csrf')
    const read: TicketSection = Object.freeze({
      secrets: section.value('secret'),
      ttlMs: section.value('ttl'),
      carrier: section.value('carrier'),
      parameter: section.value('parameter'),
      paths: section.value('paths'),
      csrf,
    })
    section.isWeakened('dangerouslyWithoutAddress')
    if (read.carrier !== 'query') refuseIdle(section.fields, 'parameter', "handshake.ticket.carrier: 'query'")
    if (isEmptyList(section.said('paths'))) {
      const remedy = "write paths: ['/ws'], or leave it out for any path"
      section.refuse('paths', 'an empty list', 'no ticket could be asked for', remedy)
    }
    if (isWithout) return null
    return isSaid || ambient === true ? read : null
  },
  effective(section, { handshake }: HandshakeOf<{ session: SessionResolver | null }>) {
    if (section !== null) return on(`${inWords(section)}, in ${carrierInWords(section)}`)
    if (handshake.session === null) return unneeded('no session to bind one to')
    return handshake.session.ambient === false
      ? unneeded('not needed: browsers attach nothing by themselves')
      : off('the Origin alone is relied on')
  },
  compile(policy: TicketPolicy, parts: ControlContext): HandshakeCheck | null {
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
})

/**
 * Judges the first message of a connection whose ticket is `deferred`. On a pass it sets `attempt.ticket` to
 * `verified`. A message that is not `{"type":"auth","csrfToken":"…"}` gives SALLY_AUTHENTICATION_FIRST. It throws or
 * rejects if `csrf` does.
 */
export function redeemFirstMessage(
  text: string,
  policy: TicketPolicy,
  parts: Pick<ControlContext, 'tickets'>,
  attempt: Attempt,
): Awaitable<Verdict> {
  const section = policy.handshake.ticket
  if (section === null || attempt.ticket !== 'deferred') {
    return denyAny('SALLY_AUTHENTICATION_FIRST', { reason: 'not-awaited' })
  }
  const token = ticketFromFirstMessage(text)
  if (token === null) {
    return denyAny('SALLY_AUTHENTICATION_FIRST', { reason: 'form', form: '{"type":"auth","csrfToken":"…"}' })
  }
  return redeem(policy, section, parts, attempt, token)
}

/** The binding that the ticket of a handshake must have. A client without an Origin, if allowed, is bound to `''`. */
export function bindingOf(session: Session, origin: string | null, path: string): TicketBinding {
  return { session, origin: origin ?? '', path }
}

function redeem(
  policy: TicketPolicy,
  section: TicketSection,
  parts: Pick<ControlContext, 'tickets'>,
  attempt: Attempt,
  token: string,
): Awaitable<Verdict> {
  if (attempt.session === null) return deny('SALLY_TICKET_INVALID', { reason: 'no-session' })
  const verified = (verdict: Verdict): Verdict => {
    if (verdict.pass) attempt.ticket = 'verified'
    return verdict
  }
  if (section.csrf !== null) {
    const answer: unknown = section.csrf(token, attempt.request)
    return answer instanceof Promise ? answer.then(csrfVerdict).then(verified) : verified(csrfVerdict(answer))
  }
  // An anonymous connection has its own id, and no ticket can have been issued for that id. So the address is used.
  const session = policy.handshake.session === null ? addressSession(attempt.request) : attempt.session
  const verdict = parts.tickets.redeem(token, bindingOf(session, attempt.origin, attempt.request.path))
  return verdict instanceof Promise ? verdict.then(verified) : verified(verdict)
}

const csrfVerdict = (answer: unknown): Verdict => (answer === true ? PASS : deny('SALLY_CSRF_INVALID'))

/** One path of `paths`. Null after a problem was reported. */
function readPath(value: unknown, at: Fields, index: number): string | null {
  if (typeof value === 'string' && /^\/[^?#\s\p{C}]*$/u.test(value)) return value
  const shown = typeof value === 'string' ? show(value.replace(/[?#].*$/s, '?…')) : kindOf(value)
  refuse(at, index, shown, 'not a path', "write a path that begins with a slash and has no query: '/ws'")
  return null
}

function inWords({ csrf, ttlMs, secrets: keys }: TicketSection): string {
  if (csrf !== null) return "the app's CSRF token"
  const held = keys === null ? 'random secret' : `${keys.length} secret${keys.length === 1 ? '' : 's'}`
  return `single use, ${durationInWords(ttlMs)}, ${held}`
}

function carrierInWords({ carrier, parameter: name }: TicketSection): string {
  return carrier === 'query' ? `?${name}=` : carrier
}
