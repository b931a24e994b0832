import { type Denial, deny, PASS, type Verdict } from '../policy/verdict.ts'
import type { Taken } from '../store/store.ts'
import { addressKey } from '../store/address-key.ts'
import type { HandshakeControl } from './handshake-control.ts'

/**
 * Attempts per address and in all, before any session look-up. It stands after the Origin: a foreign page must not
 * be able to spend the budget of the visitor whose address it borrows.
 */
export const rate: HandshakeControl = {
  id: 'handshake/rate',
  compile(policy, { store }) {
    const section = policy.handshake.rate
    if (section === null) return null
    const { perIp, total } = section
    const takeTotal = (): Verdict | Promise<Verdict> => {
      const taken = store.take('handshake:all', 1, total)
      return taken instanceof Promise ? taken.then(value => verdict(value, 'in all')) : verdict(taken, 'in all')
    }
    return ({ request }) => {
      const taken = store.take(`handshake:ip:${addressKey(request.ip)}`, 1, perIp)
      if (taken instanceof Promise) {
        return taken.then(value => (value.ok ? takeTotal() : refused(value, 'from this address')))
      }
      return taken.ok ? takeTotal() : refused(taken, 'from this address')
    }
  },
}

function verdict(taken: Taken, where: string): Verdict {
  return taken.ok ? PASS : refused(taken, where)
}

function refused(taken: Taken, where: string): Denial {
  const seconds = Math.max(1, Math.ceil(taken.retryAfterMs / 1000))
  return deny('SALLY_HANDSHAKE_RATE', `too many handshakes ${where}`, seconds)
}
