import { acceptKey } from 'sallyport/wire'
import { type Failure, failure } from './failure.ts'

/** Greatest head of a backend's answer, in bytes. */
export const MAX_ANSWER_BYTES = 16_384

const STATUS_LINE = /^HTTP\/1\.[01] (\d{3})(?: [\t -~\x80-\xff]*)?$/
/** The value includes the blanks around it. Two ways to match them would take quadratic time. */
const FIELD = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\t -~\x80-\xff]*)$/
/**
 * The headers of a refusal that a client may get: where to go, how to sign in, when to return, what is supported (RFC
 * 9110 §10.2.2, §10.2.3, §11.6.1, §7.8, §15.5.6; RFC 6455 §4.4). No cookie, nothing of the body, and no header that
 * frames it.
 */
const TOLD: ReadonlyMap<string, string> = new Map(
  ['Location', 'WWW-Authenticate', 'Retry-After', 'Sec-WebSocket-Version', 'Upgrade', 'Allow'].map(name => [
    name.toLowerCase(),
    name,
  ]),
)
/** A client's proxy may change bytes above ASCII, so a value with one is left out. */
const TOLD_VALUE = /^[\t -~]*$/
/** Greatest value of such a header, in characters. A longer one is left out. */
const TOLD_CHARACTERS = 4096
/** These headers are lists. Any other header that occurs twice is ignored. */
const LISTS: ReadonlySet<string> = new Set(['www-authenticate', 'sec-websocket-version', 'upgrade', 'allow'])

/** What a backend accepted. */
export interface Agreement {
  readonly ok: true
  /** The subprotocol that it chose. Null for none. */
  readonly subprotocol: string | null
}

/**
 * Judges a backend's answer to an opening handshake (RFC 6455 §4.1, the client's half).
 *
 * @param head the lines of the answer, without the empty one
 * @param offered the subprotocols that were offered to it
 */
export function readAnswer(head: string, key: string, offered: readonly string[]): Agreement | Failure {
  const [first, ...lines] = head.split('\r\n')
  const status = Number(STATUS_LINE.exec(first!)?.[1] ?? 0)
  if (status === 0) return failure('GATEWAY_UPSTREAM_BROKEN', 'the answer is not HTTP/1.1')
  if (status !== 101) {
    return failure('GATEWAY_UPSTREAM_REFUSED', `the backend answered ${status}`, {
      // Clients do not know a status of 600 or more (RFC 9110 §15).
      status: status >= 200 && status < 600 ? status : 502,
      answered: status,
      headers: toldHeaders(lines),
    })
  }
  const fields = new Map<string, string>()
  for (const line of lines) {
    const match = FIELD.exec(line)
    if (match === null) return failure('GATEWAY_UPSTREAM_BROKEN', 'a header line of the answer is malformed')
    const name = match[1]!.toLowerCase()
    const before = fields.get(name)
    fields.set(name, before === undefined ? match[2]!.trim() : `${before}, ${match[2]!.trim()}`)
  }
  if (fields.get('upgrade')?.toLowerCase() !== 'websocket') return broken('has no Upgrade: websocket')
  const connection = (fields.get('connection') ?? '').toLowerCase().split(',')
  if (!connection.some(token => token.trim() === 'upgrade')) return broken('has no Connection: Upgrade')
  if (fields.get('sec-websocket-accept') !== acceptKey(key)) return broken('has a wrong Sec-WebSocket-Accept')
  if (fields.get('sec-websocket-extensions')) return broken('agrees to an extension that was not offered')
  const subprotocol = fields.get('sec-websocket-protocol') ?? null
  if (subprotocol !== null && !offered.includes(subprotocol))
    return broken('chooses a subprotocol that was not offered')
  return { ok: true, subprotocol }
}

/** Whether it is an interim answer such as 100 or 103. Another answer follows it. */
export function isInterim(head: string): boolean {
  return /^HTTP\/1\.[01] 1(?!01)\d\d(?:[ \r]|$)/.test(head)
}

function toldHeaders(lines: readonly string[]): { readonly [name: string]: string } {
  const values = new Map<string, string>()
  const unclear = new Set<string>()
  for (const line of lines) {
    const [, name = '', value = ''] = FIELD.exec(line) ?? []
    const key = name.toLowerCase()
    if (!TOLD.has(key)) continue
    const before = values.get(key)
    if (before !== undefined && !LISTS.has(key)) unclear.add(key)
    values.set(key, before === undefined ? value.trim() : `${before}, ${value.trim()}`)
  }
  return Object.fromEntries(
    Array.from(values, ([key, value]): [string, string] => [TOLD.get(key)!, value]).filter(
      ([name, value]) => TOLD_VALUE.test(value) && value.length <= TOLD_CHARACTERS && !unclear.has(name.toLowerCase()),
    ),
  )
}

function broken(what: string): Failure {
  return failure('GATEWAY_UPSTREAM_BROKEN', `the backend's answer ${what}`)
}
