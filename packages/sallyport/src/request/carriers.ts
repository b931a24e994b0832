import type { HandshakeRequest } from '../model/handshake-request.ts'
import type { Carrier } from '../model/tickets.ts'
import { type Denial, deny } from '../model/verdict.ts'

/** A client offers the ticket as a subprotocol of this prefix, beside the one it speaks. It is never echoed. */
export const TICKET_PROTOCOL_PREFIX = 'sallyport.ticket.'

/** The longest token in characters; a ticket of ours has 100, an app's own CSRF token may have more. */
export const TOKEN_CHARS = 4096

/** The longest authentication message: a token written in escapes alone, and the frame around it. */
const FIRST_MESSAGE_CHARS = TOKEN_CHARS * 6 + 256

const STRING = String.raw`"(?:[^"\\]|\\.)*"`
const TYPE = String.raw`"type"\s*:\s*"auth"`
const TOKEN = String.raw`"csrfToken"\s*:\s*${STRING}`
const FIRST_MESSAGE = new RegExp(String.raw`^\s*\{\s*(?:${TYPE}\s*,\s*${TOKEN}|${TOKEN}\s*,\s*${TYPE})\s*\}\s*$`)

/** Whether an offered subprotocol carries a ticket, in whatever case: such a name is never answered or logged. */
export function isTicketProtocol(name: string): boolean {
  return (
    name.startsWith(TICKET_PROTOCOL_PREFIX) ||
    name.trim().slice(0, TICKET_PROTOCOL_PREFIX.length).toLowerCase() === TICKET_PROTOCOL_PREFIX
  )
}

/** What of `handshake.ticket` says where a token stands. */
export interface TicketCarriage {
  readonly carrier: Carrier
  readonly parameter: string
  /** Not null where the token is the app's own. */
  readonly csrf: object | null
}

/**
 * The one token of a handshake, by the policy's carrier; a denial where there is none, more than one, or one without
 * content. With the carrier `first-message` a handshake has none. An app's own token comes percent-encoded in a
 * subprotocol, whose characters are few (RFC 6455 §4.1).
 */
export function ticketFrom(request: HandshakeRequest, policy: TicketCarriage): string | Denial {
  const found = policy.carrier === 'query' ? request.query.getAll(policy.parameter) : offered(request, policy)
  if (found.length === 0 || policy.carrier === 'first-message') {
    return deny('SALLY_TICKET_MISSING', { carrier: policy.carrier })
  }
  const [token] = found
  if (found.length > 1) return deny('SALLY_TICKET_INVALID', { reason: 'repeated', tickets: found.length })
  if (token === undefined || token === '' || token.length > TOKEN_CHARS) {
    return deny('SALLY_TICKET_INVALID', { reason: 'characters', most: TOKEN_CHARS })
  }
  return token
}

/**
 * The token of the first message, `{"type":"auth","csrfToken":"…"}`: these two keys, once each, in either order. Null for
 * anything else, also for keys written in escapes: a second reader could see another token.
 */
export function ticketFromFirstMessage(text: string): string | null {
  if (text.length > FIRST_MESSAGE_CHARS || !FIRST_MESSAGE.test(text)) return null
  try {
    const { csrfToken } = JSON.parse(text) as { readonly csrfToken: string }
    return csrfToken === '' || csrfToken.length > TOKEN_CHARS ? null : csrfToken
  } catch {
    return null
  }
}

function offered(request: HandshakeRequest, { csrf }: Pick<TicketCarriage, 'csrf'>): readonly (string | undefined)[] {
  const found: (string | undefined)[] = []
  for (const line of request.lines('sec-websocket-protocol')) {
    for (const part of line.split(',')) {
      const name = part.trim()
      if (!isTicketProtocol(name)) continue
      const token = name.startsWith(TICKET_PROTOCOL_PREFIX) ? name.slice(TICKET_PROTOCOL_PREFIX.length) : undefined
      found.push(csrf === null || token === undefined ? token : decoded(token))
    }
  }
  return found
}

function decoded(token: string): string | undefined {
  try {
    return decodeURIComponent(token)
  } catch {
    return undefined
  }
}
