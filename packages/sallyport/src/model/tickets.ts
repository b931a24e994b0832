import type { Awaitable, Verdict } from './verdict.ts'
import type { Session } from './session.ts'

/** What a ticket is bound to. It is valid for nothing else. */
export interface TicketBinding {
  readonly session: Session
  /** Serialised origin of the page: `https://app.company.com`. */
  readonly origin: string
  /** Path of the handshake, as sent: `/ws`. */
  readonly path: string
}

export interface IssuedTicket {
  readonly ticket: string
  /** Ms since the epoch. */
  readonly expiresAt: number
}

/** Issues and redeems tickets. A ticket is the CSRF token of the handshake. */
export interface Tickets {
  issue(binding: TicketBinding): IssuedTicket
  /**
   * Whether the ticket was issued here, has not expired and is presented for the first time. It is then marked as
   * presented. This is asked before the session is known, so the owner of the ticket is not checked. False also if the
   * store cannot decide.
   */
  present(ticket: string): Awaitable<boolean>
  /** Passes once for a ticket that was issued for this binding and is neither expired, used nor revoked. */
  redeem(ticket: string, binding: TicketBinding): Awaitable<Verdict>
}

/** How a ticket, or the app's own CSRF token, travels: never in a cookie. */
export type Carrier = 'subprotocol' | 'first-message' | 'query'
