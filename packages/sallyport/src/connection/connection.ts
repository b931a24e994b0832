import type { Session } from '../model/session.ts'

/** One open, guarded connection, as handlers get it. */
export interface Connection<S extends Session = Session> {
  /** Unique; the same as in events. */
  readonly id: string
  readonly session: S
  /** Address of the client, through trusted proxies. */
  readonly ip: string
  /** Origin of the page; null for a native client, where those are allowed. */
  readonly origin: string | null
  /** Path of the handshake. */
  readonly path: string
  /** The negotiated subprotocol; empty when there is none, as in a browser. */
  readonly protocol: string
  /** Ms since the epoch. */
  readonly openedAt: number
  /** As in a browser: 1 open, 2 closing, 3 closed. In first-message mode 0 until authenticated. */
  readonly readyState: 0 | 1 | 2 | 3
  /** Bytes that wait for the peer. */
  readonly bufferedAmount: number
  /** Aborts when the connection ends: hand it to what a handler awaits. */
  readonly signal: AbortSignal
  /** The app's own. */
  data: unknown
  /**
   * Sends an object as JSON, or text or bytes as they are. False when it was not sent: the connection is not open, or
   * `message/outbound` refused it (an event says why). In first-message mode what is sent early waits for authentication.
   * Throws a `TypeError` for what JSON cannot bear: undefined, a Promise that was not awaited, a Map, a bigint in it.
   */
  send(message: object | string): boolean
  /**
   * Runs a task that outlives its message, such as a stream: it is no running handler, so that the messages that end it are
   * read. What it throws is reported as what a handler throws. False, and it is not run, when the connection is not open or
   * `message.concurrency.background` tasks run already. It should end with `signal`.
   */
  background(task: () => unknown): boolean
  /** Starts the closing handshake. Default 1000. Throws a `RangeError` for a code that may not be sent (RFC 6455 §7.4). */
  close(code?: number, reason?: string): void
  /** Cuts the connection without a closing handshake. */
  terminate(): void
}
