import type { Session } from '../model/session.ts'

/** One open, guarded connection. Handlers receive it. */
export interface Connection<S extends Session = Session> {
  /** Unique. Events carry the same id. */
  readonly id: string
  readonly session: S
  /** IP address of the client, found behind trusted proxies. */
  readonly ip: string
  /** Origin of the page. Null for a native client, where the policy allows those. */
  readonly origin: string | null
  /** Path of the handshake. */
  readonly path: string
  /** The negotiated subprotocol. Empty when there is none, as in a browser. */
  readonly protocol: string
  /** Time of the opening, in ms since the epoch. */
  readonly openedAt: number
  /** As in a browser: 1 open, 2 closing, 3 closed. In first-message mode it is 0 until the client is authenticated. */
  readonly readyState: 0 | 1 | 2 | 3
  /** Bytes that were sent and that the peer has not taken yet. */
  readonly bufferedAmount: number
  /** Aborts when the connection ends. Pass it to the work that a handler awaits. */
  readonly signal: AbortSignal
  /** For the app. The library never reads it. */
  data: unknown
  /**
   * Sends an object as JSON, and text or bytes unchanged. Returns false when nothing was sent: the connection is not
   * open, or `message/outbound` refused the message (an event says why). In first-message mode, messages that are sent
   * before the authentication wait for it. Throws a `TypeError` for a value that JSON cannot express: undefined, a
   * Promise that was not awaited, a Map, an object that contains a bigint.
   */
  send(message: object | string): boolean
  /**
   * Runs a task that lasts longer than its message, such as a stream. The task does not count as a running handler, so
   * later messages are read, also the one that stops the task. An error of the task is reported like an error of a
   * handler. Returns false, and does not run the task, when the connection is not open or when
   * `message.concurrency.background` tasks run already. The task should stop when `signal` aborts.
   */
  background(task: () => unknown): boolean
  /**
   * Starts the closing handshake. Default code 1000. Throws a `RangeError` for a code that may not be sent (RFC 6455
   * §7.4).
   */
  close(code?: number, reason?: string): void
  /** Cuts the connection without a closing handshake. */
  terminate(): void
}
