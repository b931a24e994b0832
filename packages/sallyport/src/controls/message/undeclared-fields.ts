/** Most names that a report shows, and how deep it searches for them. */
const NAMES_MOST = 8
const DEPTH_MOST = 8
/** A name that is safe to show. A value of a peer, such as an e-mail address as a key, does not have this form. */
const PLAIN_NAME = /^[A-Za-z_][\w-]{0,63}$/

/**
 * The fields of a message that its checked value lacks, as paths for the operator. Null if none is missing. A name that
 * may be data is shown as `…`. At most {@link NAMES_MOST} are named.
 */
export function undeclaredFields(input: unknown, output: unknown): string | null {
  const found: string[] = []
  collect(input, output, '', 0, found)
  if (found.length === 0) return null
  const [named, rest] = [found.slice(0, NAMES_MOST), found.length - NAMES_MOST]
  return rest > 0 ? `${named.join(', ')} and more` : named.join(', ')
}

function collect(input: unknown, output: unknown, path: string, depth: number, found: string[]): void {
  if (input === output || depth > DEPTH_MOST || found.length > NAMES_MOST) return
  if (Array.isArray(input)) {
    if (!Array.isArray(output)) return
    for (let at = 0; at < input.length; at++) collect(input[at], output[at], `${path}/*`, depth + 1, found)
    return
  }
  if (!isPlain(input) || !isPlain(output)) return
  for (const [key, value] of Object.entries(input)) {
    const at = `${path}/${PLAIN_NAME.test(key) ? key : '…'}`
    if (!Object.hasOwn(output, key)) {
      if (!found.includes(at)) found.push(at)
    } else collect(value, output[key], at, depth + 1, found)
    if (found.length > NAMES_MOST) return
  }
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
