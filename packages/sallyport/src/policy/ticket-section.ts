import { DEFAULTS } from '../model/defaults.ts'
import { openChild, readDanger, readFlag, refuse, refuseIdle } from '../shape/fields.ts'
import type { Fields } from '../shape/fields.ts'
import { readSecret } from '../shape/secret-value.ts'
import { readChoice, readDuration, readEach, readFunction } from '../shape/scalars.ts'
import { isEmptyList, isList, kindOf, show } from '../shape/shown.ts'
import type { Policy, TicketPolicy } from '../model/policy.ts'

const KEYS = [
  'secret',
  'ttl',
  'carrier',
  'parameter',
  'paths',
  'csrf',
  'dangerouslyWithoutTicket',
  'dangerouslyWithoutAddress',
]
const MOST_SECRETS = 16

/** Whether browsers attach the credential by themselves; `null` where there is no session: a ticket that is asked for all the same is bound to the address. */
export type Ambient = boolean | null

/** `handshake.ticket`: on where the session's credential is ambient; elsewhere where it is asked for. */
export function readTicket(handshake: Fields, ambient: Ambient): Policy['handshake']['ticket'] {
  const said = handshake.get('ticket') !== undefined
  const section = openChild(handshake, 'ticket', KEYS)
  const without =
    ambient === true
      ? readDanger(section, 'dangerouslyWithoutTicket', 'handshake/ticket')
      : readFlag(section, 'dangerouslyWithoutTicket', false)
  const csrf = readFunction<NonNullable<TicketPolicy['csrf']>>(section, 'csrf')
  const ticket: TicketPolicy = Object.freeze({
    secrets: readSecrets(section),
    ttlMs: readDuration(section, 'ttl', DEFAULTS.ticketTtlMs),
    carrier: readChoice(section, 'carrier', ['subprotocol', 'first-message', 'query'], 'subprotocol'),
    parameter: readParameter(section),
    paths: readEach(section, 'paths', "'/ws'", (value, at, index) => {
      if (typeof value === 'string' && /^\/[^?#\s\p{C}]*$/u.test(value)) return value
      refuse(
        at,
        index,
        typeof value === 'string' ? show(value.replace(/[?#].*$/s, '?…')) : kindOf(value),
        'not a path',
        "write a path that begins with a slash and has no query: '/ws'",
      )
      return null
    }),
    csrf,
  })
  readDanger(section, 'dangerouslyWithoutAddress', 'handshake/ticket')
  if (ticket.carrier !== 'query') refuseIdle(section, 'parameter', "handshake.ticket.carrier: 'query'")
  if (isEmptyList(section.get('paths'))) {
    refuse(
      section,
      'paths',
      'an empty list',
      'no ticket could be asked for',
      "write paths: ['/ws'], or leave it out for any path",
    )
  }
  if (without) return null
  return said || ambient === true ? ticket : null
}

function readSecrets(section: Fields): readonly string[] | null {
  const value = section.get('secret')
  if (value === undefined) return null
  if (!isList(value)) {
    const secret = readSecret(value, section, 'secret')
    return secret === null ? null : Object.freeze([secret])
  }
  // A variable that is unset is unsaid, here too: the secret before this one is not there for ever.
  const secrets = readEach(section, 'secret', 'process.env.TICKET_SECRET', (one, at, index) =>
    one === undefined ? null : readSecret(one, at, index),
  )
  if (isEmptyList(value) || isUnset(value))
    refuse(section, 'secret', kindOf(value), 'no secret', 'write one, or leave it out for a random one')
  if (secrets !== null && secrets.length > MOST_SECRETS)
    refuse(
      section,
      'secret',
      kindOf(value),
      `more than ${MOST_SECRETS} secrets`,
      'drop those that no live ticket was signed with',
    )
  return secrets
}

function isUnset(list: unknown): boolean {
  try {
    return Array.isArray(list) && list.length <= MOST_SECRETS && list.every(one => one === undefined)
  } catch {
    return false
  }
}

function readParameter(section: Fields): string {
  const value = section.get('parameter')
  if (value === undefined) return DEFAULTS.ticketParameter
  if (typeof value === 'string' && /^[\w.~-]{1,64}$/.test(value)) return value
  refuse(
    section,
    'parameter',
    show(value),
    'not the plain name of a query parameter',
    "write letters, digits, '-', '_': 'ticket'",
  )
  return DEFAULTS.ticketParameter
}
