/**
 * RFC 6455 as functions over bytes, without sockets or clocks. For programs such as a proxy, a client or a test of the
 * protocol.
 *
 * @packageDocumentation
 */
export { acceptAnswer, acceptKey, type AnswerHeaders, refuseAnswer } from './answer.ts'
export { closePayload, type CloseStatus, isApplicationCloseCode, isSendableCloseCode, readClose } from './close.ts'
export { Decoder } from './decoder.ts'
export type { DecoderOptions } from './decoder-options.ts'
export {
  frameSize,
  textFrameRoom,
  writeFrame,
  writeMaskedFrame,
  writeMaskedTextFrame,
  writeTextFrame,
} from './encoder.ts'
export type { WireFault, WireFaultCode } from './faults.ts'
export type { WireLimits, WirePeer } from './limits.ts'
export { FIN, OPCODE } from './opcode.ts'
export { textOf, type WireSink } from './sink.ts'
export { readUpgrade, type Upgrade } from './upgrade.ts'
