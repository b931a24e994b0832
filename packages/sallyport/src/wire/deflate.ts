import { constants, deflateRawSync, inflateRawSync } from 'node:zlib'
import { FAULTS, type WireFault } from './faults.ts'

/** What every message of RFC 7692 §7.2.1 ends with, and no message carries. */
const TAIL = Buffer.from([0x00, 0x00, 0xff, 0xff])
const FLUSH = { finishFlush: constants.Z_SYNC_FLUSH } as const
const TOO_BIG = 'ERR_BUFFER_TOO_LARGE'

/** Greatest and least LZ77 window, as the exponent of two that RFC 7692 §7.1.2 writes; zlib has no raw window of 8. */
export const MAX_WINDOW_BITS = 15
export const MIN_WINDOW_BITS = 9

/**
 * Inflates a message on its own (RFC 7692 §7.2.2): no context is kept between messages, so a connection holds no
 * window and no message can be guessed from another's size: the window of one call suits every smaller one. Output stops at `maxBytes`, whatever the ratio. Bytes
 * behind a final block are refused but for the one zero of §7.2.3.4: what nobody reads, nobody sends.
 */
export function inflateMessage(compressed: Uint8Array, maxBytes: number): Buffer | WireFault {
  try {
    // zlib takes no bound of 0: the byte it may then write is refused by its length.
    const options = { ...FLUSH, info: true, maxOutputLength: Math.max(1, maxBytes) }
    const { buffer, engine } = inflateRawSync(Buffer.concat([compressed, TAIL]), options) as unknown as Inflated
    if (buffer.length > maxBytes) return FAULTS.WIRE_INFLATE_TOO_BIG
    const unread = compressed.length - engine.bytesWritten
    return unread <= 0 || (unread === 1 && compressed.at(-1) === 0) ? buffer : FAULTS.WIRE_INFLATE
  } catch (error) {
    return (error as { code?: string }).code === TOO_BIG ? FAULTS.WIRE_INFLATE_TOO_BIG : FAULTS.WIRE_INFLATE
  }
}

/** What zlib gives for `info: true`: `bytesWritten` counts the input it read. */
interface Inflated {
  readonly buffer: Buffer
  readonly engine: { readonly bytesWritten: number }
}

/** Compresses a message on its own (RFC 7692 §7.2.1): the payload of a frame that bears RSV1. */
export function deflateMessage(payload: Uint8Array, windowBits: number): Buffer {
  const deflated = deflateRawSync(payload, { ...FLUSH, windowBits })
  return deflated.subarray(0, deflated.length - TAIL.length)
}
