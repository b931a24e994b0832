import type { Parts } from '../guard/parts.ts'
import { type Denial, deny, PASS, type Verdict } from '../policy/verdict.ts'
import type { Attempt, Lease } from './attempt.ts'
import { LEASE_TTL_MS } from '../store/lease-time.ts'
import { addressKey } from '../store/address-key.ts'
import type { HandshakeControl } from './handshake-control.ts'

/** Live connections in all and per address, before the session is looked up. */
export const connections: HandshakeControl = {
  id: 'handshake/connections',
  compile(policy, parts) {
    const section = policy.handshake.connections
    if (section === null) return null
    const full = deny('SALLY_CONNECTIONS_FULL', `${section.total} connections are open`, 10)
    const crowded = deny('SALLY_CONNECTIONS_IP', `${section.perIp} connections are open from this address`, 10)
    // Its key is the same for all of them, and so is the record of it.
    const all: Lease = { key: 'connections:all', cap: section.total }
    return attempt =>
      chain(take(parts, attempt, all, full), () =>
        take(parts, attempt, { key: `connections:ip:${addressKey(attempt.request.ip)}`, cap: section.perIp }, crowded),
      )
  },
}

/** Live connections of the user: the same control's second step, once the session is known. */
export const connectionsOfUser: HandshakeControl = {
  id: 'handshake/connections',
  compile(policy, parts) {
    const section = policy.handshake.connections
    // An anonymous user is an address, which is counted already, and to its own cap.
    if (section === null || policy.handshake.session === null) return null
    const most = deny('SALLY_CONNECTIONS_USER', `${section.perUser} connections of this user are open`, 10)
    return attempt => {
      const user = attempt.session?.user
      return user === undefined
        ? PASS
        : take(parts, attempt, { key: `connections:user:${user}`, cap: section.perUser }, most)
    }
  },
}

function take({ store }: Parts, attempt: Attempt, lease: Lease, denial: Denial): Verdict | Promise<Verdict> {
  const { key, cap } = lease
  const record = (held: boolean): Verdict => {
    if (!held) return denial
    if (attempt.ended) giveBack()
    else attempt.leases = attempt.leases.concat(lease)
    return PASS
  }
  /** The attempt was given up meanwhile. A store that fails here costs time alone: the lease lapses by itself. */
  const giveBack = (): void => {
    const pending = store.release(key, attempt.id)
    if (pending instanceof Promise) pending.catch(() => undefined)
  }
  const held = store.lease(key, attempt.id, cap, LEASE_TTL_MS)
  return held instanceof Promise ? held.then(record) : record(held)
}

function chain(first: Verdict | Promise<Verdict>, next: () => Verdict | Promise<Verdict>): Verdict | Promise<Verdict> {
  if (first instanceof Promise) return first.then(verdict => (verdict.pass ? next() : verdict))
  return first.pass ? next() : first
}
