import type { KernelQueue } from '../model/kernel-queue.ts'

/**
 * What a connection needs of the socket below it: `ws`, the engine of `serve()` and others implement it.
 * Nothing here throws. After `close` only `resume` and `terminate` still act, so that the peer's answer is read, or the
 * peer cut; after `terminate` nothing does.
 */
export interface Transport {
  /** Bytes handed to the transport that the peer's kernel has not taken yet. */
  readonly bufferedAmount: number
  /** Whether a frame of the peer has begun and is not whole. A transport that cannot tell leaves this and the next out. */
  readonly midFrame?: boolean
  /** Bytes that came from the peer in all. */
  readonly bytesRead?: number
  /** What the kernel still holds for the peer; null, or left out, where nobody can tell. */
  kernelQueue?(): KernelQueue | null
  sendText(text: string): void
  /** Sends what JSON.stringify makes of a value, where the transport can write it itself. Bytes of text sent; -1 where it cannot. */
  sendJson?(value: object): number
  sendBinary(bytes: Uint8Array): void
  ping(): void
  /** A pong that nobody asked for, and nobody answers (RFC 6455 §5.5.3). */
  pong?(): void
  /** Reads less at once, or as much as ever: something of what was read waits. Left out where a read cannot be bounded. */
  readLess?(less: boolean): void
  /** Whether the peer has reset the connection, asked while it is not read. Left out where nobody can tell. */
  isReset?(): boolean
  /** Bytes that were read and wait here once it is paused, where `kept` is not called. */
  readonly keptBytes?: number
  /** Stops reading from the socket. Frames that were read already may still be delivered. */
  pause(): void
  /** Reads on. Never delivers from within the call. */
  resume(): void
  /** Starts the closing handshake (RFC 6455 §7.1.2); the transport itself cuts a peer that does not answer it. */
  close(code: number, reason: string): void
  /** Cuts the TCP connection at once. */
  terminate(): void
  /** Sets the greatest message accepted from now on, in bytes: small before authentication, the policy's after it. */
  limit(maxMessageBytes: number): void
}

/** What a transport calls as things arrive. Calls come in the order of the bytes and never after `closed`. */
export interface Inlet {
  /** Whether nothing may be sent yet, a pong neither. */
  readonly silent?: boolean
  /** One whole text message, already known to be UTF-8; `bytes` is its length on the wire after inflation. */
  text(text: string, bytes: number): void
  /** The same, from its bytes, which may be reused by the transport after the call returns. */
  utf8(bytes: Buffer, start: number, end: number, ascii: boolean): void
  /** One whole binary message. The bytes may be reused by the transport after the call returns. */
  binary(bytes: Uint8Array): void
  /** So many bytes were read and wait in the transport, since it was paused. */
  kept?(bytes: number): void
  pinged(): void
  ponged(): void
  /** The peer broke the protocol or a bound of the wire; the transport closes by itself with `closeCode`. */
  violation(closeCode: number, detail: string): void
  /** The peer's close frame is here; the connection ends once what waits for the peer has left. */
  closing?(): void
  /** The connection ended. `code` is what was received or 1006; called exactly once. */
  closed(code: number): void
}
