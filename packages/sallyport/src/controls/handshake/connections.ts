import type { ControlContext } from '../context.ts'
import type { SessionResolver } from '../../model/session.ts'
import { type Denial, PASS, type Verdict } from '../../model/verdict.ts'
import { type Attempt, isInherited, type Lease } from '../../model/attempt.ts'
import { LEASE_TTL_MS } from '../../model/lease-time.ts'
import { addressKey } from '../../store/address-key.ts'
import type { Randomness } from '../../model/runtime.ts'
import type { Store } from '../../model/store.ts'
import { count, OFF } from '../../shape/kinds.ts'
import { type InputOf, key, openSection } from '../../shape/shape.ts'
import { countInWords } from '../../shape/words.ts'
import { defineControl, denying, type Earlier, off, on } from '../definition.ts'
import type { HandshakeCheck, HandshakeOf } from './handshake-control.ts'
import { session as sessionControl } from './session.ts'

/** `handshake.connections` of a parsed policy: the greatest numbers of open connections. */
export interface ConnectionsSection {
  readonly total: number
  readonly perIp: number
  readonly strangersPerIp: number
  readonly perUser: number
}

const TOTAL = 10_000
const PER_IP = 1000
const STRANGERS_PER_IP = 100
const PER_USER = 30

const KEYS = {
  total: key(count(), TOTAL, 'Live connections in all.', {
    because: 'about 70 MB of idle `ws` connections; beyond that a node should be added knowingly',
  }),
  perIp: key(count(), PER_IP, 'Live connections of one address.', {
    because: 'a large office or a school behind one address, several tabs each, all of them known users',
  }),
  strangersPerIp: key(
    count(),
    STRANGERS_PER_IP,
    'Connections of one address without a known user: of a public endpoint, and handshakes whose session is looked up.',
    {
      because:
        'nobody vouches for these: visitors of a public endpoint, and handshakes whose session is still looked up',
    },
  ),
  perUser: key(count(), PER_USER, 'Live connections of one user.', {
    because:
      "tabs and devices of one person, or the screens of one shared account; half of what a minute's attempts allow",
  }),
  dangerouslyOff: OFF,
}
export type ConnectionsInput = InputOf<typeof KEYS>

const TELLS_LOST = {
  one: '{count} socket closed',
  some: '{count} sockets closed',
  among: '{count} sockets closed, {most} of them from this address, the rest from {others} or more others',
} as const

const DENIALS = {
  SALLY_CONNECTIONS_FULL: {
    action: 'refuse',
    http: 503,
    level: 'error',
    event: 'excess_sessions_exceeded',
    requirements: ['S9', 'WS-22'],
    means: 'the server holds as many connections as the policy allows',
    remedy: 'Raise `handshake.connections.total`, or add a node.',
    tells: '{cap} connections are open',
  },
  SALLY_CONNECTIONS_IP: {
    action: 'refuse',
    http: 429,
    level: 'warn',
    event: 'excess_sessions_exceeded',
    requirements: ['S9', 'WS-22'],
    means: 'this address holds as many connections as the policy allows',
    remedy:
      'Raise `handshake.connections.perIp`, or `strangersPerIp` for those without a known user; behind a proxy, name it in `proxy.trust`.',
    tells: {
      open: '{cap} connections are open from this address',
      'half-open': '{cap} handshakes from this address wait for their session',
    },
  },
  SALLY_CONNECTIONS_USER: {
    action: 'refuse',
    http: 429,
    level: 'warn',
    event: 'excess_sessions_exceeded',
    requirements: ['S9', 'WS-22', 'ASVS-7.1.2'],
    means: 'this user holds as many connections as the policy allows',
    remedy: 'Raise `handshake.connections.perUser`, or look for a client that does not close.',
    tells: '{cap} connections of this user are open',
  },
  SALLY_CONNECTIONS_SILENT: {
    action: 'terminate',
    level: 'warn',
    event: 'excess_sessions_exceeded',
    requirements: ['S9', 'WS-22'],
    means: 'sockets of this address had sent no request while others needed their places',
    remedy: 'Nothing to configure: somebody opens sockets and sends nothing. Behind a proxy, name it in `proxy.trust`.',
    tells: TELLS_LOST,
  },
  SALLY_CONNECTIONS_DROPPED: {
    action: 'terminate',
    level: 'error',
    event: 'excess_sessions_exceeded',
    requirements: ['S9', 'WS-22'],
    means: 'the server held as many sockets as it may, and closed some that were no WebSockets',
    remedy: 'Look for an address with many slow requests; raise `handshake.connections.total`, or add a node.',
    tells: TELLS_LOST,
  },
} as const
const deny = denying(DENIALS)

/** The part of a policy that decides how connections are counted. */
type CapsPolicy = HandshakeOf<{
  connections: ConnectionsSection | null
  session: SessionResolver | null
}>

const ALL = 'connections:all'
const OF_ADDRESS = 'connections:ip:'
const OF_USER = 'connections:user:'

/**
 * Whether a slot that another policy granted stays valid under this one. It does if it was granted under a cap no
 * higher than the new one. Otherwise it must be requested again.
 */
