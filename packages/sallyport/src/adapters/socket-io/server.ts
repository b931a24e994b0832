import type { IncomingMessage } from 'node:http'
import type { Schema } from '../../model/schema-kinds.ts'
import { kindOf, show } from '../../shape/shown.ts'
import type { Policy } from '../../policy/types.ts'

/** Continues after a middleware. */
export type Next = (error?: Error) => void

/** Schemas for parts that only Socket.IO has, so that the policy cannot declare them. */
export interface SocketIoOptions {
  /** The schema of `auth`, which a client sends when it joins a namespace. Without one only an empty `auth` passes. */
  readonly auth?: Schema
  /**
   * Schemas of what clients answer to `emitWithAck` and to emits with a callback, by the name of the event that asked.
   * The schema describes the one value of the answer. Without one only an empty answer passes.
   */
  readonly acknowledgements?: { readonly [event: string]: Schema }
}

/** A packet of Socket.IO, as its own decoder reads it. */
export interface Packet {
  readonly type: number
  readonly nsp: string
  readonly id?: number
  data?: unknown
}

/** A packet of Engine.IO. */
export interface EnginePacket {
  readonly type: string
  readonly data?: unknown
}

/** The members of Engine.IO's socket that are used. */
export interface EngineSocketLike {
  readonly id: string
  readonly request: IncomingMessage
  readonly writeBuffer: readonly { readonly data?: unknown }[]
  on(event: string, listener: (...given: never[]) => void): unknown
  write(data: string | Uint8Array): unknown
  close(discard?: boolean): unknown
}

/** The members of Socket.IO's socket that are used. */
export interface NamespaceSocket {
  readonly conn: { readonly id: string }
  readonly nsp: { readonly name: string }
  /** Called for each event that leaves, by this socket or by a broadcast. */
  notifyOutgoingListeners(packet: { readonly id?: number; readonly data: readonly unknown[] }): void
}

/** The members of Socket.IO's server that are used. Give the server itself. */
export interface SocketIoServerLike {
  readonly _opts: {
    readonly connectionStateRecovery?: unknown
    readonly parser?: unknown
    readonly wsEngine?: unknown
    readonly allowEIO3?: unknown
    readonly perMessageDeflate?: unknown
  }
  readonly engine: {
    readonly opts: { readonly maxHttpBufferSize?: number; readonly transports?: readonly string[] }
    use(middleware: (request: IncomingMessage, response: unknown, next: Next) => void): unknown
    on(event: string, listener: (given: unknown) => void): unknown
    prependListener(event: string, listener: (given: unknown) => void): unknown
  }
  readonly sockets: { on(event: 'new_namespace', listener: (namespace: unknown) => void): unknown }
  readonly encoder: { encode(packet: never): readonly (string | Uint8Array)[] }
  readonly _nsps: ReadonlyMap<string, unknown>
  use(middleware: (socket: unknown, next: Next) => void): unknown
}

/** Members of Socket.IO's server that its types leave out. */
export interface ServerInnards {
  readonly _opts: { cleanupEmptyChildNamespaces?: boolean }
  _parser: { readonly Decoder: new () => DecoderLike }
  readonly parentNsps: ReadonlyMap<unknown, unknown>
  readonly httpServer?: object
  path(): string
}

/** The decoder of one connection. */
export interface DecoderLike {
  on(event: 'decoded', listener: (packet: Packet) => void): unknown
  removeListener(event: 'decoded', listener: (packet: Packet) => void): unknown
  add(data: unknown): void
  destroy(): void
}

/** Throws a `TypeError` for a server or a policy with which something would pass unchecked. */
export function refuseUnfit(io: SocketIoServerLike, policy: Policy): void {
  if (typeof io !== 'object' || (io as unknown) === null || !(io._nsps instanceof Map)) {
    refuse(`io is ${kindOf(io)}, no server of Socket.IO; write guardSocketIo(new Server(httpServer, { … }), guard)`)
  }
  if ((io.engine as unknown) === undefined) refuse('attach the server first: new Server(httpServer)')
  if (io._nsps.size > 1 || (io as unknown as ServerInnards).parentNsps.size > 0)
    refuse('call it before the first io.of(…): a namespace that is there already is not guarded')
  refuseServer(io, policy)
  refusePolicy(policy)
}

function refuseServer(io: SocketIoServerLike, { message }: Policy): void {
  const { maxHttpBufferSize = Infinity, transports = [] } = io.engine.opts
  if (maxHttpBufferSize > message.size.bytes) {
    refuse(
      `maxHttpBufferSize is ${maxHttpBufferSize}, over message.size.bytes; write new Server(httpServer, { maxHttpBufferSize: ${message.size.bytes} })`,
    )
  }
  const { connectionStateRecovery, parser, wsEngine, allowEIO3, perMessageDeflate } = io._opts
  if (connectionStateRecovery !== undefined)
    refuse('leave connectionStateRecovery out: what it restores skips every check')
  if (parser !== undefined) refuse('leave parser out: the packets of another parser are not read')
  if (wsEngine !== undefined) refuse('leave wsEngine out: the bounds on frames are those of ws')
  if (allowEIO3) refuse('leave allowEIO3 out: the packets of protocol 3 are not judged; update the clients')
  if (perMessageDeflate) refuse('leave perMessageDeflate out: what it inflates is not bounded by the policy')
  if (transports.includes('webtransport'))
    refuse("write transports: ['polling', 'websocket']: WebTransport is not guarded")
  if (!('createTransport' in io.engine) || !('init' in io.engine) || 'apply' in io.engine)
    refuse('this engine is not the one of Node: for uWebSockets.js put the gateway in front')
  // Since 8.20 `ws` has a bound on fragments, and a default for it.
  const { ws } = io.engine as { readonly ws?: { readonly options?: { readonly maxFragments?: number } } }
  if (ws !== undefined && ws.options?.maxFragments === undefined)
    refuse(
      'its ws has no bound on fragments: update socket.io, or write "overrides": { "ws": "^8.21.1" } in package.json',
    )
}

function refusePolicy({ handshake, message }: Policy): void {
  if (handshake.ticket !== null && handshake.ticket.carrier !== 'query')
    refuse("write handshake.ticket.carrier: 'query'")
  if (message.outbound !== null) refuse('message.outbound cannot be held to: leave it out')
  if (message.rate?.exceed === 'delay') refuse("write message.rate.exceed: 'close' or 'drop'")
  const data = message.format?.data ?? 'json'
  if (data !== 'json') refuse("events are JSON: leave message.format.data at 'json'")
  if (message.heartbeat.length > 0) refuse('leave message.heartbeat out: Socket.IO has a heartbeat of its own')
}

/** Paths of guarded servers by HTTP server. */
const paths = new WeakMap<object, string[]>()

/** Throws a `TypeError` where two guarded servers would answer one upgrade. */
export function claimPath(io: ServerInnards): void {
  if (io.httpServer === undefined) return
  const path = `${io.path()}/`
  const taken = paths.get(io.httpServer) ?? []
  const other = taken.find(one => one.startsWith(path) || path.startsWith(one))
  if (other !== undefined) {
    refuse(
      `the path ${show(path)} and the path ${show(other)} of another server overlap, and both would answer; write new Server(httpServer, { path: '/other' })`,
    )
  }
  paths.set(io.httpServer, [...taken, path])
}

function refuse(what: string): never {
  throw new TypeError(`guardSocketIo: ${what}`)
}
