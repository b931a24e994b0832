import type { ControlContext } from '../context.ts'
import type { Policy } from '../../model/policy.ts'
import { type Denial, deny, PASS, type Verdict } from '../../model/verdict.ts'
import { type Attempt, isInherited, type Lease } from '../../model/attempt.ts'
import { LEASE_TTL_MS } from '../../model/lease-time.ts'
import { addressKey } from '../../store/address-key.ts'
import type { Randomness } from '../../model/runtime.ts'
import type { Store } from '../../model/store.ts'
import type { HandshakeControl } from './handshake-control.ts'

type Caps = NonNullable<Policy['handshake']['connections']>

const ALL = 'connections:all'
const OF_ADDRESS = 'connections:ip:'
const OF_USER = 'connections:user:'

/** Whether a place that another policy granted counts under this one as it stands: not under a lower cap, which it must be asked for by. */
export function outlasts({ handshake: { connections: section, session } }: Policy, { key, cap }: Lease): boolean {
  if (section === null) return false
  if (key === ALL) return cap <= section.total
  return cap <= (key.startsWith(OF_ADDRESS) ? capOfAddress(section, session !== null) : section.perUser)
}

/** The cap of an address: a lower one for connections without a known user. */
function capOfAddress({ perIp, strangersPerIp }: Caps, isKnown: boolean): number {
  return isKnown ? perIp : Math.min(perIp, strangersPerIp)
}

/** Seconds until a place may be free, spread so that those who were refused at once do not come back at once. */
const spread = ({ random }: Randomness): number => 5 + random() * 10

const crowded = ({ cap }: Lease, randomness: Randomness): Denial =>
  deny('SALLY_CONNECTIONS_IP', `${cap} connections are open from this address`, spread(randomness))

/** Live connections in all and per address, once the session is known: strangers must not hold the places of known users. */
export const connections: HandshakeControl = {
  id: 'handshake/connections',
  compile(policy, parts) {
    const section = policy.handshake.connections
    if (section === null) return null
    const full = (): Denial =>
      deny('SALLY_CONNECTIONS_FULL', `${section.total} connections are open`, spread(parts.runtime))
    // Its key is the same for all of them, and so is the record of it.
    const all: Lease = { key: ALL, cap: section.total }
    const takeOfAddress = (attempt: Attempt): Verdict | Promise<Verdict> => {
      const cap = capOfAddress(section, policy.handshake.session !== null && attempt.session !== null)
      return take(parts, attempt, { key: flat(OF_ADDRESS, addressKey(attempt.request.ip)), cap }, crowded)
    }
    return attempt => {
      const first = take(parts, attempt, all, full)
      if (first instanceof Promise) return first.then(verdict => (verdict.pass ? takeOfAddress(attempt) : verdict))
      return first.pass ? takeOfAddress(attempt) : first
    }
  },
}

/** Live connections of the user: the same control's last step. */
export const connectionsOfUser: HandshakeControl = {
  id: 'handshake/connections',
  compile(policy, parts) {
    const section = policy.handshake.connections
    // An anonymous user is an address, which is counted already, and to its own cap.
    if (section === null || policy.handshake.session === null) return null
    const most = (): Denial =>
      deny('SALLY_CONNECTIONS_USER', `${section.perUser} connections of this user are open`, spread(parts.runtime))
    return attempt => {
      const user = attempt.session?.user
      return user === undefined ? PASS : take(parts, attempt, { key: flat(OF_USER, user), cap: section.perUser }, most)
    }
  },
}

function take(
  parts: Pick<ControlContext, 'store' | 'runtime'>,
  attempt: Attempt,
  lease: Lease,
  denial: (lease: Lease, randomness: Randomness) => Denial,
): Verdict | Promise<Verdict> {
  const before = attempt.leases.find(({ key }) => key === lease.key)
  // Before the answer: who takes the connection over meanwhile asks for the same place, and it is not given back then.
  attempt.leases = withLease(attempt.leases, lease, before)
  const held = parts.store.lease(lease.key, attempt.id, lease.cap, LEASE_TTL_MS)
  return held instanceof Promise
    ? held.then(later => record(parts, attempt, lease, later, denial))
    : record(parts, attempt, lease, held, denial)
}

function record(
  { store, runtime }: Pick<ControlContext, 'store' | 'runtime'>,
  attempt: Attempt,
  lease: Lease,
  held: boolean,
  denial: (lease: Lease, randomness: Randomness) => Denial,
): Verdict {
  if (held && !attempt.ended) return PASS
  attempt.leases = attempt.leases.filter(one => one !== lease)
  // The attempt was given up meanwhile.
  if (held && !isInherited(attempt, lease.key)) giveBack(store, attempt, lease.key)
  return held ? PASS : denial(lease, runtime)
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
