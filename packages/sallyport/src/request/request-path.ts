/** Characters that never need percent-encoding (RFC 3986 §2.3): encoding them is only ever a way past a comparison. */
const ENCODED_UNRESERVED = /%(?:4[1-9a-f]|5[0-9a]|6[1-9a-f]|7[0-9a]|3[0-9]|2d|2e|5f|7e)/i
/** Encoded slash, backslash, control characters, or a percent sign that encodes nothing. */
const ENCODED_SEPARATOR = /%(?:2f|5c|[01][0-9a-f]|7f|25)|%(?![0-9a-f]{2})/i
/** `.` and `..`, also with path parameters behind them (`..;x`, `..%3bx`), which servlet containers cut off first. */
const DOT_SEGMENT = /\/\.{1,2}(?:[/;]|%3b|$)/i

/** Whether a path is in the one form that every parser on the way reads alike: origin-form, no dot segments, no needless encoding. */
export function isCanonicalPath(path: string): boolean {
  return (
    /^\/[!$&'()*+,;=:@%\w.~/-]*$/.test(path) &&
    !path.includes('//') &&
    !DOT_SEGMENT.test(path) &&
    !ENCODED_UNRESERVED.test(path) &&
    !ENCODED_SEPARATOR.test(path) &&
    (!path.includes('%') || isPrintableUtf8(path))
  )
}

/** Overlong forms (`%c0%ae` for a dot) and C1 controls are read differently by lenient decoders. */
function isPrintableUtf8(path: string): boolean {
  try {
    return !/\p{Cc}/u.test(decodeURIComponent(path))
  } catch {
    return false
  }
}
