import type { HandshakeRequest } from './handshake-request.ts'
import type { Awaitable } from './verdict.ts'

/** The place in a request where a resolver finds the credential. */
export type Credential = { readonly cookie: string } | { readonly header: string } | { readonly query: string }

/**
 * The user and session that a connection acts for, found as the HTTP side finds it. Further fields belong to the app.
 */
export interface Session {
  /** The session's own id. Revocation and tickets are bound to it. It is logged only as a keyed hash. */
  readonly id: string
  /** The account of the session. Connection caps per user and revocation by user use it. */
  readonly user: string
  /** When the right to act ends, in ms since the epoch. The connection then closes with 4401. */
  readonly expiresAt?: number
  /** When the session began, in ms since the epoch. With it, `revoke({ user })` can spare a later sign-in. */
  readonly issuedAt?: number
}

/**
 * Finds the session of a request. Null or undefined means "no session" (401). An error means "cannot decide" (503),
 * never an anonymous connection. It is called at the handshake, for a ticket request, and again while a connection is
 * open.
 */
export interface SessionResolver<S extends Session = Session> {
  (request: HandshakeRequest): Awaitable<S | null | undefined>
  /**
   * Whether a browser attaches the credential by itself (cookies). Then a ticket is required. A plain function counts
   * as ambient. A resolver that reads only what a page must add itself sets false.
   */
  readonly ambient?: boolean
  /**
   * All credentials that it reads. A request without any of them has no session, and is refused without a call. If this
   * is left out, the guard takes every header and parameter that may be a credential for one.
   */
  readonly reads?: readonly Credential[]
  /** Checks an open connection again. Without it the resolver itself is called again. */
  readonly recheck?: (session: S, request: HandshakeRequest) => Awaitable<S | null | undefined>
  /**
   * Called at each revocation. A resolver with a cache must empty it here: an answer from before the revocation may be
   * wrong.
   */
  readonly forget?: () => void
}
