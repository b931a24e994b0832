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

// Accepts only printable ASCII and CRLF, no folded line, no space before a colon, and a target in origin-form.
const SHAPE =
  /^GET (\/[A-Za-z0-9\-._~!$&'()*+,;=:@/?%]*) HTTP\/1\.1\r\n(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t -~]*\r\n)+\r\n$/
// Sixteen bytes of base64: 22 characters of which the last has four zero bits, and padding.
const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/
/** The length of the request line without its target. */
const REQUEST_LINE = 'GET  HTTP/1.1\r\n'.length
const CONNECTION = /^(?:keep-alive *, *)?upgrade(?: *, *keep-alive)?$/i
/** Names that browsers and proxies send. Connections that keep their headers share these strings. */
const NAMES: ReadonlyMap<string, Known> = new Map(
  `Host Upgrade Connection Sec-WebSocket-Key Sec-WebSocket-Version
  Origin Cookie User-Agent Pragma Cache-Control Accept Accept-Encoding Accept-Language
  Sec-WebSocket-Extensions Sec-WebSocket-Protocol
  Sec-Fetch-Dest Sec-Fetch-Mode Sec-Fetch-Site Authorization
  Forwarded X-Forwarded-For X-Forwarded-Host X-Forwarded-Proto X-Real-IP`
    .split(/\s+/)
    .map((name, index) => [name, { name, lower: name.toLowerCase(), bit: 1 << index }]),
)
const BY_LOWER: ReadonlyMap<string, Known> = new Map(Array.from(NAMES.values(), known => [known.lower, known]))
const HOST = 1
const UPGRADE = 2
const CONNECTION_BIT = 4
const KEY_BIT = 8
const VERSION = 16
const REQUIRED = HOST | UPGRADE | CONNECTION_BIT | KEY_BIT | VERSION
/**
 * Headers that announce a body or give the following bytes another meaning, and headers that Node's request shows in a
 * special way.
 */
const HANDED_ON: ReadonlySet<string> = new Set([
  'content-length',
  'transfer-encoding',
  'trailer',
  'te',
  'expect',
  'http2-settings',
  'set-cookie',
  '__proto__',
])
const BLANK = 32
const TAB = 9

interface Known {
  readonly name: string
  readonly lower: string
  /** One of 31: which of them were seen is one number. */
  readonly bit: number
}

/** The map is created at the first access, because the doors read the lines. */
class CleanUpgrade implements Upgrade {
  readonly target: string
  readonly rawHeaders: readonly string[]
  readonly key: string

  constructor(target: string, rawHeaders: readonly string[], key: string) {
    this.target = target
    this.rawHeaders = rawHeaders
    this.key = key
  }

  get headers(): ReadonlyMap<string, string> {
    const headers = new Map<string, string>()
    for (let index = 0; index < this.rawHeaders.length; index += 2) {
      headers.set(this.rawHeaders[index]!.toLowerCase(), this.rawHeaders[index + 1]!)
    }
    return headers
  }
}

/**
 * Reads the complete first chunk of a connection as a WebSocket handshake. Anything that is not, byte for byte, one
 * complete and unambiguous handshake is not judged here. The caller passes it unchanged to the HTTP server, so that two
 * parsers never read one request differently. A body, a second request, and early frames after the handshake are such
 * cases too.
 *
 * @returns null if the chunk must be passed on
 */
export function readUpgrade(chunk: Buffer): Upgrade | null {
  if (chunk.length > MAX_UPGRADE_BYTES) return null
  const text = chunk.toString('latin1')
  const match = SHAPE.exec(text)
  if (match === null) return null
  const target = match[1]!
  const rawHeaders: string[] = []
  const others: string[] = []
  let key = ''
  let seen = 0
  // The shape has been checked: every line has a colon, and the last line is empty.
  for (let at = target.length + REQUEST_LINE; at < text.length - 2; ) {
    const colon = text.indexOf(':', at)
    const end = text.indexOf('\r\n', colon)
    const sent = text.slice(at, colon)
    let known = NAMES.get(sent)
    const name = known?.name ?? sent
    if (known === undefined) {
      const lower = sent.toLowerCase()
      known = BY_LOWER.get(lower)
      if (known === undefined) {
        if (HANDED_ON.has(lower) || others.includes(lower) || others.length === MAX_UPGRADE_HEADERS) return null
        others.push(lower)
      }
    }
    const value = valueOf(text, colon + 1, end)
    if (known !== undefined) {
      const { bit } = known
      if ((seen & bit) !== 0) return null
      seen |= bit
      if ((bit & REQUIRED) !== 0) {
        if (!isRight(bit, value)) return null
        // Node 22.18 does not see an upgrade if there is a tab next to the tokens.
        if (bit === CONNECTION_BIT && text.slice(colon, end).includes('\t')) return null
        if (bit === KEY_BIT) key = value
      }
    }
    rawHeaders.push(name, value)
    at = end + 2
  }
  if (rawHeaders.length > 2 * MAX_UPGRADE_HEADERS || (seen & REQUIRED) !== REQUIRED) return null
  return new CleanUpgrade(target, rawHeaders, key)
}

/** The value without the blanks around it. Nearly always that is one blank before it. */
function valueOf(text: string, from: number, to: number): string {
  let start = from
  let end = to
  while (start < end && isBlank(text.charCodeAt(start))) start++
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--
  return text.slice(start, end)
}

function isBlank(code: number): boolean {
  return code === BLANK || code === TAB
}

/** Whether a header that every handshake has contains the correct value. */
function isRight(bit: number, value: string): boolean {
  if (bit === KEY_BIT) return KEY.test(value)
  if (bit === VERSION) return value === '13'
  if (bit === UPGRADE) return value === 'websocket' || value.toLowerCase() === 'websocket'
  if (bit === CONNECTION_BIT) return value === 'Upgrade' || CONNECTION.test(value)
  return value !== ''
}
