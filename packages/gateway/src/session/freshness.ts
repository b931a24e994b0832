/**
 * How long an answer may be used again, in ms, by its own word (RFC 9111 §4.2.1, §5.2): null where it says nothing. The
 * cache is private to one client's credentials, so `private` allows it and `s-maxage` does not count.
 */
export function freshness(header: (name: string) => string | undefined, now: number): number | null {
  if (header('vary')?.includes('*')) return 0
  const control = header('cache-control')?.toLowerCase()
  if (control !== undefined) {
    const directives = control.split(',').map(part => part.trim())
    if (directives.some(part => /^(?:no-store|no-cache|must-understand)\b/.test(part))) return 0
    const ages = directives.flatMap(part => /^max-age\s*=\s*"?(.*?)"?$/.exec(part)?.[1] ?? [])
    if (ages.length > 0) {
      const age = /^\d{1,10}$/.test(header('age') ?? '') ? Number(header('age')) : 0
      // Of two, or of one that is no number, the shortest reading holds.
      const seconds = Math.min(...ages.map(text => (/^\d{1,10}$/.test(text) ? Number(text) : 0)))
      return Math.max(0, seconds - age) * 1000
    }
  }
  const expires = header('expires')
  if (expires === undefined) return null
  const at = Date.parse(expires)
  return Number.isNaN(at) ? 0 : Math.max(0, at - now)
}

/** The greatest number that is read as seconds; above it they would be the year 5138, so it is ms. */
const SECONDS = 99_999_999_999

/** A time in ms since the epoch, from seconds, ms or an HTTP date; null for anything else. */
export function expiryOf(text: string): number | null {
  if (/^\d{1,15}(?:\.\d{1,6})?$/.test(text)) {
    const number = Number(text)
    return Math.floor(number > SECONDS ? number : number * 1000)
  }
  if (
    !/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text) &&
    !/^\d{4}-\d{2}-\d{2}T[\d:.]+(?:Z|[+-]\d{2}:\d{2})$/.test(text)
  )
    return null
  const at = Date.parse(text)
  return Number.isNaN(at) ? null : at
}
