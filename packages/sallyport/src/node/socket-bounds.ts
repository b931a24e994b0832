import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { Server as SocketServer, type Socket } from 'node:net'
import { Server as TlsServer, type TLSSocket } from 'node:tls'
import { remoteOf } from '../request/remote-address.ts'
import { shareDescriptors } from './descriptors.ts'
import { requireServer } from './http-server.ts'
import { createNetworks, type Network, type Networks, oldestOf, type SocketState } from './networks.ts'

/** Why a socket was closed before it became a WebSocket. */
export type SocketLoss =
  /** It had sent no complete request, and others needed its place. */
  | 'silent'
  /** The server was full. */
  | 'full'

/** The parameters of {@link boundSockets}. */
export interface SocketBoundsOptions {
  /** Most sockets at once, including WebSockets. Fewer if the system gives the process fewer descriptors. */
  most: number
  /** Descriptors of one connection: 2 if it is relayed. Default 1. */
  readonly descriptorsEach?: number
  /** For tests: the descriptors of the process. */
  readonly descriptors?: number
  /** The server that accepts the sockets, if it is another one (one that reads a PROXY header first). */
  readonly front?: SocketServer
  /** Whether an address is a proxy that many clients share. It has no bound of its own. */
  readonly isProxy: (address: string) => boolean
  /** Called when a socket was closed. `address` is that of its peer. */
  readonly lost: (loss: SocketLoss, address: string) => void
}

/** Bounds on the sockets of a server that are not WebSockets. */
export interface SocketBounds {
  /** The socket has sent a complete handshake. The policy counts it from now on. */
  upgraded(socket: Socket): void
  /** Sets the most sockets at once. */
  limit(most: number): void
}

/** Every network may have this many silent sockets, even if the server is full. */
const LEAST_SHARE = 16
/** Sockets that Node accepts beyond the bound, so that this module and not Node chooses which one is closed. */
const SLACK = 256

interface Tracked {
  readonly leaf: Network
  readonly root: Network
  readonly address: string
  state: SocketState
  /** Number of requests that are not answered yet. */
  asked: number
}

/** The socket below TLS, which the types of TLSSocket lack. */
interface SecureSocket extends TLSSocket {
  readonly _parent?: Socket | null
}

/**
 * Prevents one address from taking every place of a server. A socket is silent while the server has no complete request
 * of it: nothing has arrived, the TLS handshake or the head of a request is unfinished, or the last request is
 * answered.
 *
 * The silent sockets of one network (an IPv4 address, an IPv6 /48) may be as many as the free places of the server.
 * Beyond that the network's oldest silent socket is closed. If the server is full all the same, the network with the
 * most silent sockets loses its oldest one. So one address leaves half of the places to others, and two leave a third.
 * A new client always has time to send a request.
 *
 * Call it after `installFirstBytesReader` and before the server listens. It does nothing for servers that are not from
 * `node:net`, such as Bun's.
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
    // The server may be about to read it, because the socket arrived in this call.
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
      // Enter before leaving, because an empty network is forgotten.
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
 * The socket that a full server closes: the oldest silent one of the network with the most. If most sockets wait for an
 * answer, and one network has more of those than its share, it is the oldest of these.
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

/** Number of a server's connections, including those that have sent no request. */
function connectionsOf(server: SocketServer, least: number): number {
  // Node's own count. `getConnections` gives it only by a callback.
  const { _connections: count } = server as SocketServer & { readonly _connections?: number }
  return typeof count === 'number' ? count : least
}
