/**
 * For who embeds a guard into a server of their own, such as a proxy: the doors, one by one, and the engine that speaks
 * RFC 6455 for them. An application wants `createGuard` and `serve` instead.
 *
 * `receive` handshakes as they come; or `view` a request and `admit` it, and answer with the refusal. What passed is
 * accepted (`accept`) or given up (`abandon`).
 * An admission that is neither accepted nor abandoned holds its places in the counts of `handshake/connections`.
 */
import type { IncomingMessage } from 'node:http'
import type { Admission, Admittance } from './guard/admission.ts'
import type { Connection } from './connection/connection.ts'
import type { LiveConnection } from './connection/live-connection.ts'
import { insideOf } from './guard/registry.ts'
import type { HandshakeRequest } from './model/handshake-request.ts'
import type { Guard } from './guard/guard.ts'
import type { SchemaMap } from './model/policy.ts'
import { deny } from './model/verdict.ts'
import { createOpener, createReceiver, type Opening, type Reception, type Taker } from './server/engine.ts'
import type { EngineSocket } from './server/engine-socket.ts'
import type { Session } from './model/session.ts'

/** A guard's doors, for a server that is not ours. */
export interface Embedding {
  /** Views Node's request as the doors see one. */
  view(request: IncomingMessage): HandshakeRequest
  /**
   * Where the handshakes of an HTTP server go: each is judged by the door, and refused on its socket
   * (with a body under way too, whatever report mode says), or given to `take`. Within the call, where no control waits.
   */
  receive(take: Taker): Reception
  /**
   * Runs the handshake door. Never throws; the answer is synchronous when every control's was.
   * @param early bytes came behind the request before it was answered (RFC 6455 §4.1 forbids it), or it came behind one
   *   that is not answered yet
   */
  admit(request: HandshakeRequest, early?: boolean): Admittance | Promise<Admittance>
  /** Gives up an admission that is not accepted. */
  abandon(admission: Admission): void
  /** Answers 101 on the socket, which the engine has from then on, and opens the guarded connection. */
  accept(admission: Admission, opening: Opening): EmbeddedConnection
  /**
   * Takes an open connection of another guard over, as a reload of the policy does: it keeps its socket, its messages are
   * judged by this guard from now on, and it is ended where this handshake door would refuse it today.
   */
  adopt(embedded: EmbeddedConnection): void
}

/** An open connection, with what a relay needs beyond {@link Connection}. */
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

  /** When its right was last confirmed, in ms since the epoch: by its handshake or by a look-up since. No reload changes it. */
  get confirmedAt(): number {
    return this.#live.checkedAt
  }

  /** Puts it under another guard; for `adopt` alone. */
  adoptBy(adopt: (live: LiveConnection) => void): void {
    if (this.#live.readyState < 2) adopt(this.#live)
  }

  /** Sends `bytes[start..end)`, UTF-8 already, as text. Past `message/outbound`: where that is declared use `connection.send`. */
  forwardText(bytes: Uint8Array, start: number, end: number): void {
    if (this.#live.readyState !== 1) return
    this.#transport.sendUtf8(bytes, start, end)
    this.#live.sent(end - start)
  }

  /** Sends bytes as a binary message. Past `message/outbound`, as above. */
  forwardBinary(bytes: Uint8Array): void {
    if (this.#live.readyState !== 1) return
    this.#transport.sendBinary(bytes)
    this.#live.sent(bytes.length)
  }

  /** Whether whole messages may be forwarded as frames: not where what it sends is compressed. */
  get takesFrames(): boolean {
    return !this.#transport.compresses
  }

  /** Sends `bytes[start..end)`, frames of whole messages as the wire's `FrameRun` knows them. Past `message/outbound`, as above. */
  forwardFrames(bytes: Uint8Array, start: number, end: number, messages: number, payloadBytes: number): void {
    if (this.#live.readyState !== 1) return
    this.#transport.sendFrames(bytes, start, end)
    this.#live.sent(payloadBytes, messages)
  }

  /** Takes no more messages for now: none is read and none judged until `release`. */
  hold(): void {
    this.#live.hold()
  }

  release(): void {
    this.#live.release()
  }

  /** Ends it as `lifetime/backpressure` does: the client takes nothing of what waits for it. */
  endSlow(detail: string): void {
    this.#live.end(deny('SALLY_BACKPRESSURE', { reason: 'relay', detail }))
  }
}

/** The doors of a guard. Throws a `TypeError` for anything that `createGuard` did not make. */
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
