/**
 * The parts of the package `ws` that the guard's own types name. The types of `ws` are compatible with them. An app
 * that uses only `serve()` needs neither `ws` nor `@types/ws`.
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

/** The class of the sockets of `ws`, or a class that extends it. */
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

/** Returns whether it handled the upgrade. False leaves the socket untouched for the next handler. */
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => boolean

/** Bounds of `ws`'s receiver. They hold even if the options of the server are changed later. */
export interface ReceiverLocks {
  readonly maxPayload: number
  readonly maxFragments: number
  readonly maxBufferedChunks: number
  readonly skipUTF8Validation: false
}

/**
 * The options of `guard.ws()` for a `WebSocketServer`. Spread them last, because each one is a lock. They always include
 * the class of the sockets: see {@link ClassOption}.
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
  /** Set with `ticket.carrier: 'first-message'`. `ws` then refuses to start a server of its own. */
  readonly noServer?: true
}

/** Names the option `WebSocket` only if you passed the class, so that the types of the server stay those of `ws`. */
export type ClassOption<W> = W extends WsClass ? { readonly WebSocket: W } : unknown
