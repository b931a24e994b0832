import type { ControlContext } from '../context.ts'
import { after } from '../../model/after.ts'
import type { Policy } from '../../model/policy.ts'
import { type Awaitable, type Denial, deny, PASS, type Verdict } from '../../model/verdict.ts'
import type { Session } from '../../model/session.ts'
import { networkKeys } from '../../store/address-key.ts'
import type { Budget, Taken } from '../../model/store.ts'
import { ticketFrom } from '../../request/carriers.ts'
import type { Attempt, Standing } from '../../model/attempt.ts'
import type { HandshakeControl } from './handshake-control.ts'
import { createRetryAfter } from './retry-after.ts'

type Rate = NonNullable<Policy['handshake']['rate']>

/** What larger networks may spend: an IPv6 address counts in its /64, and that in its /56 and its /48. */
const OF_NETWORK = [1, 2, 4] as const

/**
 * Says how much is known of whoever attempts, before any session look-up, and takes the attempt from the budget that this
 * has: of its address for those who show nothing, of its user for those who were accepted lately. It stands after the
 * Origin: a foreign page must not be able to spend the budget of the visitor whose address it borrows.
 */
export const rate: HandshakeControl = {
  id: 'handshake/rate',
  compile: (policy, parts) => compileRate(policy, parts, presentTicket(policy, parts)),
}

/** The same for a request for a ticket, which proves nothing by a ticket that it bears. */
export const rateOfTicketRequest: HandshakeControl = {
  id: 'handshake/rate',
  compile: (policy, parts) => compileRate(policy, parts, () => false),
}

/** The second step, once the session is known: of the users who were not known before it. */
export const rateOfUser: HandshakeControl = {
  id: 'handshake/rate',
  compile(policy, parts) {
    const charge = chargeUser(policy, parts)
    return charge === null ? null : ({ standing, session }) => charge(standing, session)
  },
}

/** Takes an attempt that was unproven from the budget of the user it turned out to be of; null where nothing is counted. */
export function chargeUser(
  policy: Policy,
  parts: ControlContext,
): ((standing: Standing, session: Session | null) => Awaitable<Verdict>) | null {
  const section = policy.handshake.rate
  if (section === null || policy.handshake.session === null) return null
  const takeOfUser = createTakeOfUser(section, parts, costOf(policy))
  return (standing, session) => (standing === 'unproven' && session !== null ? takeOfUser(session.user) : PASS)
}

function compileRate(
  policy: Policy,
  parts: ControlContext,
  presented: (attempt: Attempt) => Awaitable<boolean>,
): ReturnType<HandshakeControl['compile']> {
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
      // An unproven one waits for its look-up in a line of its own.
      return proof === null ? PASS : takeOfUser(proof.user)
    })
  }
  return attempt =>
    after(presented(attempt), isFirst => {
      if (!isFirst) return judgeCredential(attempt)
      // Paid for when it was issued: a ticket and its handshake are one attempt.
      attempt.standing = 'ticket'
      return PASS
    }) as Verdict | Promise<Verdict>
}

/** Whether the handshake bears a ticket that was issued here and is presented for the first time. */
function presentTicket(policy: Policy, { tickets }: ControlContext): (attempt: Attempt) => Awaitable<boolean> {
  const section = policy.handshake.ticket
  if (section === null || section.csrf !== null || section.carrier === 'first-message') return () => false
  return ({ request }) => {
    const token = ticketFrom(request, section)
    return typeof token === 'string' && tickets.present(token)
  }
}

/** A ticket that comes in the first message cannot be told from none before: it and its handshake pay one half each. */
function costOf({ handshake: { ticket } }: Policy): number {
  return ticket !== null && ticket.csrf === null && ticket.carrier === 'first-message' ? 0.5 : 1
}

function createTakeOfUser(
  { perUser }: Rate,
  { store, runtime }: ControlContext,
  cost: number,
): (user: string) => Awaitable<Verdict> {
  const retryAfter = createRetryAfter(runtime)
  return user => {
    const key = `handshake:user:${user}`
    return after(store.take(key, cost, perUser), taken =>
      taken.ok ? PASS : refused('of this user', retryAfter.of(key, taken, perUser, cost)),
    )
  }
}

function createTakeOfStranger(
  { perIp, total }: Rate,
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
      taken.ok ? PASS : refused('in all', retryAfter.of('', taken, total, cost)),
    )
  const takeFrom = (networks: readonly string[], level: number): Awaitable<Verdict> => {
    const network = networks[level]
    if (network === undefined) return takeTotal()
    const key = `handshake:ip:${network}`
    const budget = budgets[level]!
    return after<Taken, Verdict>(store.take(key, cost, budget), taken =>
      taken.ok ? takeFrom(networks, level + 1) : refused('from this address', retryAfter.of(key, taken, budget, cost)),
    )
  }
  return ip => takeFrom(networkKeys(ip), 0)
}

function refused(where: string, seconds: number): Denial {
  return deny('SALLY_HANDSHAKE_RATE', `too many handshakes ${where}`, seconds)
}
