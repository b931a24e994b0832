import { acceptKey } from 'sallyport/wire'
import { type Failure, failure } from './failure.ts'

/** Greatest head of a backend's answer, in bytes. */
export const MAX_ANSWER_BYTES = 16_384

const STATUS_LINE = /^HTTP\/1\.[01] (\d{3})(?: [\t -~\x80-\xff]*)?$/
const FIELD = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t -~\x80-\xff]*)$/
/** What the client is told as it is: whose fault it is stays the same with a gateway between. */
const OWN_STATUS: ReadonlySet<number> = new Set([401, 403, 404, 410, 429, 503])

/** What a backend agreed to. */
export interface Agreement {
  readonly ok: true
  /** The subprotocol that it chose; null for none. */
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
    const told = OWN_STATUS.has(status) ? status : 502
    return failure('GATEWAY_UPSTREAM_REFUSED', `the backend answered ${status}`, told)
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

function broken(what: string): Failure {
  return failure('GATEWAY_UPSTREAM_BROKEN', `the backend's answer ${what}`)
}
