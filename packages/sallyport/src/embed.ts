/**
 * For programs that embed a guard into their own server, such as a proxy: the separate doors, and the engine that
 * speaks RFC 6455 for them. An application uses `createGuard` and `serve` instead.
 *
 * Either let `receive` handle the handshakes of an HTTP server. Or `view` a request, `admit` it, and answer with the
 * refusal if it is refused. An admitted handshake must be accepted (`accept`) or given up (`abandon`). Otherwise it
 * holds its slots of `handshake/connections`.
 */
import type { IncomingMessage } from 'node:http'
import type { Admission, Admittance } from './guard/admission.ts'
import type { Connection } from './connection/connection.ts'
import type { LiveConnection } from './connection/live-connection.ts'
import { insideOf } from './guard/registry.ts'
import type { HandshakeRequest } from './model/handshake-request.ts'
import type { Guard } from './guard/guard.ts'
import type { SchemaMap } from './model/schema-kinds.ts'
import { deny } from './model/verdict.ts'
import { createOpener, createReceiver, type Opening, type Reception, type Taker } from './server/engine.ts'
import type { EngineSocket } from './server/engine-socket.ts'
import type { Session } from './model/session.ts'

/** A guard's doors, for another server. */
export interface Embedding {
  /** Describes Node's request as the doors see it. */
  view(request: IncomingMessage): HandshakeRequest
  /**
   * Takes the handshakes of an HTTP server. The door judges each one. A handshake is refused on its socket, or given to
   * `take`. One with an unfinished body is always refused, in report mode too. `take` runs within the call if no
   * control waits.
   */
  receive(take: Taker): Reception
  /**
   * Runs the handshake door. Never throws. The result is synchronous if every control answered synchronously.
   * @param early bytes followed the request before its answer (RFC 6455 §4.1 forbids that), or the request followed
   * another one that has no answer yet
   */
  admit(request: HandshakeRequest, early?: boolean): Admittance | Promise<Admittance>
  /** Gives up an admission that is not accepted. */
  abandon(admission: Admission): void
  /** Answers 101 on the socket and opens the guarded connection. The engine owns the socket from then on. */
  accept(admission: Admission, opening: Opening): EmbeddedConnection
  /**
   * Takes an open connection over from another guard, as a reload of the policy does. The connection keeps its socket.
   * This guard judges its messages from now on, and ends it if this handshake door would refuse it today.
   */
  adopt(embedded: EmbeddedConnection): void
}

/** An open connection with the members that a relay needs in addition to {@link Connection}. */
export class EmbeddedConnection {
  readonly #live: LiveConnection
  readonly #transport: EngineSocket

  constructor(live: LiveConnection, transport: EngineSocket) {
    this.#live = live
    this.#transport = transport
  }

  get connection(): Connection {
    return this.#live
  }

  /**
   * When its right was last confirmed, by its handshake or a later look-up, in ms since the epoch. A reload does not
   * change it.
   */
  get confirmedAt(): number {
    return this.#live.checkedAt
  }

  /** Puts it under another guard. Only `adopt` calls it. */
  adoptBy(adopt: (live: LiveConnection) => void): void {
    if (this.#live.readyState < 2) adopt(this.#live)
  }

  /**
   * Sends `bytes[start..end)`, which must be UTF-8, as text. `message/outbound` does not check it. If that is declared,
   * use `connection.send`.
   */
  forwardText(bytes: Uint8Array, start: number, end: number): void {
    if (this.#live.readyState !== 1) return
    this.#transport.sendUtf8(bytes, start, end)
    this.#live.sent(end - start)
  }

  /** Sends bytes as a binary message. `message/outbound` does not check it. */
  forwardBinary(bytes: Uint8Array): void {
    if (this.#live.readyState !== 1) return
    this.#transport.sendBinary(bytes)
    this.#live.sent(bytes.length)
  }

  /** Whether complete messages may be forwarded as frames. They may not if the connection compresses its output. */
  get takesFrames(): boolean {
    return !this.#transport.compresses
  }

  /**
   * Sends `bytes[start..end)`, the frames of complete messages that the wire's `FrameRun` measured. `message/outbound`
   * does not check them.
   */
  forwardFrames(bytes: Uint8Array, start: number, end: number, messages: number, payloadBytes: number): void {
    if (this.#live.readyState !== 1) return
    this.#transport.sendFrames(bytes, start, end)
    this.#live.sent(payloadBytes, messages)
  }

  /** Stops the messages: none is read and none is judged until `release`. */
  hold(): void {
    this.#live.hold()
  }

  release(): void {
    this.#live.release()
  }

  /** Ends it as `lifetime/backpressure` does, because the client reads nothing of what waits for it. */
  endSlow(detail: string): void {
    this.#live.end(deny('SALLY_BACKPRESSURE', { reason: 'relay', detail }))
  }
}

/** The doors of a guard. Throws a `TypeError` for any value that `createGuard` did not make. */
export function embed<S extends Session, M extends SchemaMap>(guard: Guard<S, M>): Embedding {
  const { core } = insideOf(guard)
  const open = createOpener(core)
  return Object.freeze<Embedding>({
    view: core.fromNode,
    receive: take => createReceiver(core, take),
    admit: core.admit,
    abandon: core.abandon,
    accept(admission, opening) {
      const { live, transport } = open(admission, opening)
      return new EmbeddedConnection(live, transport)
    },
    adopt: embedded => embedded.adoptBy(core.adopt),
  })
}

export type { Admission, Admittance } from './guard/admission.ts'
export type { Delivery } from './connection/services.ts'
export type { HttpAnswer, Refusal } from './guard/refusal.ts'
export type { MessageSubject } from './controls/message/message-control.ts'
export { alteredText } from './controls/message/message-text.ts'
export { refuseSocket } from './node/refuse-socket.ts'
export type { Opening, Reception, Taker }
