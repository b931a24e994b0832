/** The opcodes of RFC 6455 §5.2. A set bit 3 makes a control frame. */
export const OPCODE: {
  readonly continuation: 0
  readonly text: 1
  readonly binary: 2
  readonly close: 8
  readonly ping: 9
  readonly pong: 10
} = Object.freeze({ continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 })

/** First-byte bits. */
export const FIN = 0x80
export const RSV1 = 0x40
/** Second-byte bit. */
export const MASKED = 0x80
