import { kindOf, show } from '../shape/shown.ts'
import { isApplicationCloseCode, MAX_REASON_BYTES } from '../wire/close.ts'

/**
 * Throws a `RangeError` for a code or a length that an endpoint may not send in a close frame (RFC 6455 §5.5, §7.4).
 * Throws a `TypeError` for a reason that is not a string.
 */
export function checkClose(code: number, reason: string): void {
  if (!isApplicationCloseCode(code)) {
    throw new RangeError(`close code ${show(code)} may not be sent: use 1000, 1001, 1003, 1007–1014 or 3000–4999`)
  }
  // A later error would stop the close halfway, and the connection would stay.
  if (typeof reason !== 'string') {
    throw new TypeError(`the close reason is ${kindOf(reason)}, not text: write close(4000, 'the room is closed')`)
  }
  if (Buffer.byteLength(reason) > MAX_REASON_BYTES) {
    throw new RangeError(
      `a close reason is at most ${MAX_REASON_BYTES} bytes of UTF-8, and this one is ${Buffer.byteLength(reason)}`,
    )
  }
}
