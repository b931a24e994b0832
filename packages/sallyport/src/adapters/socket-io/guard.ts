/**
 * Guards a Socket.IO server (4.7 or later), over WebSocket and long polling. The handshake door stands before each request: the
 * first of a session passes all of it, every later one the origin and the session again, since `allowRequest` is not asked there.
 *
 * Behind it the guard judges every packet before Socket.IO sees it. An event is a message: its name is the type, its one
 * argument is an object, and an acknowledgement may follow. `auth` and the answers of clients are judged by the schemas of the
 * options, and pass only if they are empty where there is none. Binary packets and undeclared namespaces are refused.
 *
 * Handlers are not counted (`message/concurrency`), and what the app sends is its own (`message/outbound` is refused). Silent
 * peers are ended by Socket.IO's own heartbeat. Tickets need the carrier `query`, which both transports can carry:
 * `io({ query: { ticket } })`, fetched for `?path=/socket.io/`.
 */
import { insideOf } from '../../guard/registry.ts'
import type { Guard } from '../../guard/guard.ts'
import { requireOptions } from '../../shape/options.ts'
import type { SchemaMap } from '../../model/schema-kinds.ts'
import type { Session } from '../../model/session.ts'
import { Admissions, guardConnections } from './connections.ts'
import { createPacketDoors } from './packets.ts'
import { createRequestDoors, guardRequests } from './requests.ts'
import {
  claimPath,
  type NamespaceSocket,
  type Next,
  refuseUnfit,
  type ServerInnards,
  type SocketIoOptions,
  type SocketIoServerLike,
} from './server.ts'
import type { PacketStream } from './stream.ts'
import { type EngineInnards, guardTransports } from './transports.ts'

/**
 * Puts a guard before and into a Socket.IO server. Call it right after `new Server(httpServer, { maxHttpBufferSize: 65_536 })`. Throws a
 * `TypeError` for what would pass unchecked, with what to write instead, and a SchemaError for a schema that does not hold.
 */
export function guardSocketIo<S extends Session, M extends SchemaMap>(
  io: SocketIoServerLike,
  guard: Guard<S, M>,
  options: SocketIoOptions = {},
): void {
  const inside = insideOf(guard)
  refuseUnfit(io, guard.policy)
  requireOptions('guardSocketIo', options, ['auth', 'acknowledgements'], 'guardSocketIo(io, guard, { auth: schema })')
  const innards = io as unknown as ServerInnards
  const services = {
    doors: createPacketDoors(inside, options),
    encoder: io.encoder,
    isDeclared: (namespace: string) => io._nsps.has(namespace) || innards.parentNsps.size > 0,
  }
  claimPath(innards)
  // Else a client could create namespaces of a pattern without end.
  innards._opts.cleanupEmptyChildNamespaces = true

  const streams = new Map<string, PacketStream>()
  const admissions = new Admissions(inside.core)
  const requests = createRequestDoors(inside)
  guardRequests(io, inside, requests, admissions, sid => streams.get(sid)?.live)
  guardTransports(io.engine as unknown as EngineInnards, guard.policy, sid => streams.get(sid))
  guardConnections(io, inside, admissions, {
    services,
    opened: (sid, stream) => streams.set(sid, stream),
    ended(sid) {
      streams.delete(sid)
      requests.ended(sid)
    },
  })
  guardNamespaces(io, sid => streams.get(sid))
}

/** Lets only guarded connections into a namespace, and notes the events that wait for an acknowledgement. */
function guardNamespaces(io: SocketIoServerLike, find: (sid: string) => PacketStream | undefined): void {
  const enter = (given: unknown, next: Next): void => {
    const socket = given as NamespaceSocket
    const stream = find(socket.conn.id)
    if (stream?.live.readyState !== 1) return next(new Error('SALLY_SESSION_MISSING'))
    const notify = socket.notifyOutgoingListeners.bind(socket)
    socket.notifyOutgoingListeners = packet => {
      if (packet.id !== undefined) stream.asks(socket.nsp.name, packet.id, String(packet.data[0]))
      notify(packet)
    }
    next()
  }
  io.use(enter)
  io.sockets.on('new_namespace', namespace => (namespace as Pick<SocketIoServerLike, 'use'>).use(enter))
}

export type { EngineSocketLike, SocketIoOptions, SocketIoServerLike } from './server.ts'
