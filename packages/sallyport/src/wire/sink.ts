import type { WireFault } from './faults.ts'

/**
 * The calls of a decoder, in the order of the bytes. `bytes[start..end)` is memory of the decoder or its caller. It is
 * valid until the call returns, so code that keeps it must copy it.
 */
export interface WireSink {
  /** One complete text message, valid UTF-8. `ascii` is true if every byte is below 0x80. */
  text(bytes: Buffer, start: number, end: number, ascii: boolean): void
  /** One complete binary message. */
  binary(bytes: Buffer, start: number, end: number): void
  /** Whether complete messages of a server may be delivered as frames by `frames`, instead of one by one. */
  readonly takesFrames?: boolean
  /** Complete messages of a server. The frames in `bytes[start..end)` may be sent by another server unchanged. */
  frames?(bytes: Buffer, start: number, end: number, messages: number, payloadBytes: number): void
  /** A ping. The same bytes must be sent back as a pong (RFC 6455 §5.5.3). */
  pinged(bytes: Buffer, start: number, end: number): void
  ponged(bytes: Buffer, start: number, end: number): void
  /** The peer closes. `code` is 1005 if it gave none. Nothing after it is read. */
  closing(code: number, reason: string): void
  /** The peer broke a rule or a bound. Nothing after it is read. */
  fault(fault: WireFault): void
}

/** The string of a text message: a copy of bytes to Latin-1 where they are known to be ASCII, else from UTF-8. */
export function textOf(bytes: Buffer, start: number, end: number, ascii: boolean): string {
  return bytes.toString(ascii ? 'latin1' : 'utf8', start, end)
}
