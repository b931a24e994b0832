// For the folders of the library. What other packages get is in public.ts.
export { acceptAnswer, acceptKey, refuseAnswer } from './answer.ts'
export {
  ABNORMAL,
  closePayload,
  isSendableCloseCode,
  readClose,
} from './close.ts'
export { Decoder } from './decoder.ts'
export type { DecoderOptions } from './decoder-options.ts'
export { deflateMessage, inflateMessage, MIN_WINDOW_BITS } from './deflate.ts'
export {
  frameSize,
  MAX_HEADER_BYTES,
  textFrameRoom,
  writeFrame,
  writeMaskedFrame,
  writeMaskedTextFrame,
  writeTextFrame,
} from './encoder.ts'
export { Endpoint } from './endpoint.ts'
export { agreeDeflate, type DeflateAgreement, readExtensions } from './extensions.ts'
export { FAULTS, type WireFault, type WireFaultCode } from './faults.ts'
export type { EndpointDeflate, EndpointRole, WireLimits, WirePeer } from './limits.ts'
export { applyMask, maskingKey } from './mask.ts'
export { FIN, OPCODE, RSV1 } from './opcode.ts'
export { textOf, type WireSink } from './sink.ts'
export { MAX_UPGRADE_BYTES, MAX_UPGRADE_HEADERS, readUpgrade, type Upgrade } from './upgrade.ts'
