import { resolveAddress } from './address.ts'
import { asSubprotocol, fetchTicket, type TicketFetch } from './ticket-source.ts'

/** Where a ticket is asked for. */
export interface TicketOptions {
  /** Path of the ticket endpoint. Default `/.sallyport/ticket`. */
  readonly endpoint?: string
  /** Lets the ticket be for a connection to another origin than the page's. Never with a URL that comes from outside. */
  readonly dangerouslyCrossOrigin?: boolean
  readonly fetch?: TicketFetch
}

/** Why there is no ticket. */
export class TicketError extends Error {
  override readonly name = 'TicketError'
  /**
   * What to do: let the user sign in (401), stop (403), correct the configuration (`error`: 404 or 405), or ask again with
   * back-off.
   */
  readonly code: 'signin' | 'stop' | 'error' | 'retry'
  /** Of the endpoint's answer; 0 where there was none. */
  readonly status: number
  /** How long the server asks to wait, in ms; 0 where it says nothing. */
  readonly retryAfterMs: number

  constructor(code: TicketError['code'], status: number, retryAfterMs: number) {
    super(`no ticket: ${code}${status ? ` (${status})` : ''}`)
    this.code = code
    this.status = status
    this.retryAfterMs = retryAfterMs
  }
}

/**
 * Asks the page's own origin for one ticket, for one handshake to `url`: for a library that makes its WebSocket itself.
 * `connect` does this by itself. Rejects with a {@link TicketError}; throws `TypeError` for a URL that must get no ticket.
 */
export async function ticket(url: string | URL, options: TicketOptions = {}): Promise<string> {
  const { endpoint = '/.sallyport/ticket', dangerouslyCrossOrigin = false, fetch = globalThis.fetch } = options
  const address = resolveAddress(url, endpoint, dangerouslyCrossOrigin)
  if (address.ticket === null) throw new TypeError(`endpoint is ${endpoint}; write a path`)
  const outcome = await fetchTicket(address.ticket, fetch)
  if ('token' in outcome) return outcome.token
  throw new TicketError(outcome.fault, outcome.status, outcome.after)
}

/** The subprotocol that carries a ticket: offer it beside the app's own. */
export const ticketProtocol: (ticket: string) => string = asSubprotocol

export type { TicketFetch } from './ticket-source.ts'
