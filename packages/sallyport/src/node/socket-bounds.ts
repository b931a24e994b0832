import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { Server as SocketServer, type Socket } from 'node:net'
import { Server as TlsServer, type TLSSocket } from 'node:tls'
import { remoteOf } from '../request/remote-address.ts'
import { shareDescriptors } from './descriptors.ts'
import { requireServer } from './http-server.ts'
import { createNetworks, type Network, type Networks, oldestOf, type SocketState } from './networks.ts'

/** Why a socket was closed before it was a WebSocket. */
export type SocketLoss =
  /** It had sent no whole request, and others needed its place. */
  | 'silent'
  /** The server was full. */
  | 'full'

/** What {@link boundSockets} is made with. */
export interface SocketBoundsOptions {
  /** The most sockets at once, WebSockets among them. Fewer where the system gives the process fewer descriptors. */
  most: number
  /** Descriptors that a connection takes: 2 where it is relayed. Default 1. */
  readonly descriptorsEach?: number
  /** For tests: the descriptors of the process. */
  readonly descriptors?: number
  /** The server that accepts them, where it is another one (it reads a PROXY header first). */
  readonly front?: SocketServer
  /** Whether an address is a proxy that many clients share: it has no share of its own. */
  readonly isProxy: (address: string) => boolean
  /** A socket was closed; `address` of its peer. */
  readonly lost: (loss: SocketLoss, address: string) => void
}

/** Bounds on the sockets of a server that are no WebSockets. */
export interface SocketBounds {
  /** The socket has sent a whole handshake: the policy counts it from now on. */
  upgraded(socket: Socket): void
  /** Sets the most sockets at once. */
  limit(most: number): void
}

/** Every network may have so many silent sockets, however full the server is. */
const LEAST_SHARE = 16
/** What Node accepts beyond the bound, so that we and not Node choose which socket is closed. */
const SLACK = 256

interface Tracked {
  readonly leaf: Network
  readonly root: Network
  readonly address: string
  state: SocketState
  /** Requests that are not answered yet. */
  asked: number
}

/** TLS has the socket below it in no type. */
interface SecureSocket extends TLSSocket {
  readonly _parent?: Socket | null
}

/**
 * Keeps one address from taking every place of a server. A socket is silent while no whole request of it is there: nothing
 * came yet, the TLS handshake or the head of the request is under way, or the last request is answered.
 *
 * The silent sockets of one network (an IPv4 address, an IPv6 /48) may be as many as the server has places left; beyond
 * that its oldest silent socket is closed. Where the server is full all the same, the network with the most loses its
 * oldest. So one address leaves half of the places to others, two leave a third, and whoever comes has time to send a request.
 *
 * Call it after `installFirstBytesReader`, and before the server listens. Servers that are not of `node:net`, such as Bun's, are left alone.
 */
export function boundSockets(server: Server, options: SocketBoundsOptions): SocketBounds {
  requireServer('boundSockets', server)
  if (!(server instanceof SocketServer)) return { upgraded() {}, limit() {} }
  const { front = server, isProxy, lost, descriptorsEach = 1, descriptors } = options
  let { most } = options
  const networks = createNetworks()
  const tracked = new Map<Socket, Tracked>()

  const share = shareDescriptors(descriptorsEach, () => connectionsOf(front, tracked.size), descriptors)
  front.once('close', share.leave)

  const limit = (sockets: number): void => {
    most = sockets
    front.maxConnections = sockets + SLACK
  }
  const leave = (socket: Socket): Tracked | undefined => {
    const entry = tracked.get(socket)
    if (entry === undefined) return undefined
    tracked.delete(socket)
    socket.off('close', gone)
    networks.remove(entry.leaf, entry.state, socket)
    return entry
  }
  function gone(this: Socket): void {
    leave(this)
  }
  const enter = (socket: Socket, entry: Tracked): void => {
    tracked.set(socket, entry)
    socket.on('close', gone)
    networks.add(entry.leaf, entry.state, socket)
  }
  const setState = (socket: Socket, entry: Tracked, state: SocketState): void => {
    networks.move(entry.leaf, entry.state, state, socket)
    entry.state = state
  }
  const close = (socket: Socket | null, loss: SocketLoss): void => {
    const entry = socket === null ? undefined : leave(socket)
    if (entry === undefined) return
    lost(loss, entry.address)
    // The server may be about to read it: it came in this very call.
    process.nextTick(destroy, socket!)
  }

  const makeRoom = ({ root }: Tracked): void => {
    const free = Math.min(most - connectionsOf(front, tracked.size), share.free())
    if (!root.isProxy && root.counts.quiet > Math.max(LEAST_SHARE, free)) close(oldestOf(root, 'quiet'), 'silent')
    else if (free < 0) {
      const socket = crowdedOut(networks)
      close(socket, socket !== null && tracked.get(socket)?.state === 'busy' ? 'full' : 'silent')
    }
  }

  const track = (socket: Socket): void => {
    if (socket.destroyed) return
    const address = remoteOf(socket)
    const entry: Tracked = { ...networks.of(address, isProxy(address)), address, state: 'quiet', asked: 0 }
    enter(socket, entry)
    makeRoom(entry)
  }

  limit(most)
  front.on('drop', data => lost('full', data?.remoteAddress ?? ''))
  server.prependListener('connection', track)
  if (server instanceof TlsServer) {
    server.prependListener('secureConnection', (socket: SecureSocket) => {
      const below = socket._parent
      const entry = below == null ? undefined : tracked.get(below)
      if (entry === undefined) return
      // First in, then out: an empty network is forgotten.
      if (!socket.destroyed) enter(socket, { ...entry })
      leave(below!)
    })
  }
  server.prependListener('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    const entry = tracked.get(socket)
    if (entry === undefined) return
    if (entry.asked++ === 0) setState(socket, entry, 'busy')
    response.once('close', () => {
      if (--entry.asked > 0 || tracked.get(socket) !== entry) return
      setState(socket, entry, 'quiet')
      makeRoom(entry)
    })
  })
  return {
    upgraded: socket => void leave(socket),
    limit,
  }
}

/**
 * Which socket a full server closes: the oldest silent one of the network with the most. Where those that wait for an
 * answer are the greater part, and one network has more of them than its share, the oldest of these.
 */
function crowdedOut(networks: Networks): Socket | null {
  const { quiet, busy } = networks.counts
  const crowd = busy > quiet ? networks.heaviest('busy') : null
  if (crowd !== null && crowd.counts.busy > LEAST_SHARE && !crowd.isProxy) return oldestOf(crowd, 'busy')
  const silent = networks.heaviest('quiet')
  return silent === null ? null : oldestOf(silent, 'quiet')
}

function destroy(socket: Socket): void {
  socket.destroy()
}

/** Connections that a server has, those that no request came of among them. */
function connectionsOf(server: SocketServer, least: number): number {
  // Node's own count, which `getConnections` tells by a callback alone.
  const { _connections: count } = server as SocketServer & { readonly _connections?: number }
  return typeof count === 'number' ? count : least
}
