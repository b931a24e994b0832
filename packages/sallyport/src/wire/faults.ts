/** Why a peer's bytes are refused. A fault is final: nothing after it is read. */
export interface WireFault {
  /** Stable name of the rule that was broken. */
  readonly code: WireFaultCode
  /** The status code to close with (RFC 6455 §7.4.1). */
  readonly closeCode: 1002 | 1007 | 1009
  /** What is wrong. For the operator, never for the peer. */
  readonly message: string
}

/** Every code that a fault can have. */
export type WireFaultCode =
  | 'WIRE_RESERVED_BITS'
  | 'WIRE_OPCODE'
  | 'WIRE_CONTROL_FRAGMENTED'
  | 'WIRE_CONTROL_LENGTH'
  | 'WIRE_MASK_MISSING'
  | 'WIRE_MASK_FORBIDDEN'
  | 'WIRE_CONTINUATION_UNEXPECTED'
  | 'WIRE_CONTINUATION_EXPECTED'
  | 'WIRE_LENGTH_FORM'
  | 'WIRE_LENGTH_SIGN'
  | 'WIRE_CLOSE_LENGTH'
  | 'WIRE_CLOSE_CODE'
  | 'WIRE_CLOSE_UTF8'
  | 'WIRE_TEXT_UTF8'
  | 'WIRE_INFLATE'
  | 'WIRE_FRAME_TOO_BIG'
  | 'WIRE_MESSAGE_TOO_BIG'
  | 'WIRE_FRAGMENTS'
  | 'WIRE_INFLATE_TOO_BIG'

const RULES: { readonly [code in WireFaultCode]: readonly [closeCode: WireFault['closeCode'], message: string] } = {
  WIRE_RESERVED_BITS: [1002, 'a reserved bit is set that no negotiated extension defines (RFC 6455 §5.2)'],
  WIRE_OPCODE: [1002, 'the opcode is reserved (RFC 6455 §5.2)'],
  WIRE_CONTROL_FRAGMENTED: [1002, 'a control frame is fragmented (RFC 6455 §5.5)'],
  WIRE_CONTROL_LENGTH: [1002, 'a control frame carries more than 125 bytes (RFC 6455 §5.5)'],
  WIRE_MASK_MISSING: [1002, 'a client sent a frame that is not masked (RFC 6455 §5.1)'],
  WIRE_MASK_FORBIDDEN: [1002, 'a server sent a frame that is masked (RFC 6455 §5.1)'],
  WIRE_CONTINUATION_UNEXPECTED: [1002, 'a continuation frame with no message to continue (RFC 6455 §5.4)'],
  WIRE_CONTINUATION_EXPECTED: [1002, 'a new message before the last one ended (RFC 6455 §5.4)'],
  WIRE_LENGTH_FORM: [1002, 'the length is not written in its shortest form (RFC 6455 §5.2)'],
  WIRE_LENGTH_SIGN: [1002, 'the most significant bit of a 64-bit length is set (RFC 6455 §5.2)'],
  WIRE_CLOSE_LENGTH: [1002, 'a close frame carries one byte, which is no status code (RFC 6455 §5.5.1)'],
  WIRE_CLOSE_CODE: [1002, 'a close frame carries a status code that must not be sent (RFC 6455 §7.4)'],
  WIRE_CLOSE_UTF8: [1007, 'the reason of a close frame is not UTF-8 (RFC 6455 §5.5.1)'],
  WIRE_TEXT_UTF8: [1007, 'a text message is not UTF-8 (RFC 6455 §8.1)'],
  WIRE_INFLATE: [1007, 'a compressed message is not DEFLATE data (RFC 7692 §7.2.2)'],
  WIRE_FRAME_TOO_BIG: [1009, 'a frame is longer than the bound allows (RFC 6455 §10.4)'],
  WIRE_MESSAGE_TOO_BIG: [1009, 'a message is longer than the bound allows (RFC 6455 §10.4)'],
  WIRE_FRAGMENTS: [1009, 'a message has more fragments than the bound allows (RFC 6455 §10.4)'],
  WIRE_INFLATE_TOO_BIG: [1009, 'a compressed message inflates beyond the bound (RFC 7692 §8)'],
}

/** The table of faults. Each is one frozen value, so that refusing a peer allocates nothing. */
export const FAULTS: { readonly [code in WireFaultCode]: WireFault } = Object.freeze(
  Object.fromEntries(
    Object.entries(RULES).map(([code, [closeCode, message]]) => [code, Object.freeze({ code, closeCode, message })]),
  ) as { [code in WireFaultCode]: WireFault },
)
