/** What may wait and run in one network, or in all. */
export interface Limits {
  readonly places: number
  readonly atOnce: number
  /** Units a second, and how many at once; `Infinity` for no rate. */
  readonly perSecond: number
  readonly burst: number
}

/** Somebody who waits for a turn. */
export interface Waiting {
  /** Ms; when it came. */
  readonly since: number
  /** The networks that it counts in, the smallest first. */
  readonly networks: readonly string[]
  /** Its turn has come, and a slot was taken for it. */
  begin(): void
  refuse(why: Error): void
}

/** Somebody who waits, where the line keeps it. */
interface Entry {
  readonly since: number
  /** Which one it is of all that ever waited. */
  readonly order: number
  readonly network: Network
  /** Null once it is out of the line: nothing of a request is kept for the order of arrival alone. */
  waiting: Waiting | null
}

/** Options of {@link createLookupLine}. */
export interface LookupLineOptions {
  /** In all. */
  readonly root: Limits
  /** By size of the network, the smallest first. */
  readonly levels: readonly Limits[]
  /** Longest wait, in ms. */
  readonly waitMs: number
  /**
   * Who of one network is next where most of its places are taken: somebody at random. Else, and where this is false, it is
   * the first that came: then nobody waits longer than those before him take.
   */
  readonly atRandom: boolean
  readonly random: () => number
}

/** Waiting look-ups, in a tree of networks that take turns. */
export interface LookupLine {
  readonly running: number
  readonly waiting: number
  /** Takes a slot where nobody of these networks waits and no limit is in the way. */
  takeAtOnce(networks: readonly string[], now: number): boolean
  /** Lets it wait. Answers who has no place then: the new one, one whose place it took, or nobody. */
  add(waiting: Waiting): Waiting | null
  /** The next one in turn, with a slot taken for it; null where nobody may begin. */
  next(now: number): Waiting | null
  /** Gives a slot back. `units` is what the look-up costs beyond the one that it took. */
  finish(networks: readonly string[], units: number, now: number): void
  /** Takes out who has waited for too long. */
  overdue(now: number): readonly Waiting[]
  /** Networks whose rate allows more again take part again. */
  wake(now: number): void
  /** When `overdue` or `wake` has something to do; `Infinity` for never. */
  dueAt(): number
}

interface Network {
  readonly key: string
  readonly limits: Limits
  readonly parent: Network | null
  /** Look-ups that wait here; only the smallest networks have them. */
  readonly waiting: Entry[]
  /** Larger networks: the parts that may have somebody whose turn it is. They take turns. */
  readonly ready: Set<Network>
  /** All that wait, here and in its parts. */
  places: number
  running: number
  debt: number
  debtAt: number
  /** Parts that are kept for what they hold. */
  parts: number
}

/** Networks that are remembered at most: each holds somebody who waits or runs, or a debt of some ms. */
const MOST_NETWORKS = 65_536
/** A network that has refilled is forgotten within this time, in ms. */
const FORGET_MS = 250
/** How often somebody is looked for whose network holds more places than the newcomer's. */
const EVICTION_TRIES = 32
/** Part of a network's places that are taken from which on the next one is chosen at random. */
const CROWDED = 0.75

/** The largest network that it is in. */
function largestOf(network: Network): Network {
  let largest = network
  while (largest.parent !== null && largest.parent.parent !== null) largest = largest.parent
  return largest
}

/** Whether one network still holds more places than another once it has given one up to it. */
function holdsMore(one: Network, other: Network): boolean {
  const [largest, otherLargest] = [largestOf(one), largestOf(other)]
  return largest === otherLargest ? one.places > other.places + 1 : largest.places > otherLargest.places + 1
}

