import { kindOf, show } from '../shape/shown.ts'

/** RFC 6455 §5.5: a control frame bears 125 bytes, two of them the code. */
const REASON_BYTES = 123

/** Throws a `RangeError` for what an endpoint may not put into a close frame (RFC 6455 §5.5, §7.4), a `TypeError` for a reason that is no text. */
export function checkClose(code: number, reason: string): void {
  const isSendable =
    code === 1000 || code === 1001 || code === 1003 || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999)
  if (!isSendable || !Number.isInteger(code)) {
    throw new RangeError(`close code ${show(code)} may not be sent: use 1000, 1001, 1003, 1007–1014 or 3000–4999`)
  }
  // Later it would fail in the middle of the end, and leave the connection there.
  if (typeof reason !== 'string') {
    throw new TypeError(`the close reason is ${kindOf(reason)}, not text: write close(4000, 'the room is closed')`)
  }
  if (Buffer.byteLength(reason) > REASON_BYTES) {
    throw new RangeError(
      `a close reason is at most ${REASON_BYTES} bytes of UTF-8, and this one is ${Buffer.byteLength(reason)}`,
    )
  }
}
