import type { ControlContext } from '../context.ts'
import { after } from '../../model/after.ts'
import { type Awaitable, type Denial, PASS, type Verdict } from '../../model/verdict.ts'
import type { Session } from '../../model/session.ts'
import { networkKeys } from '../../store/address-key.ts'
import type { Budget, Taken } from '../../model/store.ts'
import { ticketFrom, type TicketCarriage } from '../../request/carriers.ts'
import type { Attempt, Standing } from '../../model/attempt.ts'
import { budget, OFF } from '../../shape/kinds.ts'
import { type InputOf, key, openSection } from '../../shape/shape.ts'
import { budgetInWords } from '../../shape/words.ts'
import { defineControl, denying, off, on } from '../definition.ts'
import type { HandshakeCheck, HandshakeOf } from './handshake-control.ts'
import { createRetryAfter } from './retry-after.ts'

/** `handshake.rate` of a parsed policy: attempts per time. */
export interface RateSection {
  readonly perIp: Budget
  readonly perUser: Budget
  readonly total: Budget
}

const perMinute = (amount: number, burst: number): Budget => Object.freeze({ amount, perMs: 60_000, burst })
const PER_IP = perMinute(100, 100)
const PER_USER = perMinute(60, 40)
const TOTAL = perMinute(30_000, 30_000)

const KEYS = {
  perIp: key(
    budget('attempts'),
    PER_IP,
    'Attempts without a credential of one address; refused ones count. A /56 of IPv6 has twice, a /48 four times as much.',
    {
      because:
        'as many as visitors of a public endpoint may hold connections, so that all of them are back at once after a deploy',
    },
  ),
  perUser: key(budget('attempts'), PER_USER, 'Attempts of one user; a ticket and its handshake are one.', {
    because:
      'a user on 30 screens is back at once after a deploy, with ten to spare; later one attempt a second is far above any back-off',
  }),
  total: key(
    budget('attempts'),
    TOTAL,
    'Attempts of strangers in all: without a credential in the cluster, with an unknown one look-ups of each node. Known users draw on none of it.',
    { because: '500 a second: less than what the 64 look-ups at once of a store that needs 20 ms allow' },
  ),
  dangerouslyOff: OFF,
}
export type RateOfHandshakesInput = InputOf<typeof KEYS>

const DENIALS = {
  SALLY_HANDSHAKE_RATE: {
    action: 'refuse',
    http: 429,
    level: 'warn',
    event: 'excess_rate_limit_exceeded',
    requirements: ['S9', 'WS-18', 'WS-28'],
    means: 'too many attempts of this user, or of strangers from this address or in all',
    remedy:
      'Raise `handshake.rate`. Behind a proxy, name it in `proxy.trust`, so that clients have their own addresses. Let a resolver of your own say what it `reads`.',
    tells: {
      user: 'too many handshakes of this user',
      address: 'too many handshakes from this address',
      all: 'too many handshakes in all',
      origins: 'too many refused Origins from this address',
      late: 'the session look-up waited for too long',
      full: 'the session look-up found no place to wait',
      abandoned: 'the session look-up was given up',
      'at-once': 'more than {most} requests of one Socket.IO session at once',
      requests: 'too many requests of one Socket.IO session or user',
    },
  },
} as const
const deny = denying(DENIALS)

/** The part of a policy that decides how attempts are counted. */
type RatePolicy = HandshakeOf<{
  rate: RateSection | null
  session: object | null
  ticket: TicketCarriage | null
}>

/**
 * The budgets of larger networks, as multiples. An IPv6 address counts for its /64, and that network for its /56 and
 * its /48.
 */
const OF_NETWORK = [1, 2, 4] as const

/**
 * Decides what is known of an attempt before any session look-up, and charges the matching budget: that of the address
 * for an attempt without a known credential, that of the user for one with a recently accepted credential. It runs
 * after the Origin check, so that a foreign page cannot spend the budget of a visitor's address.
 */
export const rate = defineControl({
  id: 'handshake/rate',
  denies:
    'the attempts of a user, or of strangers from one address (IPv6: /64, /56 and /48) or in all, exceed their budget; an unknown credential waits for its look-up',
  default: `per user ${budgetInWords(PER_USER, 'attempts')}; strangers per IP ${budgetInWords(PER_IP, 'attempts')}; strangers in all ${budgetInWords(TOTAL, 'attempts')}`,
  meets: ['ASVS-4.1.3'],
  keys: KEYS,
  example: "rate: { perUser: { attempts: 60, per: '1 minute' } }",
  denials: DENIALS,
  read(handshake): RateSection | null {
    const section = openSection(handshake, { id: 'handshake/rate', keys: KEYS })
    const isOff = section.isWeakened('dangerouslyOff')
    const perIp = section.value('perIp')
    const perUser = section.value('perUser')
    const total = section.value('total')
    return isOff ? null : Object.freeze({ perIp, perUser, total })
  },
  effective: section =>
    section === null
      ? off('no bound')
      : on(
          `per user ${budgetInWords(section.perUser, 'attempts')}; strangers per IP ${budgetInWords(section.perIp, 'attempts')}; strangers in all ${budgetInWords(section.total, 'attempts')}`,
        ),
  compile: (policy: RatePolicy, parts: ControlContext): HandshakeCheck | null =>
    compileRate(policy, parts, presentTicket(policy, parts)),
})

