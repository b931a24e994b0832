import { constants, deflateRawSync, inflateRawSync } from 'node:zlib'
import { FAULTS, type WireFault } from './faults.ts'

/** The end of every compressed message (RFC 7692 §7.2.1). Messages are sent without it. */
const TAIL = Buffer.from([0x00, 0x00, 0xff, 0xff])
const FLUSH = { finishFlush: constants.Z_SYNC_FLUSH } as const
const TOO_BIG = 'ERR_BUFFER_TOO_LARGE'

/** Greatest and least LZ77 window, as the power of two of RFC 7692 §7.1.2. zlib has no raw window of 8 bits. */
export const MAX_WINDOW_BITS = 15
export const MIN_WINDOW_BITS = 9

/**
 * Inflates one message by itself (RFC 7692 §7.2.2). No context is kept between messages, so a connection holds no
 * window, and the size of one message reveals nothing about another. The greatest window also reads smaller ones.
 * Output stops at `maxBytes`, whatever the ratio. Bytes after a final block are refused, except the one zero of
 * §7.2.3.4.
 */
export function inflateMessage(compressed: Uint8Array, maxBytes: number): Buffer | WireFault {
  try {
    // zlib accepts no bound of 0. The byte that it may then write is refused by its length.
    const options = { ...FLUSH, info: true, maxOutputLength: Math.max(1, maxBytes) }
    const { buffer, engine } = inflateRawSync(Buffer.concat([compressed, TAIL]), options) as unknown as Inflated
    if (buffer.length > maxBytes) return FAULTS.WIRE_INFLATE_TOO_BIG
    const unread = compressed.length - engine.bytesWritten
    return unread <= 0 || (unread === 1 && compressed.at(-1) === 0) ? buffer : FAULTS.WIRE_INFLATE
  } catch (error) {
    return (error as { code?: string }).code === TOO_BIG ? FAULTS.WIRE_INFLATE_TOO_BIG : FAULTS.WIRE_INFLATE
  }
}

/** The result of zlib with `info: true`. `bytesWritten` counts the input that it read. */
interface Inflated {
  readonly buffer: Buffer
  readonly engine: { readonly bytesWritten: number }
}

/** Compresses one message by itself (RFC 7692 §7.2.1). The result is the payload of a frame with RSV1. */
export function deflateMessage(payload: Uint8Array, windowBits: number): Buffer {
  const deflated = deflateRawSync(payload, { ...FLUSH, windowBits })
  return deflated.subarray(0, deflated.length - TAIL.length)
}