export function outlasts({ handshake: { connections: section, session } }: CapsPolicy, { key, cap }: Lease): boolean {
  if (section === null) return false
  if (key === ALL) return cap <= section.total
  return cap <= (key.startsWith(OF_ADDRESS) ? capOfAddress(section, session !== null) : section.perUser)
}

/** The cap of an address. Connections without a known user have a lower one. */
function capOfAddress({ perIp, strangersPerIp }: ConnectionsSection, isKnown: boolean): number {
  return isKnown ? perIp : Math.min(perIp, strangersPerIp)
}

/**
 * Seconds until a slot may be free. The value is spread, so that clients that were refused together do not return
 * together.
 */
const spread = ({ random }: Randomness): number => 5 + random() * 10

const crowded = ({ cap }: Lease, randomness: Randomness): Denial =>
  deny('SALLY_CONNECTIONS_IP', { reason: 'open', cap }, spread(randomness))

/** The caps of connections as they hold: on a public endpoint nobody is a known user, and an address has as many as strangers may. */
export function capsOf(earlier: Earlier): ConnectionsSection | null {
  const caps = earlier.sectionOf(connections)
  if (caps === null || earlier.sectionOf(sessionControl) !== null) return caps
  return { ...caps, perIp: Math.min(caps.perIp, caps.strangersPerIp) }
}

/**
 * Counts open connections in all and per address, after the session is known. Strangers must not take the slots of
 * known users.
 */
export const connections = defineControl({
  id: 'handshake/connections',
  denies: 'live connections in all, per IP, per user exceed the cap; cluster-exact with a shared store',
  default: `${countInWords(TOTAL)} in all, ${countInWords(PER_IP)} per IP (${STRANGERS_PER_IP} without a known user), ${PER_USER} per user`,
  keys: KEYS,
  example: 'connections: { perUser: 30 }',
  denials: DENIALS,
  read(handshake, earlier): ConnectionsSection | null {
    const isAnonymous = earlier.sectionOf(sessionControl) === null
    const section = openSection(handshake, { id: 'handshake/connections', keys: KEYS })
    const isOff = section.isWeakened('dangerouslyOff')
    // On a public endpoint all clients are strangers, so a declared `perIp` applies to them.
    const isSaid = isAnonymous && section.said('perIp') !== undefined
    const perIp = section.value('perIp')
    const caps = {
      total: section.value('total'),
      perIp,
      strangersPerIp: section.value('strangersPerIp', isSaid ? perIp : STRANGERS_PER_IP),
      perUser: section.value('perUser'),
    }
    return isOff ? null : Object.freeze(caps)
  },
  effective: section =>
    section === null
      ? off('no bound')
      : on(
          `${countInWords(section.total)} in all, ${countInWords(section.perIp)} per IP (${countInWords(section.strangersPerIp)} without a known user), ${countInWords(section.perUser)} per user`,
        ),
  compile(policy: CapsPolicy, parts: ControlContext): HandshakeCheck | null {
    const section = policy.handshake.connections
    if (section === null) return null
    const full = (): Denial => deny('SALLY_CONNECTIONS_FULL', { cap: section.total }, spread(parts.runtime))
    // All attempts share this key, so they share one lease object.
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
})

/** Counts the open connections of the user. It is the last step of the same control. */
export const connectionsOfUser = {
  id: 'handshake/connections',
  compile(policy: CapsPolicy, parts: ControlContext): HandshakeCheck | null {
    const section = policy.handshake.connections
    // An anonymous user is an address. It is counted already, against the cap for addresses.
    if (section === null || policy.handshake.session === null) return null
    const most = (): Denial => deny('SALLY_CONNECTIONS_USER', { cap: section.perUser }, spread(parts.runtime))
    return attempt => {
      const user = attempt.session?.user
      return user === undefined ? PASS : take(parts, attempt, { key: flat(OF_USER, user), cap: section.perUser }, most)
    }
  },
} as const

function take(
  parts: Pick<ControlContext, 'store' | 'runtime'>,
  attempt: Attempt,
  lease: Lease,
  denial: (lease: Lease, randomness: Randomness) => Denial,
): Verdict | Promise<Verdict> {
  const before = attempt.leases.find(({ key }) => key === lease.key)
  // Written before the answer. A guard that takes the connection over meanwhile requests the same slot, and it must not
  // be given back then.
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

/** A failure of the store only costs time here: the lease lapses by itself. */
function giveBack(store: Store, attempt: Attempt, key: string): void {
  const pending = store.release(key, attempt.id)
  if (pending instanceof Promise) pending.catch(() => undefined)
}

/**
 * Adds a lease without spare room. A connection has few leases, and array literals are used for them, because `concat`
 * takes more memory than the lease.
 */
function withLease(leases: readonly Lease[], lease: Lease, before: Lease | undefined): readonly Lease[] {
  if (before !== undefined) return leases.map(one => (one === before ? lease : one))
  const [first, second] = leases
  if (first === undefined) return [lease]
  if (second === undefined) return [first, lease]
  return leases.length === 2 ? [first, second, lease] : leases.concat(lease)
}

/**
 * A string in one piece. A template literal makes a string of linked parts, and the connection would keep all of them.
 */
function flat(kind: string, id: string): string {
  return [kind, id].join('')
}
