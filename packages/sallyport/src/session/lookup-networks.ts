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
export interface Entry {
  readonly since: number
  /** Which one it is of all that ever waited. */
  readonly order: number
  readonly network: Network
  /** Null once it is out of the line: nothing of a request is kept for the order of arrival alone. */
  waiting: Waiting | null
}

/** A network of clients: an address or a block of addresses. The tree of them shares out the turns. */
export interface Network {
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

/** The tree of networks, and those that wait for their rate. */
export interface Networks {
  readonly root: Network
  /** By size of the network, the smallest first. */
  readonly levels: readonly Limits[]
  /** All but the root, by key. */
  readonly byKey: Map<string, Network>
  /** Held back by their rate alone, or in debt with nobody left: until when, in ms. */
  readonly asleep: Map<Network, number>
  /** The first of these times; `Infinity` where none sleeps. */
  wakeAt: number
}

/** Networks that are remembered at most: each holds somebody who waits or runs, or a debt of some ms. */
const MOST_NETWORKS = 65_536
/** A network that has refilled is forgotten within this time, in ms. */
const FORGET_MS = 250

function createNetwork(key: string, limits: Limits, parent: Network | null): Network {
  if (parent !== null) parent.parts++
  return { key, limits, parent, waiting: [], ready: new Set(), places: 0, running: 0, debt: 0, debtAt: 0, parts: 0 }
}

/** A tree of the root alone. */
export function createNetworks(root: Limits, levels: readonly Limits[]): Networks {
  return { root: createNetwork('', root, null), levels, byKey: new Map(), asleep: new Map(), wakeAt: Infinity }
}

/** The smallest network of these keys, the smallest first; null where it is not known. */
export function findNetwork({ root, byKey }: Networks, keys: readonly string[]): Network | null {
  const [smallest] = keys
  return smallest === undefined ? root : (byKey.get(smallest) ?? null)
}

/** The same, and makes what is not known; null where no more can be remembered. */
export function openNetwork(networks: Networks, keys: readonly string[]): Network | null {
  const known = findNetwork(networks, keys)
  if (known !== null) return known
  const { root, levels, byKey } = networks
  if (byKey.size >= MOST_NETWORKS) return null
  let network = root
  for (let level = keys.length - 1; level >= 0; level--) {
    const key = keys[level]!
    let part = byKey.get(key)
    if (part === undefined) {
      part = createNetwork(key, levels[level]!, network)
      byKey.set(key, part)
    }
    network = part
  }
  return network
}

function sleepUntil(networks: Networks, network: Network, until: number): void {
  networks.asleep.set(network, until)
  if (until < networks.wakeAt) networks.wakeAt = until
}

function debtOf({ debt, debtAt, limits }: Network, now: number): number {
  return debt === 0 ? 0 : Math.max(0, debt - ((now - debtAt) * limits.perSecond) / 1000)
}

function charge(network: Network, units: number, now: number): void {
  if (network.limits.perSecond === Infinity) return
  network.debt = Math.max(0, debtOf(network, now) + units)
  network.debtAt = now
}

/** Whether its own limits let one more begin. */
export function mayBegin(networks: Networks, network: Network, now: number): boolean {
  const { limits } = network
  if (network.running >= limits.atOnce) return false
  if (limits.perSecond === Infinity) return true
  const over = debtOf(network, now) + 1 - limits.burst
  if (over <= 1e-9) return true
  sleepUntil(networks, network, now + Math.max(1, (over * 1000) / limits.perSecond))
  return false
}

/** One look-up more runs in it and in the networks around it. */
export function takeSlot(smallest: Network, now: number): void {
  for (let network: Network | null = smallest; network !== null; network = network.parent) {
    network.running++
    charge(network, 1, now)
  }
}

/** One look-up less. `units`: what it costs beyond the one that `takeSlot` charged. */
export function giveBackSlot(smallest: Network, units: number, now: number): void {
  for (let network: Network | null = smallest; network !== null; network = network.parent) {
    network.running--
    charge(network, units, now)
  }
}

/** So many more wait in it and in the networks around it. */
export function countWaiting(smallest: Network, places: number): void {
  for (let network: Network | null = smallest; network !== null; network = network.parent) network.places += places
}

/** Makes it take part in the turns of the networks around it. */
export function activate(from: Network): void {
  for (let network = from; network.parent !== null; network = network.parent) {
    if (network.places === 0 || network.parent.ready.has(network)) return
    network.parent.ready.add(network)
  }
}

/** Every network from here up may have room again, and so may the parts of those that were full. */
export function activateAll(from: Network): void {
  for (let network: Network | null = from; network?.parent != null; network = network.parent) {
    if (network.places > 0) network.parent.ready.add(network)
  }
}

/** Forgets it, and the networks around it, where nobody waits or runs and no debt is left. */
export function forgetNetwork(networks: Networks, from: Network, now: number): void {
  const { asleep, byKey } = networks
  for (let network: Network | null = from; network !== null && network.parent !== null; network = network.parent) {
    if (network.places > 0 || network.running > 0 || network.parts > 0) return
    const left = debtOf(network, now)
    if (left > 0) {
      if (!asleep.has(network))
        sleepUntil(networks, network, now + (left * 1000) / network.limits.perSecond + FORGET_MS)
      return
    }
    asleep.delete(network)
    byKey.delete(network.key)
    network.parent.ready.delete(network)
    network.parent.parts--
  }
}

/** Networks whose rate allows more again take part again. */
export function wakeNetworks(networks: Networks, now: number): void {
  if (now < networks.wakeAt) return
  networks.wakeAt = Infinity
  for (const [network, until] of networks.asleep) {
    if (until > now) {
      if (until < networks.wakeAt) networks.wakeAt = until
      continue
    }
    networks.asleep.delete(network)
    activateAll(network)
    forgetNetwork(networks, network, now)
  }
}
