import type { KernelQueue } from '../model/kernel-queue.ts'

/**
 * What a connection needs from the socket below it. `ws`, the engine of `serve()` and other stacks implement it.
 * Nothing here throws. After `close` only `resume` and `terminate` still act, so that the peer's answer can be read, or
 * the peer cut. After `terminate` nothing acts.
 */
export interface Transport {
  /** Bytes given to the transport that the kernel has not taken yet. */
  readonly bufferedAmount: number
  /**
   * Whether the peer has sent only a part of a frame. A transport that cannot tell leaves out this member and the next
   * one.
   */
  readonly midFrame?: boolean
  /** Bytes received from the peer in all. */
  readonly bytesRead?: number
  /** Bytes that the kernel still holds for the peer. Null, or left out, if they are unknown. */
  kernelQueue?(): KernelQueue | null
  sendText(text: string): void
  /**
   * Sends a value as JSON.stringify writes it, if the transport can write it itself. Returns the bytes of text sent, or
   * -1 if it cannot.
   */
  sendJson?(value: object): number
  sendBinary(bytes: Uint8Array): void
  ping(): void
  /** Sends a pong without a ping. The peer does not answer it (RFC 6455 §5.5.3). */
  pong?(): void
  /**
   * Limits each read to few bytes, or removes that limit. It is called while read messages wait. Left out if reads
   * cannot be limited.
   */
  readLess?(less: boolean): void
  /**
   * Whether the peer has reset the connection. It is asked while the socket is not read. Left out if that is unknown.
   */
  isReset?(): boolean
  /** Bytes that were read and wait here after `pause`. For a transport that does not call `kept`. */
  readonly keptBytes?: number
  /** Stops reading from the socket. Frames that were read before may still be delivered. */
  pause(): void
  /** Reads on. It never delivers during the call itself. */
  resume(): void
  /** Starts the closing handshake (RFC 6455 §7.1.2). The transport itself cuts a peer that does not answer. */
  close(code: number, reason: string): void
  /** Cuts the TCP connection at once. */
  terminate(): void
  /**
   * Sets the greatest accepted message from now on, in bytes: a small one before authentication, the policy's after it.
   */
  limit(maxMessageBytes: number): void
}

/**
 * The functions that a transport calls when something arrives. The calls follow the order of the bytes. None comes
 * after `closed`.
 */
export interface Inlet {
  /** Whether nothing may be sent yet, not even a pong. */
  readonly silent?: boolean
  /** One complete text message. It is valid UTF-8. `bytes` is its length after inflation. */
  text(text: string, bytes: number): void
  /** One complete text message as bytes. The transport may reuse the bytes after the call returns. */
  utf8(bytes: Buffer, start: number, end: number, ascii: boolean): void
  /** One complete binary message. The transport may reuse the bytes after the call returns. */
  binary(bytes: Uint8Array): void
  /** `bytes` were read since the pause and wait in the transport. */
  kept?(bytes: number): void
  pinged(): void
  ponged(): void
  /** The peer broke the protocol or a bound of the wire. The transport closes by itself with `closeCode`. */
  violation(closeCode: number, detail: string): void
  /** The peer's close frame has arrived. The connection ends when the bytes that wait for the peer have left. */
  closing?(): void
  /** The connection ended. `code` is the received code, or 1006. Called exactly once. */
  closed(code: number): void
}
