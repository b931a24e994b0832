import { MAX_WINDOW_BITS, MIN_WINDOW_BITS } from './deflate.ts'

/** One offer of a `Sec-WebSocket-Extensions` header: its name, and its parameters in order, `true` without a value. */
export interface ExtensionOffer {
  readonly name: string
  readonly parameters: readonly (readonly [name: string, value: string | true])[]
}

/** How permessage-deflate was agreed. */
export interface DeflateAgreement {
  /** The value of the response's `Sec-WebSocket-Extensions`. */
  readonly response: string
  /** Window of what the server sends, as an exponent of two. */
  readonly serverWindowBits: number
}

const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+"
const PARAMETER = new RegExp(`^(${TOKEN})(?:[ \\t]*=[ \\t]*(?:(${TOKEN})|"(${TOKEN})"))?$`)
const NAME = new RegExp(`^${TOKEN}$`)
const WINDOW = /^(?:[89]|1[0-5])$/
const MAX_OFFERS = 16

/**
 * Reads a `Sec-WebSocket-Extensions` header (RFC 6455 §9.1).
 *
 * @returns null when it does not match the grammar, or offers more than 16 extensions or parameters of one
 */
export function readExtensions(header: string): readonly ExtensionOffer[] | null {
  const offers: ExtensionOffer[] = []
  // No comma or semicolon can stand inside a value: even a quoted one must be a token (RFC 6455 §9.1).
  for (const offer of header.split(',')) {
    const [name, ...rest] = offer.split(';').map(part => part.trim())
    if (!NAME.test(name!) || rest.length > MAX_OFFERS || offers.length === MAX_OFFERS) return null
    const parameters: [string, string | true][] = []
    for (const part of rest) {
      const match = PARAMETER.exec(part)
      if (match === null) return null
      parameters.push([match[1]!, match[2] ?? match[3] ?? true])
    }
    offers.push({ name: name!, parameters })
  }
  return offers
}

/**
 * Chooses the first offer of permessage-deflate that a server with windows of at most `windowBits` can keep
 * (RFC 7692 §5.1, §7.1). No context is taken over in either direction, whatever was offered, which §7.1.1 leaves to
 * the server.
 *
 * @returns null when no offer can be kept: the connection then goes uncompressed
 */
export function agreeDeflate(offers: readonly ExtensionOffer[], windowBits: number): DeflateAgreement | null {
  for (const offer of offers) {
    const agreement = offer.name === 'permessage-deflate' ? agreeOffer(offer, windowBits) : null
    if (agreement !== null) return agreement
  }
  return null
}

function agreeOffer(offer: ExtensionOffer, windowBits: number): DeflateAgreement | null {
  const asked = new Map(offer.parameters)
  if (asked.size !== offer.parameters.length || !offer.parameters.every(isParameter)) return null
  const server = asked.get('server_max_window_bits')
  const client = asked.get('client_max_window_bits')
  const serverWindowBits = server === undefined ? windowBits : Math.min(Number(server), windowBits)
  if (serverWindowBits < MIN_WINDOW_BITS) return null
  const response = ['permessage-deflate', 'server_no_context_takeover', 'client_no_context_takeover']
  // An offer with the parameter must be answered with it (§7.1.2.1), even with 15. In an answer to an offer without it some
  // Go clients refuse it: our smaller window then needs no words, since the client inflates with the full one.
  if (server !== undefined) response.push(`server_max_window_bits=${serverWindowBits}`)
  // Only a client that offers the parameter may be told its window (RFC 7692 §7.1.2.2). The others use the full one,
  // which costs nothing here: a message is inflated on its own, and no window is held between two.
  if (client !== undefined) {
    const clientWindowBits = client === true ? windowBits : Math.min(Number(client), windowBits)
    if (clientWindowBits < MAX_WINDOW_BITS) response.push(`client_max_window_bits=${clientWindowBits}`)
  }
  return { response: response.join('; '), serverWindowBits }
}

function isParameter([name, value]: readonly [string, string | true]): boolean {
  if (name === 'server_no_context_takeover' || name === 'client_no_context_takeover') return value === true
  if (name === 'client_max_window_bits' && value === true) return true
  return (name === 'client_max_window_bits' || name === 'server_max_window_bits') && WINDOW.test(String(value))
}
