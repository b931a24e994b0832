import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { isReported } from '../../model/reporting.ts'
import type { Policy } from '../../policy/types.ts'
import { isTicketProtocol } from '../../request/carriers.ts'
import { agreeDeflate, MIN_WINDOW_BITS, readExtensions } from '../../wire/index.ts'

const EXTENSIONS = 'sec-websocket-extensions'
/** Headers of the 101 that RFC 6455 §4.2.2 allows once. */
const ONCE: ReadonlySet<string> = new Set([
  'upgrade',
  'connection',
  'sec-websocket-accept',
  'sec-websocket-protocol',
  EXTENSIONS,
])

/** Headers that an answer holds once. A control in report mode leaves its headers as the app wrote them. */
export function singleHeaders(policy: Pick<Policy, 'report'>): ReadonlySet<string> {
  if (policy.report === 'all') return new Set()
  const once = new Set(ONCE)
  if (isReported(policy, 'handshake/subprotocol')) once.delete('sec-websocket-protocol')
  if (isReported(policy, 'handshake/extensions')) once.delete(EXTENSIONS)
  return once
}

/** Fields of `ws` that its types leave out. */
interface Negotiated {
  readonly _extensions?: {
    readonly 'permessage-deflate'?: {
      params?: { server_max_window_bits?: number } | null
      _threshold?: number
      _maxPayload?: number
    }
  }
}

/**
 * Bounds the window of what a `ws` socket sends. `ws` has an option for that, but then writes the bound into every answer,
 * and some clients refuse the parameter in an answer to an offer without it. A smaller window need not be announced. What is
 * inflated is bounded too, whatever the app did to the server's option `maxPayload`.
 */
export function boundDeflate(socket: object, windowBits: number, maxPayload: number | undefined): void {
  const deflate = (socket as Negotiated)._extensions?.['permessage-deflate']
  if (deflate?.params == null) return
  if (maxPayload !== undefined) deflate._maxPayload = maxPayload
  const { server_max_window_bits: told = windowBits } = deflate.params
  // zlib cannot write with a window of 8 bits: such a peer gets its messages uncompressed.
  if (told < MIN_WINDOW_BITS) deflate._threshold = Infinity
  else deflate.params.server_max_window_bits = Math.min(told, windowBits)
}

/**
 * Runs `complete` while the request holds the one offer of deflate that can be accepted, or none. `ws` answers 400 where an
 * offer has a parameter that it does not know; RFC 7692 §5.1 asks to decline the offer and to accept the connection.
 */
export function withKeptOffer(request: IncomingMessage, windowBits: number, complete: () => void): void {
  const { [EXTENSIONS]: sent } = request.headers
  if (typeof sent !== 'string') {
    complete()
    return
  }
  const offers = readExtensions(sent) ?? []
  const kept = offers.find(offer => agreeDeflate([offer], windowBits) !== null)
  if (kept === undefined) delete request.headers[EXTENSIONS]
  else {
    const parameters = kept.parameters.map(([name, value]) => (value === true ? name : `${name}=${value}`))
    request.headers[EXTENSIONS] = [kept.name, ...parameters].join('; ')
  }
  try {
    complete()
  } finally {
    request.headers[EXTENSIONS] = sent
  }
}

/**
 * Runs `complete`, in which `ws` writes the 101, and drops repeated lines of the headers in `once`: an app adds lines
 * in its `headers` listener, and a client refuses two subprotocols. The line of `ws` wins; a ticket is never echoed.
 */
export function withHeadersOnce(socket: Duplex, once: ReadonlySet<string>, complete: () => void): void {
  const own = Object.getOwnPropertyDescriptor(socket, 'write')
  const { write } = socket
  const restore = (): void => {
    if (own === undefined) Reflect.deleteProperty(socket, 'write')
    else Object.defineProperty(socket, 'write', own)
  }
  const writeOnce = (head: unknown, ...rest: unknown[]): unknown => {
    restore()
    return Reflect.apply(write, socket, [typeof head === 'string' ? headersOnce(head, once) : head, ...rest])
  }
  Object.defineProperty(socket, 'write', { value: writeOnce, configurable: true, writable: true })
  try {
    complete()
  } finally {
    if (Object.getOwnPropertyDescriptor(socket, 'write')?.value === writeOnce) restore()
  }
}

/** Keeps the first of repeated lines, and drops a ticket among the subprotocols. */
export function headersOnce(head: string, once: ReadonlySet<string> = ONCE): string {
  const seen = new Set<string>()
  return head
    .split('\r\n')
    .filter(line => {
      const colon = line.indexOf(':')
      const name = line.slice(0, Math.max(0, colon)).trim().toLowerCase()
      if (
        name === 'sec-websocket-protocol' &&
        line
          .slice(colon + 1)
          .split(',')
          .some(isTicketProtocol)
      )
        return false
      if (!once.has(name)) return true
      if (seen.has(name)) return false
      seen.add(name)
      return true
    })
    .join('\r\n')
}
