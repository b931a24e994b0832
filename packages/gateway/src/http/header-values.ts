/** The cookies that a backend sees of a Cookie header; null for none. */
export function filterCookies(
  header: string | undefined,
  allowed: 'pass' | 'strip' | readonly string[],
): string | null {
  if (header === undefined || allowed === 'strip') return null
  if (allowed === 'pass') return header
  const kept = header
    .split(';')
    .map(pair => pair.trim())
    .filter(pair => allowed.includes(pair.split('=', 1)[0]!.trim()))
  return kept.length === 0 ? null : kept.join('; ')
}

/** A request target without a query parameter, everything else as it was sent: a ticket has no place in a backend's access log. */
export function withoutParameter(target: string, parameter: string): string {
  const mark = target.indexOf('?')
  if (mark === -1) return target
  const kept = target
    .slice(mark + 1)
    .split('&')
    .filter(pair => !new URLSearchParams(pair).has(parameter))
  return kept.length === 0 ? target.slice(0, mark) : `${target.slice(0, mark)}?${kept.join('&')}`
}

const PLAIN = /^[!-$&-~]*$/

/**
 * Text as a header value. What is not visible ASCII, and `%` itself, is percent-encoded: `decodeURIComponent` gives the
 * text back, whatever it was, and no line break can get out.
 */
export function headerValue(text: string): string {
  if (PLAIN.test(text)) return text
  let value = ''
  for (const byte of Buffer.from(text)) {
    const plain = byte > 0x20 && byte < 0x7f && byte !== 0x25
    value += plain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return value
}
