import type { Socket } from 'node:net'
import { isIPv4 } from 'node:net'
import { networkKeys } from '../store/address-key.ts'

/** `quiet`: the socket waits for a request of its peer. `busy`: the peer waits for an answer. */
export type SocketState = 'quiet' | 'busy'

/** A network whose sockets are counted: an IPv4 address, or an IPv6 /48 with the /56 and /64 in it. */
export interface Network {
  readonly key: string
  /** Whether it is a proxy, which many clients share. */
  readonly isProxy: boolean
  readonly parent: Network | null
  readonly within: Map<string, Network>
  /** Sockets of the smallest network, oldest first. */
  readonly sockets: { readonly [state in SocketState]: Set<Socket> }
  /** Number of sockets of this network and of all networks inside it. */
  readonly counts: { [state in SocketState]: number }
}

/** Sockets by the network of their peer. */
export interface Networks {
  /** Number of all sockets. */
  readonly counts: { readonly [state in SocketState]: number }
  /** The smallest and the widest network of an address. A proxy is a network of its own. */
  of(ip: string, isProxy: boolean): { readonly leaf: Network; readonly root: Network }
  add(leaf: Network, state: SocketState, socket: Socket): void
  remove(leaf: Network, state: SocketState, socket: Socket): void
  /** Changes the state of a socket. It becomes the youngest of the new state. */
  move(leaf: Network, from: SocketState, to: SocketState, socket: Socket): void
  /** The widest network with the most sockets in this state. Null if there is none. */
  heaviest(state: SocketState): Network | null
}

/** The prefix of an IPv4 peer on a dual-stack socket. */
const MAPPED = '::ffff:'

/** Creates empty counts. A network without sockets is forgotten. */
export function createNetworks(): Networks {
  const roots = new Map<string, Network>()
  const counts = { quiet: 0, busy: 0 }

  const change = (leaf: Network, state: SocketState, by: 1 | -1): void => {
    counts[state] += by
    for (let network: Network | null = leaf; network !== null; network = network.parent) network.counts[state] += by
  }
  const forgetEmpty = (leaf: Network): void => {
    for (let network: Network | null = leaf; network !== null; network = network.parent) {
      if (network.counts.quiet + network.counts.busy > 0) return
      const siblings = network.parent === null ? roots : network.parent.within
      siblings.delete(network.key)
    }
  }

  return {
    counts,
    of(ip, isProxy) {
      const v4 = ip.startsWith(MAPPED) ? ip.slice(MAPPED.length) : ip
      const keys = isProxy ? [`proxy ${ip}`] : isIPv4(v4) ? [v4] : networkKeys(ip)
      let network: Network | null = null
      let root: Network | null = null
      for (const key of keys.toReversed()) {
        const siblings: Map<string, Network> = network === null ? roots : network.within
        let next: Network | undefined = siblings.get(key)
        if (next === undefined) siblings.set(key, (next = createNetwork(key, network, isProxy)))
        network = next
        root ??= next
      }
      return { leaf: network!, root: root! }
    },
    add(leaf, state, socket) {
      leaf.sockets[state].add(socket)
      change(leaf, state, 1)
    },
    remove(leaf, state, socket) {
      leaf.sockets[state].delete(socket)
      change(leaf, state, -1)
      forgetEmpty(leaf)
    },
    move(leaf, from, to, socket) {
      leaf.sockets[from].delete(socket)
      leaf.sockets[to].add(socket)
      change(leaf, from, -1)
      change(leaf, to, 1)
    },
    heaviest: state => heaviestOf(roots, state),
  }
}

/** The oldest socket in this state, of the part of the network that has the most. Null if there is none. */
export function oldestOf(network: Network, state: SocketState): Socket | null {
  let at: Network | null = network
  while (at !== null && at.within.size > 0) at = heaviestOf(at.within, state)
  const [oldest = null] = at?.sockets[state] ?? []
  return oldest
}

function heaviestOf(networks: ReadonlyMap<string, Network>, state: SocketState): Network | null {
  let best: Network | null = null
  for (const network of networks.values()) {
    if (network.counts[state] > (best?.counts[state] ?? 0)) best = network
  }
  return best
}

function createNetwork(key: string, parent: Network | null, isProxy: boolean): Network {
  return {
    key,
    isProxy,
    parent,
    within: new Map(),
    sockets: { quiet: new Set(), busy: new Set() },
    counts: { quiet: 0, busy: 0 },
  }
}
