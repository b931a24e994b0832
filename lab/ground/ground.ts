import type { IncomingMessage, RequestListener, Server } from 'node:http'
import type { Policy, SallyEvent, SessionResolver, TicketEndpoint } from 'sallyport'
import type { Account, Accounts } from './accounts.ts'

/** What the session cookie says of SameSite; `unset` leaves it out. */
export type SameSite = 'unset' | 'none' | 'lax' | 'strict'

/** The session cookie, as Express's `response.cookie` takes it. */
export interface CookieOptions {
  readonly httpOnly: true
  readonly secure: true
  /** Left out: the browser's own default decides. */
  readonly sameSite?: Exclude<SameSite, 'unset'>
}

/** The part of a guard that the ground uses. */
export interface GroundGuard {
  on(listener: (event: SallyEvent) => void): unknown
  readonly ticket: TicketEndpoint
  readonly policy: Policy
  drain(options?: { readonly withinMs?: number }): Promise<void>
}

/** What an app of the lab stands on: everything that is not the flaw. Both `app.ts` and `guarded.ts` get it. */
export interface Ground {
  /** HTTPS (HTTP for a `plain` flaw), listening already: hand it to `WebSocketServer({ server, … })`. */
  readonly server: Server
  /** The victim's own origin: `https://app.shop.localhost:43210`. */
  readonly origin: string
  /** `app.shop.localhost` */
  readonly host: string
  readonly accounts: Accounts
  /** What only the victim's session may read; it is in the private messages of `ann`. */
  readonly secret: string
  /** Opens sign-in (`POST /login`) and sign-out (`POST /logout`), with this session cookie. */
  signIn(cookie: CookieOptions): void
  /** The account whose session cookie the request bears: the getSessionFromCookie of the seed. */
  user(request: IncomingMessage): Account | undefined
  /** The id of that session. */
  sessionId(request: IncomingMessage): string | undefined
  /** The same for a guard: `handshake.session`. */
  readonly session: SessionResolver
  /** Called after a sign-out with the id of the session that ended. */
  onSignOut(listener: (sessionId: string) => void): void
  /** Another HTTP route of the app: `route('GET /export', …)`. */
  route(methodAndPath: string, listener: RequestListener): void
  /** Serves the guard's tickets at `POST /.sallyport/ticket` and keeps its events as evidence. */
  use(guard: GroundGuard): void
}
