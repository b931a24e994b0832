import { FAULTS, type WireFault } from './faults.ts'
import { FIN, MASKED, OPCODE } from './opcode.ts'

const RSV2_AND_3 = 0x30

/** Bytes of a frame's header, from its second byte (RFC 6455 §5.2): 2 to 14. */
export function headerSize(second: number): number {
  const length = second & 127
  const extended = length < 126 ? 0 : length === 126 ? 2 : 8
  return 2 + extended + ((second & MASKED) !== 0 ? 4 : 0)
}

/**
 * Judges the first two bytes of a frame, RSV1 apart (RFC 6455 §5.2, §5.4, §5.5).
 *
 * @param masked the mask bit that the peer must send
 * @param fragmented whether a message is open
 */
export function refuseStart(first: number, second: number, masked: number, fragmented: boolean): WireFault | null {
  if ((first & RSV2_AND_3) !== 0) return FAULTS.WIRE_RESERVED_BITS
  if ((second & MASKED) !== masked) return masked !== 0 ? FAULTS.WIRE_MASK_MISSING : FAULTS.WIRE_MASK_FORBIDDEN
  const opcode = first & 15
  if (opcode <= OPCODE.binary) {
    if (fragmented) return opcode === OPCODE.continuation ? null : FAULTS.WIRE_CONTINUATION_EXPECTED
    return opcode === OPCODE.continuation ? FAULTS.WIRE_CONTINUATION_UNEXPECTED : null
  }
  if (opcode < OPCODE.close || opcode > OPCODE.pong) return FAULTS.WIRE_OPCODE
  if ((first & FIN) === 0) return FAULTS.WIRE_CONTROL_FRAGMENTED
  const length = second & 127
  if (length > 125) return FAULTS.WIRE_CONTROL_LENGTH
  return opcode === OPCODE.close && length === 1 ? FAULTS.WIRE_CLOSE_LENGTH : null
}

/**
 * The payload length of the header at `head[at]`. The header must be complete and in its shortest form (RFC 6455 §5.2).
 */
export function readLength(head: Buffer, at: number): number | WireFault {
  const short = head[at + 1]! & 127
  if (short < 126) return short
  if (short === 126) {
    const length = (head[at + 2]! << 8) | head[at + 3]!
    return length < 126 ? FAULTS.WIRE_LENGTH_FORM : length
  }
  const high = head.readUInt32BE(at + 2)
  if (high >= 0x80000000) return FAULTS.WIRE_LENGTH_SIGN
  const length = high * 0x100000000 + head.readUInt32BE(at + 6)
  return length < 0x10000 ? FAULTS.WIRE_LENGTH_FORM : length
}
