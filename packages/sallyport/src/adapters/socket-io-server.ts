import type { IncomingMessage } from 'node:http'
import { kindOf } from '../policy/shown.ts'
import type { Policy } from '../policy/types.ts'

/** How a middleware goes on. */
export type Next = (error?: Error) => void

/** What of Engine.IO's socket is used. */
export interface EngineSocketLike {
  readonly id: string
  readonly request: IncomingMessage
  readonly writeBuffer: readonly { readonly data?: unknown }[]
  on(event: string, listener: (...given: never[]) => void): unknown
  close(discard?: boolean): unknown
}

/** What of Socket.IO's server is used: hand it the server itself. */
export interface SocketIoServerLike {
  readonly _opts: { readonly connectionStateRecovery?: unknown }
  readonly engine: {
    readonly opts: { readonly maxHttpBufferSize?: number }
    use(middleware: (request: IncomingMessage, response: unknown, next: Next) => void): unknown
    on(event: string, listener: (given: unknown) => void): unknown
  }
  readonly sockets: { on(event: 'new_namespace', listener: (namespace: unknown) => void): unknown }
  readonly _nsps: ReadonlyMap<string, unknown>
  use(middleware: (socket: unknown, next: Next) => void): unknown
}

/** Throws a `TypeError` for a server or a policy with which something would pass unchecked. */
export function refuseUnfit(io: SocketIoServerLike, { handshake, message }: Policy): void {
  if (typeof io !== 'object' || (io as unknown) === null || !(io._nsps instanceof Map)) {
    refuse(`io is ${kindOf(io)}, no server of Socket.IO; write guardSocketIo(new Server(httpServer, { … }), guard)`)
  }
  if ((io.engine as unknown) === undefined) refuse('attach the server first: new Server(httpServer)')
  if (io._nsps.size > 1) refuse('call it before the first io.of(…): a namespace that is there already is not guarded')
  const { maxHttpBufferSize = Infinity } = io.engine.opts
  if (maxHttpBufferSize > message.size.bytes) {
    refuse(
      `maxHttpBufferSize is ${maxHttpBufferSize}, over message.size.bytes; write new Server(httpServer, { maxHttpBufferSize: ${message.size.bytes} })`,
    )
  }
  if (handshake.ticket !== null && handshake.ticket.carrier !== 'query')
    refuse("write handshake.ticket.carrier: 'query'")
  if (io._opts.connectionStateRecovery !== undefined)
    refuse('leave connectionStateRecovery out: what it restores skips every check')
  if (message.outbound !== null) refuse('message.outbound cannot be held to: leave it out')
  if (message.heartbeat.length > 0) refuse('Socket.IO has a heartbeat of its own: leave message.heartbeat out')
  if (message.rate?.exceed === 'delay') refuse("write message.rate.exceed: 'close' or 'drop'")
  const data = message.format?.data ?? 'json'
  if (data !== 'json') refuse("events are JSON: leave message.format.data at 'json'")
}

function refuse(what: string): never {
  throw new TypeError(`guardSocketIo: ${what}`)
}
