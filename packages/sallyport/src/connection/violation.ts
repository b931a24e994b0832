import { type Denial, deny } from '../model/verdict.ts'

/** The denial for a violation that a transport reports by its close code (RFC 6455 §7.4.1). */
export function violationOf(closeCode: number, detail: string): Denial {
  if (closeCode === 1009) return deny('SALLY_MESSAGE_TOO_BIG', { reason: 'wire', fault: detail })
  // The transports use 1008 only for too many fragments. This tells them apart from too many bytes.
  if (closeCode === 1008) return deny('SALLY_MESSAGE_FRAGMENTS', { fault: detail })
  if (closeCode === 1007) return deny('SALLY_MESSAGE_NOT_UTF8', { reason: 'wire', fault: detail })
  return deny('SALLY_PROTOCOL_ERROR', { fault: detail })
}
