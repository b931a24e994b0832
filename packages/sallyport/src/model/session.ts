import type { HandshakeRequest } from './handshake-request.ts'
import type { Awaitable } from './verdict.ts'

/** Where a resolver finds who somebody is. */
export type Credential = { readonly cookie: string } | { readonly header: string } | { readonly query: string }

/** Who a connection acts for, found the way the HTTP side finds it. Further fields are the app's own. */
export interface Session {
  /** The session's own id; revocation and tickets are bound to it. Logged only as a keyed hash. */
  readonly id: string
  /** The account behind it; connection caps and revocation by user count on it. */
  readonly user: string
  /** When the right to act ends, in ms since the epoch; the connection closes then with 4401. */
  readonly expiresAt?: number
  /** When the session began, in ms since the epoch; lets `revoke({ user })` spare a later sign-in. */
  readonly issuedAt?: number
}

/**
 * Finds the session of a request: null or undefined is "nobody" (401); throwing is "cannot tell" (503, never anonymous).
 * It is called with the handshake, with a ticket request, and again while a connection lives.
 */
export interface SessionResolver<S extends Session = Session> {
  (request: HandshakeRequest): Awaitable<S | null | undefined>
  /**
   * Whether a browser attaches the credential by itself (cookies): then a ticket is required. A plain function
   * counts as ambient; a resolver that reads only what a page must add by hand says false.
   */
  readonly ambient?: boolean
  /**
   * What it reads, and all that it reads, to find who somebody is. A request that shows none of it is nobody, and is refused
   * without a call. Without it the guard takes every header and parameter that may be a credential for one.
   */
  readonly reads?: readonly Credential[]
  /** Checks again while the connection lives; without it the resolver itself is called again. */
  readonly recheck?: (session: S, request: HandshakeRequest) => Awaitable<S | null | undefined>
  /** Called at each revocation. A resolver that keeps answers forgets them here: one from before the revocation may be wrong. */
  readonly forget?: () => void
}
