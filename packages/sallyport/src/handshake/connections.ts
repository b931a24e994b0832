import type { Parts } from '../guard/parts.ts'
import type { Policy } from '../policy/types.ts'
import { type Denial, deny, PASS, type Verdict } from '../policy/verdict.ts'
import { type Attempt, isInherited, type Lease } from './attempt.ts'
import { LEASE_TTL_MS } from '../store/lease-time.ts'
import { addressKey } from '../store/address-key.ts'
import type { Store } from '../store/store.ts'
import type { HandshakeControl } from './handshake-control.ts'

const ALL = 'connections:all'
const OF_ADDRESS = 'connections:ip:'
const OF_USER = 'connections:user:'

/** Whether a place that another policy granted counts under this one as it stands: not under a lower cap, which it must be asked for by. */
export function outlasts({ handshake: { connections: section } }: Policy, { key, cap }: Lease): boolean {
  if (section === null) return false
  return cap <= (key === ALL ? section.total : key.startsWith(OF_ADDRESS) ? section.perIp : section.perUser)
}

/** Live connections in all and per address, before the session is looked up. */
export const connections: HandshakeControl = {
  id: 'handshake/connections',
  compile(policy, parts) {
    const section = policy.handshake.connections
    if (section === null) return null
    const full = deny('SALLY_CONNECTIONS_FULL', `${section.total} connections are open`, 10)
    const crowded = deny('SALLY_CONNECTIONS_IP', `${section.perIp} connections are open from this address`, 10)
    // Its key is the same for all of them, and so is the record of it.
    const all: Lease = { key: ALL, cap: section.total }
    const takeOfAddress = (attempt: Attempt): Verdict | Promise<Verdict> =>
      take(parts, attempt, { key: flat(OF_ADDRESS, addressKey(attempt.request.ip)), cap: section.perIp }, crowded)
    return attempt => {
      const first = take(parts, attempt, all, full)
      if (first instanceof Promise) return first.then(verdict => (verdict.pass ? takeOfAddress(attempt) : verdict))
      return first.pass ? takeOfAddress(attempt) : first
    }
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
      return user === undefined ? PASS : take(parts, attempt, { key: flat(OF_USER, user), cap: section.perUser }, most)
    }
  },
}

function take({ store }: Parts, attempt: Attempt, lease: Lease, denial: Denial): Verdict | Promise<Verdict> {
  const before = attempt.leases.find(({ key }) => key === lease.key)
  // Before the answer: who takes the connection over meanwhile asks for the same place, and it is not given back then.
  attempt.leases = withLease(attempt.leases, lease, before)
  const held = store.lease(lease.key, attempt.id, lease.cap, LEASE_TTL_MS)
  return held instanceof Promise
    ? held.then(later => record(store, attempt, lease, later, denial))
    : record(store, attempt, lease, held, denial)
}

function record(store: Store, attempt: Attempt, lease: Lease, held: boolean, denial: Denial): Verdict {
  if (held && !attempt.ended) return PASS
  attempt.leases = attempt.leases.filter(one => one !== lease)
  // The attempt was given up meanwhile.
  if (held && !isInherited(attempt, lease.key)) giveBack(store, attempt, lease.key)
  return held ? PASS : denial
}

/** A store that fails here costs time alone: the lease lapses by itself. */
function giveBack(store: Store, attempt: Attempt, key: string): void {
  const pending = store.release(key, attempt.id)
  if (pending instanceof Promise) pending.catch(() => undefined)
}

/** Just as long as what it holds, and for the few that a connection has by literals: `concat` costs more than the lease. */
function withLease(leases: readonly Lease[], lease: Lease, before: Lease | undefined): readonly Lease[] {
  if (before !== undefined) return leases.map(one => (one === before ? lease : one))
  const [first, second] = leases
  if (first === undefined) return [lease]
  if (second === undefined) return [first, lease]
  return leases.length === 2 ? [first, second, lease] : leases.concat(lease)
}

/** One piece of memory: a template's is a tree of its parts, and is kept as long as the connection. */
function flat(kind: string, id: string): string {
  return [kind, id].join('')
}
