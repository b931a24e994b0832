/** How large a cluster is, and what its people do. */
export interface Load {
  readonly sockets: number
  readonly nodes: number
  /** Mean life of a connection, in s. */
  readonly lifeSeconds: number
  /** Mean time between two messages of one connection, in s. */
  readonly messageSeconds: number
  /** Connections that share a user, and connections that share an address: means. */
  readonly perUser: number
  readonly perIp: number
  readonly buckets: number
  /** Whether Redis is a Cluster: its servers are looked at one by one. */
  readonly cluster: boolean
}

/** What that is for Redis. */
export interface Demand {
  readonly keys: number
  readonly bytes: number
  /** Calls by the clients, a second, by what they are for. */
  readonly calls: Readonly<
    Record<
      'heartbeats' | 'lines' | 'counts written again' | 'tickets' | 'handshakes' | 'closes' | 'message budgets',
      number
    >
  >
  readonly callsInAll: number
  /** Seconds of Redis's time a second: how many servers it keeps busy. */
  readonly cores: number
  /** Servers to have, at 40 % of a core each. */
  readonly servers: number
}

/** Bytes in Redis, as `npm run bench:cluster` measures them: a key with the count of one node, each further node, and a used ticket. */
export const BYTES = { count: 193, entry: 24, ticket: 112, budget: 130, fixed: 20_000 }

/** Calls of Redis for one of each, and µs of its time: of a call, or of one key in a call of many. */
export const COSTS = {
  ticket: { calls: 4, micros: 4 * 8 },
  handshake: { calls: 8, micros: 2 * 11 + 3 * 15 + 2 * 5 + 9 },
  place: { micros: 6 },
  budget: { micros: 7 },
  call: { micros: 10 },
} as const

/** Keys of one call, and how long changes are gathered, in s. */
const BATCH = 100
const GATHER = 0.01
/** Each count is written again this often, in s. */
const AGAIN = 1200
/** A ticket's use is remembered this long, in s; a budget is in debt this long after an attempt. */
const TICKET_SECONDS = 32
const ATTEMPT_SECONDS = 2
/** A message is settled within this time, in s. */
const SETTLE = 1
/** One that is owed brings two ahead: of people who say little, every third message is settled. */
const PER_SETTLEMENT = 3
/** Redis reclaims what expired a little later. */
const RECLAIMED = 1.15
/** Part of a core that a server is planned with. */
const PLANNED = 0.4

/** Of `keys` that change at once, how many calls: one for each bucket that they hit, and each hundred in it. */
export function callsFor(keys: number, buckets: number): number {
  const hit = buckets * (1 - (1 - 1 / buckets) ** keys)
  return Math.max(hit, keys / BATCH)
}

/** The demand of a load. Pure arithmetic; `test/cluster/scale.test.ts` holds it against a cluster that runs. */
export function demandOf(load: Load): Demand {
  const { sockets, nodes, lifeSeconds, messageSeconds, perUser, perIp, buckets, cluster } = load
  const opens = sockets / lifeSeconds
  const users = sockets / perUser
  const addresses = sockets / perIp
  // Every node counts its own: a user on two nodes is two entries under one key. At the most each connection is one.
  const entries = sockets + sockets + nodes
  const tickets = opens * TICKET_SECONDS
  const attempts = Math.min(addresses, opens * 2 * ATTEMPT_SECONDS)
  const messages = sockets / messageSeconds
  // Within its time of settling a budget is one entry, however often it was spent.
  const settled = (keys: number): number => {
    const each = messages / nodes / keys
    return (nodes * keys * (1 - Math.exp(-each * SETTLE))) / SETTLE / PER_SETTLEMENT
  }
  const budgets = messages === 0 ? 0 : settled(users) + settled(addresses)
  const closesPerGather = (3 * opens * GATHER) / nodes
  const calls = {
    heartbeats: nodes,
    lines: cluster ? (nodes * buckets) / 2 : 0,
    'counts written again': nodes * callsFor(entries / nodes / AGAIN, buckets),
    tickets: opens * COSTS.ticket.calls,
    handshakes: opens * COSTS.handshake.calls,
    closes: (nodes / GATHER) * callsFor(closesPerGather, buckets),
    'message budgets': nodes * callsFor(budgets / nodes, buckets),
  }
  const callsInAll = Object.values(calls).reduce((sum, each) => sum + each, 0)
  const micros =
    opens * (COSTS.ticket.micros + COSTS.handshake.micros + 3 * COSTS.place.micros) +
    budgets * COSTS.budget.micros +
    (entries / AGAIN) * COSTS.place.micros +
    callsInAll * COSTS.call.micros
  const cores = micros / 1e6
  const indebted = budgets * 2
  return {
    keys: users + addresses + 1 + tickets + attempts + indebted + buckets + 4,
    bytes:
      RECLAIMED *
      ((users + addresses) * BYTES.count +
        (entries - users - addresses) * BYTES.entry +
        tickets * BYTES.ticket +
        (attempts + indebted) * BYTES.budget +
        BYTES.fixed),
    calls,
    callsInAll,
    cores,
    servers: Math.max(1, Math.ceil(cores / PLANNED)),
  }
}

/** The loads of docs/cluster/figures.md. */
export const LOADS: readonly (Load & { readonly name: string })[] = [
  {
    name: 'a product',
    sockets: 10_000,
    nodes: 3,
    lifeSeconds: 1800,
    messageSeconds: 10,
    perUser: 2,
    perIp: 2,
    buckets: 16,
    cluster: false,
  },
  {
    name: 'a million sockets',
    sockets: 1_000_000,
    nodes: 20,
    lifeSeconds: 1800,
    messageSeconds: 20,
    perUser: 1.5,
    perIp: 2,
    buckets: 16,
    cluster: false,
  },
  {
    name: 'the internet',
    sockets: 10_000_000,
    nodes: 100,
    lifeSeconds: 1800,
    messageSeconds: 20,
    perUser: 1.5,
    perIp: 2,
    buckets: 256,
    cluster: true,
  },
]
