import { after } from '../../model/after.ts'
import { bearsSecret, hidden } from '../../shape/secret-text.ts'
import { type Awaitable, type Denial, deny, PASS, type Verdict } from '../../model/verdict.ts'
import { addressKey } from '../../store/address-key.ts'
import type { Attempt } from '../../model/attempt.ts'
import type { HandshakeControl } from './handshake-control.ts'

const SHOWN = 200
/** Refused Origins of an address, in attempts of `handshake.rate.perIp`: a page that dials without pause is told to wait. */
const FOREIGN_FACTOR = 10

/**
 * The Origin is, byte for byte, one of the list (seed: exact match only; RFC 6455 §10.2, ASVS 4.4.2). No parsing: a
 * browser serialises it (RFC 6454 §6.2), so anything that would first have to be read is not one of ours.
 */
export const origin: HandshakeControl = {
  id: 'handshake/origin',
  compile(policy, { foreign }) {
    const section = policy.handshake.origin
    if (section === null) {
      return attempt => {
        const lines = attempt.request.lines('origin')
        attempt.origin = lines.length === 1 ? lines[0]! : null
        return PASS
      }
    }
    // The policy's own text is kept, not a part of the request that keeps the rest of it.
    const allowed = new Map(section.allow.map(value => [value, value]))
    const judge = (attempt: Attempt): Verdict => {
      const lines = attempt.request.lines('origin')
      if (lines.length === 0) {
        return section.allowMissing
          ? PASS
          : deny('SALLY_ORIGIN_MISSING', 'no Origin header: not a browser, or one was stripped')
      }
      const [value] = lines
      if (lines.length > 1) return deny('SALLY_ORIGIN_NOT_ALLOWED', 'the Origin header is repeated')
      attempt.origin = allowed.get(value!) ?? value!
      if (!allowed.has(value!)) {
        return deny('SALLY_ORIGIN_NOT_ALLOWED', `Origin ${shown(value!)} is not in the list`)
      }
      return PASS
    }
    const { rate } = policy.handshake
    if (rate === null) return judge
    const { amount, perMs, burst } = rate.perIp
    const budget = { amount: amount * FOREIGN_FACTOR, perMs, burst: burst * FOREIGN_FACTOR }
    /** Nothing else draws on this: the visitor of a foreign page keeps the budgets that the page cannot reach. */
    const charge = ({ request }: Attempt, denial: Denial): Awaitable<Verdict> =>
      after(foreign.take(addressKey(request.ip), 1, budget), taken =>
        taken.ok
          ? denial
          : deny('SALLY_HANDSHAKE_RATE', 'too many refused Origins from this address', 1 + Math.random() * 9),
      )
    return attempt => {
      const verdict = judge(attempt)
      return verdict.pass ? verdict : charge(attempt, verdict)
    }
  },
}

/** For the operator; an Origin that bears a password is no browser's, and may be somebody's own URL. */
function shown(value: string): string {
  const cut = value.slice(0, SHOWN)
  return bearsSecret(cut) ? hidden(value) : JSON.stringify(cut)
}
