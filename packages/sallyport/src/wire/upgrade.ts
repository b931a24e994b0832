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
  /^GET (\/[A-Za-z0-9\-._~!$&'()*+,;=:@/?%]*) HTTP\/1\.1\r\n(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t -~]*\r\n)+\r\n$/
// Sixteen bytes of base64: 22 characters of which the last has four zero bits, and padding.
const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/
const CONNECTION = /^(?:keep-alive[ \t]*,[ \t]*)?upgrade(?:[ \t]*,[ \t]*keep-alive)?$/i
/** The names that browsers and proxies send: connections that keep their headers share these strings. */
const NAMES = new Map(
  `Host Upgrade Connection Origin Cookie User-Agent Pragma Cache-Control Accept Accept-Encoding Accept-Language
  Sec-WebSocket-Key Sec-WebSocket-Version Sec-WebSocket-Extensions Sec-WebSocket-Protocol
  Sec-Fetch-Dest Sec-Fetch-Mode Sec-Fetch-Site Authorization
  Forwarded X-Forwarded-For X-Forwarded-Host X-Forwarded-Proto X-Real-IP`
    .split(/\s+/)
    .map(name => [name, [name, name.toLowerCase()] as const]),
)
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
  const text = chunk.toString('latin1')
  const match = SHAPE.exec(text)
  if (match === null) return null
  const headers = new Map<string, string>()
  const rawHeaders: string[] = []
  // The shape is known: every line has its colon, and the last one is empty.
  for (let at = text.indexOf('\r\n') + 2; at < text.length - 2; ) {
    const colon = text.indexOf(':', at)
    const end = text.indexOf('\r\n', colon)
    const sent = text.slice(at, colon)
    const [name, lower] = NAMES.get(sent) ?? [sent, sent.toLowerCase()]
    const value = text.slice(colon + 1, end).trim()
    rawHeaders.push(name, value)
    headers.set(lower, value)
    at = end + 2
  }
  if (rawHeaders.length > 2 * MAX_UPGRADE_HEADERS) return null
  if (2 * headers.size !== rawHeaders.length || FRAMING.some(name => headers.has(name))) return null
  const key = headers.get('sec-websocket-key') ?? ''
  const clean =
    KEY.test(key) &&
    headers.get('sec-websocket-version') === '13' &&
    headers.get('upgrade')?.toLowerCase() === 'websocket' &&
    CONNECTION.test(headers.get('connection') ?? '') &&
    Boolean(headers.get('host'))
  return clean ? { target: match[1]!, headers, rawHeaders, key } : null
}
