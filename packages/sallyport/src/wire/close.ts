import { isUtf8 } from 'node:buffer'
import { FAULTS, type WireFault } from './faults.ts'

/** The close frame had no status code (RFC 6455 §7.1.5). Never sent. */
export const NO_STATUS = 1005
/** The connection ended without a close frame (RFC 6455 §7.1.5). Never sent. */
export const ABNORMAL = 1006
/** Greatest length of a close reason in bytes of UTF-8: 125 minus the two bytes of the code. */
export const MAX_REASON_BYTES = 123
/** Time that a peer has to answer a close frame before it is cut, in ms. */
export const CLOSE_PATIENCE_MS = 5000

/** The content of a close frame. */
export interface CloseStatus {
  readonly code: number
  readonly reason: string
}

const NOTHING_SAID: CloseStatus = Object.freeze({ code: NO_STATUS, reason: '' })

/**
 * Whether an endpoint may put the code on the wire: those of the IANA registry that are not reserved
 * (1004, 1005, 1006 and 1015 are), and 3000–4999 (RFC 6455 §7.4.1, §7.4.2).
 */
export function isSendableCloseCode(code: number): boolean {
  if (code >= 3000) return code <= 4999
  return code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006
}

/**
 * Whether an application may close with the code. 1002 is only for the endpoint itself: it means a fault in the frames
 * of one hop.
 */
export function isApplicationCloseCode(code: number): boolean {
  return Number.isInteger(code) && code !== 1002 && isSendableCloseCode(code)
}

/** Reads the payload of a close frame (RFC 6455 §5.5.1). */
export function readClose(bytes: Buffer, start: number, end: number): CloseStatus | WireFault {
  if (end === start) return NOTHING_SAID
  if (end - start === 1) return FAULTS.WIRE_CLOSE_LENGTH
  const code = bytes.readUInt16BE(start)
  if (!isSendableCloseCode(code)) return FAULTS.WIRE_CLOSE_CODE
  if (!isUtf8(bytes.subarray(start + 2, end))) return FAULTS.WIRE_CLOSE_UTF8
  return { code, reason: bytes.toString('utf8', start + 2, end) }
}

/**
 * The payload of a close frame. It is empty for a code that must not be sent. A reason that is too long is cut between
 * two characters. So closing can never fail.
 */
export function closePayload(code: number, reason: string): Buffer {
  if (!isSendableCloseCode(code)) return Buffer.alloc(0)
  const payload = Buffer.alloc(2 + MAX_REASON_BYTES)
  payload.writeUInt16BE(code, 0)
  return payload.subarray(0, 2 + payload.write(reason, 2, 'utf8'))
}
