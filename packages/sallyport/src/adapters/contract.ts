/**
 * The contract between a way in and a guard. A way in accepts sockets of one stack, such as Node's, Bun's or a message
 * port's, and translates them. It decides nothing.
 *
 * 1. Describe each request that wants a connection (`fromNode`, `fromWeb`), and ask `admit`.
 * 2. Refused: answer with the status, headers and body given. Passed: `open` a connection with a {@link Transport}, or
 *    `abandon` the admission. One that is neither holds its slots for as long as the process lives.
 * 3. Give the connection what arrives: `receive`, `pinged`, `ponged`, `violation`, `closing`, and `closed` once.
 * 4. The guard calls the transport: it sends, pings, pauses, and ends the connection.
 *
 * `docs/adapters.md` shows a whole adapter, and the test suite that each must pass.
 */
import type { IncomingMessage } from 'node:http'
import type { Connection } from '../connection/connection.ts'
import type { Delivery } from '../connection/services.ts'
import type { Transport } from '../connection/transport.ts'
import type { Admission, Admittance } from '../guard/admission.ts'
import { insideOf } from '../guard/registry.ts'
import type { Guard } from '../guard/guard.ts'
import type { HandshakeRequest } from '../model/handshake-request.ts'
import type { SchemaMap } from '../model/schema-kinds.ts'
import type { Session } from '../model/session.ts'
import type { Awaitable } from '../model/verdict.ts'

/** How a request came. */
export interface Arrival {
  /**
   * Bytes came behind the request before it was answered, or it follows a request that is not answered yet. RFC 6455 §4.1
   * forbids both. Default false.
   */
  readonly early?: boolean
  /**
   * Whether the request is an upgrade to WebSocket. False for a stack with a handshake of its own: then the headers of
   * RFC 6455 §4.2.1, the subprotocol and the fetch metadata are not judged. Default true.
   */
  readonly upgrade?: boolean
}

/** The guard's side of a way in. */
export interface Adapter {
  /** Describes a request of Node's HTTP server. */
  fromNode(request: IncomingMessage): HandshakeRequest
  /** Describes a web `Request`. `ip` is the address of the peer as the host knows it, not as a header says it. */
  fromWeb(request: Request, ip: string): HandshakeRequest
  /** Runs the handshake door. Never throws. The answer is a promise only where that of a control is. */
  admit(request: HandshakeRequest, arrival?: Arrival): Awaitable<Admittance>
  /** Gives up an admission that is not opened, and with it its slots. */
  abandon(admission: Admission): void
  /** Opens the connection that was admitted. `delivery` gets what passes the message door. */
  open(admission: Admission, transport: Transport, delivery: Delivery): GuardedConnection
}

/**
 * One open connection, as its way in drives it. Calls come in the order of the bytes, and none after `closed`. None of
 * them throws.
 */
export interface GuardedConnection {
  /** The same connection as the app gets it. */
  readonly connection: Connection
  /** Tells the app that it is open. Call it once, when the transport can send. */
  begin(): void
  /** One whole message: text, or bytes of a binary one. The bytes may be reused after the call. */
  receive(message: string | Uint8Array): void
  /** The peer sent a ping. The transport answers it by itself; here it is counted. */
  pinged(): void
  /** The peer answered a ping, or sent a pong that nobody asked for. */
  ponged(): void
  /**
   * The peer broke the rules of the transport, which closes by itself with `closeCode`: 1009 for a message over the bound
   * that `Transport.limit` set, 1007 for text that is not UTF-8, else 1002. `detail` is for events, and holds no text of
   * the peer.
   */
  violation(closeCode: number, detail: string): void
  /** The peer said that it closes. What it sent before is still handled. */
  closing(): void
  /** It ended. `code` is what the peer sent, or 1006. */
  closed(code: number): void
  /** Judges and delivers nothing until `release`, and pauses the transport: for a receiver that is full. */
  hold(): void
  release(): void
}

/** The contract with one guard. Throws a `TypeError` for anything that `createGuard` did not make. */
export function createAdapter<S extends Session, M extends SchemaMap>(guard: Guard<S, M>): Adapter {
  const { core } = insideOf(guard)
  return Object.freeze<Adapter>({
    fromNode: core.fromNode,
    fromWeb: core.fromWeb,
    admit: (request, { early = false, upgrade = true } = {}) =>
      upgrade ? core.admit(request, early) : core.admitPolling(request),
    abandon: core.abandon,
    open(admission, transport, delivery) {
      const live = core.open(admission, transport, delivery)
      return {
        connection: live,
        begin: () => live.begin(),
        receive(message) {
          if (typeof message === 'string') live.text(message, Buffer.byteLength(message))
          else live.binary(message)
        },
        pinged: () => live.pinged(),
        ponged: () => live.ponged(),
        violation: (closeCode, detail) => live.violation(closeCode, detail),
        closing: () => live.closing(),
        closed: code => live.closed(code),
        hold: () => live.hold(),
        release: () => live.release(),
      }
    },
  })
}

export type { Connection } from '../connection/connection.ts'
export type { Delivery } from '../connection/services.ts'
export type { Transport } from '../connection/transport.ts'
export type { MessageSubject } from '../controls/message/message-control.ts'
export type { Admission, Admittance } from '../guard/admission.ts'
export type { HandshakeRequest } from '../model/handshake-request.ts'
