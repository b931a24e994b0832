import type { Awaitable, Verdict } from './verdict.ts'
import type { Session } from './session.ts'

/** What a ticket is bound to; it redeems for nothing else. */
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

/** Issues and redeems tickets: the CSRF token of the handshake. */
export interface Tickets {
  issue(binding: TicketBinding): IssuedTicket
  /**
   * Whether it was issued here, is unexpired, and is presented for the first time; it is marked as presented then. Asked
   * before the session is known: it says nothing about whose ticket it is. False also where the store cannot tell.
   */
  present(ticket: string): Awaitable<boolean>
  /** Passes once for a ticket that was issued for this binding, is unexpired, unused and not revoked. */
  redeem(ticket: string, binding: TicketBinding): Awaitable<Verdict>
}
