/** Lines that browsers send word for word: one character stands for each. Order is free to change: nothing is stored. */
const LINES: readonly (readonly [name: string, value: string])[] = [
  ['Upgrade', 'websocket'],
  ['Connection', 'Upgrade'],
  ['Connection', 'keep-alive, Upgrade'],
  ['Sec-WebSocket-Version', '13'],
  ['Sec-WebSocket-Extensions', 'permessage-deflate; client_max_window_bits'],
  ['Sec-WebSocket-Extensions', 'permessage-deflate'],
  ['Pragma', 'no-cache'],
  ['Cache-Control', 'no-cache'],
  ['Accept', '*/*'],
  ['Accept-Encoding', 'gzip, deflate, br'],
  ['Accept-Encoding', 'gzip, deflate, br, zstd'],
  ['Sec-Fetch-Dest', 'empty'],
  ['Sec-Fetch-Dest', 'websocket'],
  ['Sec-Fetch-Mode', 'websocket'],
  ['Sec-Fetch-Site', 'same-origin'],
  ['Sec-Fetch-Site', 'same-site'],
  ['Sec-Fetch-Site', 'cross-site'],
]
/** Names before a value of the peer's own. */
const NAMES: readonly string[] = [
  'Host',
  'Origin',
  'Cookie',
  'User-Agent',
  'Accept-Language',
  'Sec-WebSocket-Key',
  'Sec-WebSocket-Protocol',
  'Sec-WebSocket-Extensions',
  'Authorization',
  'Forwarded',
  'X-Forwarded-For',
  'X-Forwarded-Host',
  'X-Forwarded-Proto',
  'X-Real-IP',
]
/** Beyond ASCII, so that no line of the peer's can hold one; within latin1, so that a character is a byte. */
const FIRST_LINE = 0x80
const FIRST_NAME = 0xc0
/** Lines that end in base64, four characters for three bytes: kept as a length and the bytes. */
interface Encoded {
  readonly name: string
  readonly prefix: string
  readonly encoding: 'base64' | 'base64url'
}
const ENCODED: readonly Encoded[] = [
  { name: 'Sec-WebSocket-Key', prefix: '', encoding: 'base64' },
  { name: 'Sec-WebSocket-Protocol', prefix: 'sallyport.v1, sallyport.ticket.', encoding: 'base64url' },
]
const FIRST_ENCODED = 0xe0
const MOST_ENCODED = 255
interface Known {
  /** What stands before a value of the peer's own. */
  readonly prefix: string
  /** The character for the whole line, by value. */
  readonly lines: ReadonlyMap<string, string>
  /** Its place in ENCODED; -1 where it has none. */
  readonly encoded: number
}
const KNOWN: ReadonlyMap<string, Known> = new Map(
  [...NAMES, ...LINES.map(([name]) => name)].map(name => {
    const index = NAMES.indexOf(name)
    const lines = [...LINES.entries()].filter(([, line]) => line[0] === name)
    return [
      name,
      {
        prefix: index === -1 ? `${name}:` : String.fromCharCode(FIRST_NAME + index),
        lines: new Map(lines.map(([nth, line]) => [line[1], String.fromCharCode(FIRST_LINE + nth)])),
        encoded: ENCODED.findIndex(one => one.name === name),
      },
    ]
  }),
)
/** What may be packed: a token, a printable value. */
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const PRINTABLE = /^[\t -~]*$/

/**
 * Header lines (name, value, name, value…) as one short string of its own: what a connection keeps of them for the
 * hours of its life. Null for lines that hold anything but printable ASCII.
 */
export function packLines(lines: readonly string[]): string | null {
  if (!PRINTABLE.test(lines.join(''))) return null
  let packed = ''
  for (let index = 0; index + 1 < lines.length; index += 2) {
    const name = lines[index]!
    const value = lines[index + 1]!
    const known = KNOWN.get(name)
    if (known !== undefined) {
      packed += known.lines.get(value) ?? packEncoded(known.encoded, value) ?? `${known.prefix}${value}\n`
    } else if (NAME.test(name)) packed += `${name}:${value}\n`
    else return null
  }
  return ownString(packed)
}

/** Null for what would not come out again letter for letter: a value that is not base64, or not as it is written. */
function packEncoded(nth: number, value: string): string | null {
  const encoded = ENCODED[nth]
  if (encoded === undefined || !value.startsWith(encoded.prefix)) return null
  const text = value.slice(encoded.prefix.length)
  const bytes = Buffer.from(text, encoded.encoding)
  if (bytes.length > MOST_ENCODED || bytes.toString(encoded.encoding) !== text) return null
  return String.fromCharCode(FIRST_ENCODED + nth, bytes.length) + bytes.toString('latin1')
}

/** The lines that `packLines` was given. */
export function unpackLines(packed: string): string[] {
  const lines: string[] = []
  for (let at = 0; at < packed.length; ) {
    const code = packed.charCodeAt(at)
    if (code >= FIRST_LINE && code < FIRST_NAME) {
      lines.push(...LINES[code - FIRST_LINE]!)
      at++
      continue
    }
    const encoded = ENCODED[code - FIRST_ENCODED]
    if (encoded !== undefined) {
      const start = at + 2
      at = start + packed.charCodeAt(at + 1)
      const text = Buffer.from(packed.slice(start, at), 'latin1').toString(encoded.encoding)
      lines.push(encoded.name, `${encoded.prefix}${text}`)
      continue
    }
    const end = packed.indexOf('\n', at)
    const colon = code < FIRST_LINE ? packed.indexOf(':', at) : at
    const name = code < FIRST_LINE ? packed.slice(at, colon) : NAMES[code - FIRST_NAME]!
    lines.push(name, packed.slice(colon + 1, end))
    at = end + 1
  }
  return lines
}

/** The same text in memory of its own: a part cut from a longer string keeps all of that. For latin1 alone. */
export function ownString(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}
