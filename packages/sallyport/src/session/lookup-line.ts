import {
  activate,
  activateAll,
  countWaiting,
  createNetworks,
  type Entry,
  findNetwork,
  forgetNetwork,
  giveBackSlot,
  type Limits,
  mayBegin,
  type Network,
  type Networks,
  openNetwork,
  takeSlot,
  type Waiting,
  wakeNetworks,
} from './lookup-networks.ts'

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

/** What a line holds. */
interface LineState {
  readonly networks: Networks
  readonly waitMs: number
  readonly atRandom: boolean
  readonly random: () => number
  /** In order of arrival, those who are out among them. */
  arrivals: Entry[]
  /** The first of them that may still wait. */
  head: number
  /** How many ever waited. */
  order: number
}

/** Takes one out of the line. */
function removeAt(line: LineState, network: Network, index: number): Waiting {
  const { waiting: entries } = network
  const entry = entries[index]!
  const { waiting } = entry
  entry.waiting = null
  if (line.atRandom) {
    const last = entries.pop()!
    if (index < entries.length) entries[index] = last
  } else entries.splice(index, 1)
  countWaiting(network, -1)
  return waiting!
}

function remove(line: LineState, entry: Entry): Waiting {
  return removeAt(line, entry.network, entry.network.waiting.indexOf(entry))
}

function indexOfNext({ atRandom, random }: LineState, { waiting: entries, limits }: Network): number {
  // Without chance the list is in order of arrival.
  if (!atRandom) return 0
  if (entries.length >= limits.places * CROWDED) return Math.floor(random() * entries.length)
  let first = 0
  for (let index = 1; index < entries.length; index++) {
    if (entries[index]!.order < entries[first]!.order) first = index
  }
  return first
}

function pickIn(line: LineState, network: Network, now: number): Waiting | null {
  if (!mayBegin(line.networks, network, now)) return null
  const { length } = network.waiting
  if (length > 0) {
    const picked = removeAt(line, network, indexOfNext(line, network))
    takeSlot(network, now)
    return picked
  }
  for (const part of network.ready) {
    // Whoever had a turn goes to the end; who may not begin comes back when that changes.
    network.ready.delete(part)
    const picked = pickIn(line, part, now)
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
function makeRoom(
  line: LineState,
  network: Network,
  now: number,
): { readonly hasRoom: boolean; readonly evicted: Waiting | null } {
  const { networks, arrivals, head, random } = line
  for (let one = network; one.parent !== null; one = one.parent) {
    if (one.places < one.limits.places) continue
    const index = Math.floor(random() * (network.waiting.length + 1))
    const isOther = index < network.waiting.length
    return { hasRoom: isOther, evicted: isOther ? removeAt(line, network, index) : null }
  }
  if (networks.root.places < networks.root.limits.places) return { hasRoom: true, evicted: null }
  for (let nth = 0; nth < EVICTION_TRIES; nth++) {
    const entry = arrivals[head + Math.floor(random() * (arrivals.length - head))]
    if (entry === undefined || entry.waiting === null || !holdsMore(entry.network, network)) continue
    const evicted = remove(line, entry)
    forgetNetwork(networks, entry.network, now)
    return { hasRoom: true, evicted }
  }
  return { hasRoom: false, evicted: null }
}

/** Moves on to the first that still waits: the answer, or undefined. */
function firstWaiting(line: LineState): Entry | undefined {
  while (line.head < line.arrivals.length && line.arrivals[line.head]!.waiting === null) line.head++
  if (line.head > 1024 && line.head * 2 > line.arrivals.length) {
    line.arrivals = line.arrivals.slice(line.head)
    line.head = 0
  }
  return line.arrivals[line.head]
}

function takeAtOnce({ networks }: LineState, keys: readonly string[], now: number): boolean {
  const network = openNetwork(networks, keys)
  if (network === null) return false
  for (let one: Network | null = network; one !== null; one = one.parent) {
    if ((one === network && one.places > 0) || !mayBegin(networks, one, now)) {
      forgetNetwork(networks, network, now)
      return false
    }
  }
  takeSlot(network, now)
  return true
}

function add(line: LineState, waiting: Waiting): Waiting | null {
  const { since } = waiting
  const network = openNetwork(line.networks, waiting.networks)
  if (network === null) return waiting
  const { hasRoom, evicted } = makeRoom(line, network, since)
  if (!hasRoom) {
    forgetNetwork(line.networks, network, since)
    return waiting
  }
  const entry: Entry = { since, order: line.order++, network, waiting }
  network.waiting.push(entry)
  countWaiting(network, 1)
  if (line.waitMs !== Infinity) {
    line.arrivals.push(entry)
    firstWaiting(line)
  }
  activate(network)
  return evicted
}

function takeOverdue(line: LineState, now: number): readonly Waiting[] {
  const late: Waiting[] = []
  for (let entry = firstWaiting(line); entry && entry.since + line.waitMs <= now; entry = firstWaiting(line)) {
    late.push(remove(line, entry))
    forgetNetwork(line.networks, entry.network, now)
  }
  return late
}

/** A line of those who wait for a look-up. It has no clock and no timer of its own. */
export function createLookupLine(options: LookupLineOptions): LookupLine {
  const { root, levels, waitMs, atRandom, random } = options
  const networks = createNetworks(root, levels)
  const line: LineState = { networks, waitMs, atRandom, random, arrivals: [], head: 0, order: 0 }
  return {
    get running() {
      return networks.root.running
    },
    get waiting() {
      return networks.root.places
    },
    takeAtOnce: (keys, now) => takeAtOnce(line, keys, now),
    add: waiting => add(line, waiting),
    next: now => pickIn(line, networks.root, now),
    finish(keys, units, now) {
      const network = findNetwork(networks, keys)!
      giveBackSlot(network, units, now)
      activateAll(network)
      forgetNetwork(networks, network, now)
    },
    overdue: now => takeOverdue(line, now),
    wake: now => wakeNetworks(networks, now),
    dueAt() {
      const first = firstWaiting(line)
      return Math.min(first === undefined ? Infinity : first.since + waitMs, networks.wakeAt)
    },
  }
}
