/**
 * What of the package `ws` the guard's own types name. The types of `ws` fit in here; who uses `serve()` alone needs neither
 * `ws` nor `@types/ws`.
 */
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import type { Duplex } from 'node:stream'

/** A socket of `ws`. */
export interface WsSocket {
  readonly readyState: number
  readonly protocol: string
  send(data: string): void
  pause(): void
  terminate(): void
}

/** The class of the sockets of `ws`, or one that extends it. */
export type WsClass = new (...given: never[]) => WsSocket

/** A `WebSocketServer` of `ws`. */
export interface WsServer {
  handleUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    opened: (socket: WsSocket, request: IncomingMessage) => void,
  ): void
  emit(event: 'connection', socket: WsSocket, request: IncomingMessage): boolean
}

/** Answers whether the upgrade was its own; false leaves the socket untouched for the next one. */
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => boolean

/** Bounds of `ws`'s receiver, held whatever the options of the server became. */
export interface ReceiverLocks {
  readonly maxPayload: number
  readonly maxFragments: number
  readonly maxBufferedChunks: number
  readonly skipUTF8Validation: false
}

/**
 * What `guard.ws()` gives to a `WebSocketServer`. Spread it last: each option is a lock. The class of the sockets is always
 * among them; see {@link ClassOption}.
 */
export interface WsOptions extends ReceiverLocks {
  readonly verifyClient: (
    info: { readonly origin: string; readonly secure: boolean; readonly req: IncomingMessage },
    callback: (pass: boolean, status?: number, body?: string, headers?: OutgoingHttpHeaders) => void,
  ) => void
  readonly handleProtocols: (offered: Set<string>, request: IncomingMessage) => string | false
  readonly perMessageDeflate:
    | false
    | {
        readonly threshold: number
        readonly concurrencyLimit: number
        readonly serverNoContextTakeover: true
        readonly clientNoContextTakeover: true
      }
  readonly closeTimeout: number
  /** With `ticket.carrier: 'first-message'`: `ws` then refuses to start on a server of its own. */
  readonly noServer?: true
}

/** Names the option `WebSocket` only where you gave the class, so that the types of the server stay those of `ws`. */
export type ClassOption<W> = W extends WsClass ? { readonly WebSocket: W } : unknown
