import { isAscii, isUtf8 } from 'node:buffer'
import { FIN, OPCODE } from './opcode.ts'

const TEXT = FIN | OPCODE.text
const BINARY = FIN | OPCODE.binary
/** Up to this length bytes are checked one by one. That is faster than a view for the engine. */
const SHORT_BYTES = 160

/**
 * Consecutive frames of a server, each exactly as this library would write it: one complete message, text or binary,
 * neither compressed nor masked, with the shortest length form, and text in UTF-8. They may be sent on unchanged.
 */
export class FrameRun {
  /** Position after the last frame. */
  end = 0
  messages = 0
  /** Bytes of all payloads. */
  payloadBytes = 0

  /**
   * Measures the run that begins at `start`. The decoder judges all other frames, and those after the run.
   *
   * @param most greatest message, in bytes
   * @returns whether there is a run
   */
  measure(bytes: Buffer, start: number, end: number, most: number): boolean {
    let at = start
    this.messages = 0
    this.payloadBytes = 0
    while (end - at >= 2) {
      const first = bytes[at]!
      if (first !== TEXT && first !== BINARY) break
      let length = bytes[at + 1]!
      let from = at + 2
      if (length >= 126) {
        // Longer ones are rare within one read, so the decoder handles them.
        if (length !== 126 || end - at < 4) break
        length = (bytes[at + 2]! << 8) | bytes[at + 3]!
        if (length < 126) break
        from += 2
      }
      const to = from + length
      if (length > most || to > end || (first === TEXT && !isText(bytes, from, to))) break
      this.messages++
      this.payloadBytes += length
      at = to
    }
    this.end = at
    return at > start
  }
}

function isText(bytes: Buffer, start: number, end: number): boolean {
  if (end - start > SHORT_BYTES) {
    const view = bytes.subarray(start, end)
    return isAscii(view) || isUtf8(view)
  }
  let bits = 0
  for (let index = start; index < end; index++) bits |= bytes[index]!
  return bits < 0x80 || isUtf8(bytes.subarray(start, end))
}
