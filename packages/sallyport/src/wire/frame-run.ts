import { isAscii, isUtf8 } from 'node:buffer'
import { FIN, OPCODE } from './opcode.ts'

const TEXT = FIN | OPCODE.text
const BINARY = FIN | OPCODE.binary
/** Up to here bytes are looked at one by one: sooner done than a view is made for the engine. */
const SHORT_BYTES = 160

/**
 * Frames of a server that lie one behind the other, each of them exactly what a server would write for its message: one
 * whole message, text or binary, neither compressed nor masked, its length in the shortest form, its text UTF-8. They may
 * be sent on as they lie.
 */
export class FrameRun {
  /** Behind the last frame. */
  end = 0
  messages = 0
  /** Bytes of all payloads. */
  payloadBytes = 0

  /**
   * Measures the run that begins at `start`; whatever else begins there or stands behind it is for the decoder to judge.
   *
   * @param most greatest message, in bytes
   * @returns whether there is one
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
        // Longer ones are so rare within one read that the decoder may have them.
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