/** The same for a ticket request. A ticket inside it proves nothing. */
export const rateOfTicketRequest = {
  id: 'handshake/rate',
  compile: (policy: RatePolicy, parts: ControlContext): HandshakeCheck | null =>
    compileRate(policy, parts, () => false),
} as const

/** The second step, when the session is known: charges the users who were not known before. */
export const rateOfUser = {
  id: 'handshake/rate',
  compile(policy: RatePolicy, parts: ControlContext): HandshakeCheck | null {
    const charge = chargeUser(policy, parts)
    return charge === null ? null : ({ standing, session }) => charge(standing, session)
  },
} as const

/** Charges an unproven attempt to the user that its look-up found. Null if nothing is counted. */
export function chargeUser(
  policy: RatePolicy,
  parts: ControlContext,
): ((standing: Standing, session: Session | null) => Awaitable<Verdict>) | null {
  const section = policy.handshake.rate
  if (section === null || policy.handshake.session === null) return null
  const takeOfUser = createTakeOfUser(section, parts, costOf(policy))
  return (standing, session) => (standing === 'unproven' && session !== null ? takeOfUser(session.user) : PASS)
}

function compileRate(
  policy: RatePolicy,
  parts: ControlContext,
  presented: (attempt: Attempt) => Awaitable<boolean>,
): HandshakeCheck | null {
  const section = policy.handshake.rate
  if (section === null) return null
  const cost = costOf(policy)
  const takeOfUser = createTakeOfUser(section, parts, cost)
  const takeOfStranger = createTakeOfStranger(section, parts, cost)
  const isAnonymous = policy.handshake.session === null

  const judgeCredential = (attempt: Attempt): Awaitable<Verdict> => {
    const credential = isAnonymous ? null : parts.proofs.credentialOf(attempt.request)
    attempt.credential = credential
    if (credential === null) {
      attempt.standing = 'bare'
      return takeOfStranger(attempt.request.ip)
    }
    return after(parts.proofs.recall(credential), proof => {
      attempt.standing = proof === null ? 'unproven' : 'proven'
      // An unproven attempt waits for its look-up in the queue of strangers.
      return proof === null ? PASS : takeOfUser(proof.user)
    })
  }
  return attempt =>
    after(presented(attempt), isFirst => {
      if (!isFirst) return judgeCredential(attempt)
      // The attempt was charged when the ticket was issued: a ticket and its handshake are one attempt.
      attempt.standing = 'ticket'
      return PASS
    }) as Verdict | Promise<Verdict>
}

/** Whether the handshake contains a ticket that was issued here and is presented for the first time. */
function presentTicket(policy: RatePolicy, { tickets }: ControlContext): (attempt: Attempt) => Awaitable<boolean> {
  const section = policy.handshake.ticket
  if (section === null || section.csrf !== null || section.carrier === 'first-message') return () => false
  return ({ request }) => {
    const token = ticketFrom(request, section)
    return typeof token === 'string' && tickets.present(token)
  }
}

/**
 * A handshake that will send its ticket in the first message looks like one without a ticket. So the ticket request and
 * the handshake cost one half each.
 */
function costOf({ handshake: { ticket } }: RatePolicy): number {
  return ticket !== null && ticket.csrf === null && ticket.carrier === 'first-message' ? 0.5 : 1
}

function createTakeOfUser(
  { perUser }: RateSection,
  { store, runtime }: ControlContext,
  cost: number,
): (user: string) => Awaitable<Verdict> {
  const retryAfter = createRetryAfter(runtime)
  return user => {
    const key = `handshake:user:${user}`
    return after(store.take(key, cost, perUser), taken =>
      taken.ok ? PASS : refused('user', retryAfter.of(key, taken, perUser, cost)),
    )
  }
}

function createTakeOfStranger(
  { perIp, total }: RateSection,
  { store, runtime }: ControlContext,
  cost: number,
): (ip: string) => Awaitable<Verdict> {
  const retryAfter = createRetryAfter(runtime)
  const budgets: readonly Budget[] = OF_NETWORK.map(factor => ({
    amount: perIp.amount * factor,
    perMs: perIp.perMs,
    burst: perIp.burst * factor,
  }))
  const takeTotal = (): Awaitable<Verdict> =>
    after(store.take('handshake:all', cost, total), taken =>
      taken.ok ? PASS : refused('all', retryAfter.of('', taken, total, cost)),
    )
  const takeFrom = (networks: readonly string[], level: number): Awaitable<Verdict> => {
    const network = networks[level]
    if (network === undefined) return takeTotal()
    const key = `handshake:ip:${network}`
    const spent = budgets[level]!
    return after<Taken, Verdict>(store.take(key, cost, spent), taken =>
      taken.ok ? takeFrom(networks, level + 1) : refused('address', retryAfter.of(key, taken, spent, cost)),
    )
  }
  return ip => takeFrom(networkKeys(ip), 0)
}

function refused(reason: 'user' | 'address' | 'all', seconds: number): Denial {
  return deny('SALLY_HANDSHAKE_RATE', { reason }, seconds)
}
