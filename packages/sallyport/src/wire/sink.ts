import type { WireFault } from './faults.ts'

/**
 * What a decoder calls, in the order of the bytes. `bytes[start..end)` is the decoder's or the caller's own memory:
 * it holds until the call returns, and whoever keeps it copies it.
 */
export interface WireSink {
  /** One whole text message, known to be UTF-8; `ascii` when every byte is below 0x80. */
  text(bytes: Buffer, start: number, end: number, ascii: boolean): void
  /** One whole binary message. */
  binary(bytes: Buffer, start: number, end: number): void
  /** Whether whole messages of a server may come as the frames that they are, by `frames`, instead of one by one. */
  readonly takesFrames?: boolean
  /** Whole messages of a server: `bytes[start..end)` are frames that another server may send as they lie. */
  frames?(bytes: Buffer, start: number, end: number, messages: number, payloadBytes: number): void
  /** A ping; the same bytes are owed as a pong (RFC 6455 §5.5.3). */
  pinged(bytes: Buffer, start: number, end: number): void
  ponged(bytes: Buffer, start: number, end: number): void
  /** The peer closes; `code` is 1005 when it gave none. Nothing after it is read. */
  closing(code: number, reason: string): void
  /** The peer broke a rule or a bound. Nothing after it is read. */
  fault(fault: WireFault): void
}

/** The string of a text message: a copy of bytes to Latin-1 where they are known to be ASCII, else from UTF-8. */
export function textOf(bytes: Buffer, start: number, end: number, ascii: boolean): string {
  return bytes.toString(ascii ? 'latin1' : 'utf8', start, end)
}