/** A line of those who wait for a look-up. It has no clock and no timer of its own. */
export function createLookupLine({
  root: rootLimits,
  levels,
  waitMs,
  atRandom,
  random,
}: LookupLineOptions): LookupLine {
  const networks = new Map<string, Network>()
  /** Held back by their rate alone, or in debt with nobody left. */
  const asleep = new Map<Network, number>()
  let wakeAt = Infinity
  /** In order of arrival, those who are out among them. */
  let arrivals: Entry[] = []
  let head = 0
  let order = 0

  const make = (key: string, limits: Limits, parent: Network | null): Network => {
    if (parent !== null) parent.parts++
    return { key, limits, parent, waiting: [], ready: new Set(), places: 0, running: 0, debt: 0, debtAt: 0, parts: 0 }
  }
  const root = make('', rootLimits, null)

  const find = (keys: readonly string[]): Network | null => {
    const [smallest] = keys
    return smallest === undefined ? root : (networks.get(smallest) ?? null)
  }

  const open = (keys: readonly string[]): Network | null => {
    const known = find(keys)
    if (known !== null) return known
    if (networks.size >= MOST_NETWORKS) return null
    let network = root
    for (let level = keys.length - 1; level >= 0; level--) {
      const key = keys[level]!
      let part = networks.get(key)
      if (part === undefined) {
        part = make(key, levels[level]!, network)
        networks.set(key, part)
      }
      network = part
    }
    return network
  }

  const sleep = (network: Network, until: number): void => {
    asleep.set(network, until)
    if (until < wakeAt) wakeAt = until
  }

  const debtOf = ({ debt, debtAt, limits }: Network, now: number): number =>
    debt === 0 ? 0 : Math.max(0, debt - ((now - debtAt) * limits.perSecond) / 1000)

  /** Whether its own limits let one more begin. */
  const mayBegin = (network: Network, now: number): boolean => {
    const { limits } = network
    if (network.running >= limits.atOnce) return false
    if (limits.perSecond === Infinity) return true
    const over = debtOf(network, now) + 1 - limits.burst
    if (over <= 1e-9) return true
    sleep(network, now + Math.max(1, (over * 1000) / limits.perSecond))
    return false
  }

  const charge = (network: Network, units: number, now: number): void => {
    if (network.limits.perSecond === Infinity) return
    network.debt = Math.max(0, debtOf(network, now) + units)
    network.debtAt = now
  }

  /** Makes it take part in the turns of the networks around it. */
  const activate = (from: Network): void => {
    for (let network = from; network.parent !== null; network = network.parent) {
      if (network.places === 0 || network.parent.ready.has(network)) return
      network.parent.ready.add(network)
    }
  }

  const forget = (from: Network, now: number): void => {
    for (let network: Network | null = from; network !== null && network.parent !== null; network = network.parent) {
      if (network.places > 0 || network.running > 0 || network.parts > 0) return
      const left = debtOf(network, now)
      if (left > 0) {
        if (!asleep.has(network)) sleep(network, now + (left * 1000) / network.limits.perSecond + FORGET_MS)
        return
      }
      asleep.delete(network)
      networks.delete(network.key)
      network.parent.ready.delete(network)
      network.parent.parts--
    }
  }

  const count = (smallest: Network, places: number): void => {
    for (let network: Network | null = smallest; network !== null; network = network.parent) network.places += places
  }

  const take = (smallest: Network, now: number): void => {
    for (let network: Network | null = smallest; network !== null; network = network.parent) {
      network.running++
      charge(network, 1, now)
    }
  }

  /** Takes one out of the line. */
  const remove = (network: Network, index: number): Waiting => {
    const { waiting: entries } = network
    const entry = entries[index]!
    const { waiting } = entry
    entry.waiting = null
    if (atRandom) {
      const last = entries.pop()!
      if (index < entries.length) entries[index] = last
    } else entries.splice(index, 1)
    count(network, -1)
    return waiting!
  }

  const indexOfNext = ({ waiting: entries, limits }: Network): number => {
    // Without chance the list is in order of arrival.
    if (!atRandom) return 0
    if (entries.length >= limits.places * CROWDED) return Math.floor(random() * entries.length)
    let first = 0
    for (let index = 1; index < entries.length; index++) {
      if (entries[index]!.order < entries[first]!.order) first = index
    }
    return first
  }

  const pickIn = (network: Network, now: number): Waiting | null => {
    if (!mayBegin(network, now)) return null
    const { length } = network.waiting
    if (length > 0) {
      const picked = remove(network, indexOfNext(network))
      take(network, now)
      return picked
    }
    for (const part of network.ready) {
      // Whoever had a turn goes to the end; who may not begin comes back when that changes.
      network.ready.delete(part)
      const picked = pickIn(part, now)
      if (picked === null) continue
      if (part.places > 0) network.ready.add(part)
      return picked
    }
    return null
  }

  /**
   * Makes room for one more of a network. Answers whether there is room now, and who lost a place for it. Where its own
   * network is full that is one of it, chosen at random, or the newcomer. Where all places are taken it is one of
   * a network that holds more: those are found at random, the more easily the more they hold. The largest networks are
   * compared first: whoever has many small ones must not keep all places with one in each.
   */
  const makeRoom = (network: Network, now: number): { readonly hasRoom: boolean; readonly evicted: Waiting | null } => {
    for (let one = network; one.parent !== null; one = one.parent) {
      if (one.places < one.limits.places) continue
      const index = Math.floor(random() * (network.waiting.length + 1))
      const isOther = index < network.waiting.length
      return { hasRoom: isOther, evicted: isOther ? remove(network, index) : null }
    }
    if (root.places < root.limits.places) return { hasRoom: true, evicted: null }
    for (let nth = 0; nth < EVICTION_TRIES; nth++) {
      const entry = arrivals[head + Math.floor(random() * (arrivals.length - head))]
      if (entry === undefined || entry.waiting === null || !holdsMore(entry.network, network)) continue
      const evicted = remove(entry.network, entry.network.waiting.indexOf(entry))
      forget(entry.network, now)
      return { hasRoom: true, evicted }
    }
    return { hasRoom: false, evicted: null }
  }

  const compact = (): void => {
    while (head < arrivals.length && arrivals[head]!.waiting === null) head++
    if (head > 1024 && head * 2 > arrivals.length) {
      arrivals = arrivals.slice(head)
      head = 0
    }
  }

  return {
    get running() {
      return root.running
    },
    get waiting() {
      return root.places
    },
    takeAtOnce(keys, now) {
      const network = open(keys)
      if (network === null) return false
      for (let one: Network | null = network; one !== null; one = one.parent) {
        if ((one === network && one.places > 0) || !mayBegin(one, now)) {
          forget(network, now)
          return false
        }
      }
      take(network, now)
      return true
    },
    add(waiting) {
      const network = open(waiting.networks)
      if (network === null) return waiting
      const { hasRoom, evicted } = makeRoom(network, waiting.since)
      if (!hasRoom) {
        forget(network, waiting.since)
        return waiting
      }
      const entry: Entry = { since: waiting.since, order: order++, network, waiting }
      network.waiting.push(entry)
      count(network, 1)
      if (waitMs !== Infinity) {
        arrivals.push(entry)
        compact()
      }
      activate(network)
      return evicted
    },
    next: now => pickIn(root, now),
    finish(keys, units, now) {
      const network = find(keys)!
      for (let one: Network | null = network; one !== null; one = one.parent) {
        one.running--
        charge(one, units, now)
      }
      activateAll(network)
      forget(network, now)
    },
    overdue(now) {
      const late: Waiting[] = []
      for (compact(); head < arrivals.length && arrivals[head]!.since + waitMs <= now; compact()) {
        const entry = arrivals[head]!
        late.push(remove(entry.network, entry.network.waiting.indexOf(entry)))
        forget(entry.network, now)
      }
      return late
    },
    wake(now) {
      if (now < wakeAt) return
      wakeAt = Infinity
      for (const [network, until] of asleep) {
        if (until > now) {
          if (until < wakeAt) wakeAt = until
          continue
        }
        asleep.delete(network)
        activateAll(network)
        forget(network, now)
      }
    },
    dueAt() {
      compact()
      const overdue = head < arrivals.length ? arrivals[head]!.since + waitMs : Infinity
      return Math.min(overdue, wakeAt)
    },
  }

  /** Every network from here up may have room again, and so may the parts of those that were full. */
  function activateAll(from: Network): void {
    for (let network: Network | null = from; network?.parent != null; network = network.parent) {
      if (network.places > 0) network.parent.ready.add(network)
    }
  }
}
