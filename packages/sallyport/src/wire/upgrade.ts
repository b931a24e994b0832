/** A clean opening handshake (RFC 6455 §4.2.1), as it was sent. */
export interface Upgrade {
  /** The request target, in origin-form. */
  readonly target: string
  /** Value by lower-case name; no name occurs twice. */
  readonly headers: ReadonlyMap<string, string>
  /** Name, value, name, value… as sent. */
  readonly rawHeaders: readonly string[]
  /** The value of `Sec-WebSocket-Key`. */
  readonly key: string
}

/** Greatest request that is read here, in bytes, and the greatest number of its headers. */
export const MAX_UPGRADE_BYTES = 8192
export const MAX_UPGRADE_HEADERS = 64

// Printable ASCII alone, CRLF alone, no folded line, no space before a colon, a target in origin-form.
const SHAPE =
  /^GET (\/[A-Za-z0-9\-._~!$&'()*+,;=:@/?%]*) HTTP\/1\.1\r\n((?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t -~]*\r\n)+)\r\n$/
// Sixteen bytes of base64: 22 characters of which the last has four zero bits, and padding.
const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/
const CONNECTION = /^(?:keep-alive[ \t]*,[ \t]*)?upgrade(?:[ \t]*,[ \t]*keep-alive)?$/i
/** What announces a body, or another meaning of the bytes that follow. */
const FRAMING = ['content-length', 'transfer-encoding', 'trailer', 'te', 'expect', 'http2-settings']

/**
 * Reads the whole first chunk of a connection as a WebSocket handshake. What is not, byte for byte, one complete and
 * unambiguous handshake is not judged here: the caller hands it on untouched to the HTTP server, so that two parsers
 * never read one request differently. A body, a second request or early frames behind it are such cases too.
 *
 * @returns null for what is to be handed on
 */
export function readUpgrade(chunk: Buffer): Upgrade | null {
  if (chunk.length > MAX_UPGRADE_BYTES) return null
  const match = SHAPE.exec(chunk.toString('latin1'))
  if (match === null) return null
  const lines = match[2]!.split('\r\n')
  lines.pop()
  if (lines.length > MAX_UPGRADE_HEADERS) return null
  const headers = new Map<string, string>()
  const rawHeaders: string[] = []
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon)
    const value = line.slice(colon + 1).trim()
    rawHeaders.push(name, value)
    headers.set(name.toLowerCase(), value)
  }
  if (headers.size !== lines.length || FRAMING.some(name => headers.has(name))) return null
  const key = headers.get('sec-websocket-key') ?? ''
  const clean =
    KEY.test(key) &&
    headers.get('sec-websocket-version') === '13' &&
    headers.get('upgrade')?.toLowerCase() === 'websocket' &&
    CONNECTION.test(headers.get('connection') ?? '') &&
    Boolean(headers.get('host'))
  return clean ? { target: match[1]!, headers, rawHeaders, key } : null
}
