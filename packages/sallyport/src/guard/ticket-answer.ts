import { denialRow } from '../policy/denials.ts'
import type { Denial } from '../model/verdict.ts'
import type { IssuedTicket } from '../model/tickets.ts'

/** An HTTP answer of the ticket endpoint, before it is written for a host. */
export interface TicketAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * No answer may be cached, sniffed as another type, sent as a referrer, or read across origins: there are no CORS
 * headers.
 */
const HEADERS = Object.freeze({
  'Content-Type': 'application/json; charset=utf-8',
  'Cache-Control': 'no-store',
  Pragma: 'no-cache',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  Vary: 'Origin, Cookie',
})

/** 200 `{"ticket":"…","expiresIn":30}`. `expiresIn` is in seconds, rounded down. */
export function issuedAnswer({ ticket, expiresAt }: IssuedTicket, now: number): TicketAnswer {
  return answer(200, { ticket, expiresIn: Math.max(0, Math.floor((expiresAt - now) / 1000)) })
}

/** The HTTP status from the denial's row. The body contains only the code. */
export function refusedAnswer({ code, retryAfter }: Pick<Denial, 'code' | 'retryAfter'>): TicketAnswer {
  const headers = retryAfter === undefined ? {} : { 'Retry-After': String(Math.max(1, Math.ceil(retryAfter))) }
  return answer(denialRow(code).http ?? 403, { code }, headers)
}

/** 405: tickets are issued only for POST. A browser never sends a POST across origins without an Origin. */
export function methodAnswer(): TicketAnswer {
  return answer(405, { code: 'SALLY_REQUEST_MALFORMED' }, { Allow: 'POST' })
}

/** 404: the policy does not use tickets of this library. */
export function offAnswer(): TicketAnswer {
  return answer(404, { code: 'SALLY_REQUEST_MALFORMED' })
}

function answer(status: number, body: object, headers: Readonly<Record<string, string>> = {}): TicketAnswer {
  return { status, headers: { ...HEADERS, ...headers }, body: JSON.stringify(body) }
}
