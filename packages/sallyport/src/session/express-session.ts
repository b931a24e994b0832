import { parseCookie } from 'cookie'
import { type IncomingMessage, ServerResponse } from 'node:http'
import type { HandshakeRequest } from '../model/handshake-request.ts'
import { kindOf } from '../shape/shown.ts'
import { noteMaker } from '../shape/uncalled.ts'
import type { Session, SessionResolver } from '../model/session.ts'
import { SessionUnavailable } from './no-session.ts'

/** A request on which express-session has run. */
export interface SessionRequest extends IncomingMessage {
  readonly session?: { readonly [key: string]: unknown }
  readonly sessionID?: string
}

/** Any express-session instance, or a chain that ends in one. It is given a response that leads nowhere. */
export type SessionMiddleware = (request: never, response: never, next: (error?: unknown) => void) => unknown

/** The session type that follows from what `pick` answers: an object adds its own fields. */
export type PickedSession<P> = unknown extends P
  ? Session
  : [Extract<Awaited<P>, object>] extends [never]
    ? Session
    : Session & Extract<Awaited<P>, object>

/**
 * Finds the session as express-session does on the HTTP side, with any of its stores: on an upgrade, and on a
 * request where the middleware already ran. A connection that lives is checked by a fresh look into the store.
 *
 * `pick` answers the user's id, or an object with `user` and further fields (`id`, `expiresAt`, `issuedAt` and the
 * app's own), or null for a session that nobody signed in to.
 *
 * Nobody: no cookie, a forged one, or one whose session is not in the store. Throws `SessionUnavailable` (503) where the
 * middleware reports an error, answers by itself, or passes without a session: its store is disconnected, or its
 * cookie's `path` does not cover the path of the request, which it does not tell apart.
 */
export function expressSession<P>(
  middleware: SessionMiddleware,
  pick: (request: SessionRequest) => P,
): SessionResolver<PickedSession<P>> {
  requireFunction('middleware', middleware, 'Pass the function that session({ … }) returned.')
  if (middleware.length === 1) {
    throw new TypeError(
      'expressSession: middleware takes one parameter: it is session itself, not what it returned. Write expressSession(session({ … }), pick).',
    )
  }
  requireFunction('pick', pick, 'Write request => request.session?.userId.')

  const find = async (request: HandshakeRequest, fresh: boolean): Promise<PickedSession<P> | null> => {
    const { raw } = request
    if (raw instanceof Request) {
      throw new SessionUnavailable(
        'expressSession needs a request of node:http; use another resolver with web Requests',
      )
    }
    const view = !fresh && (raw as SessionRequest).session ? (raw as SessionRequest) : await run(middleware, raw)
    const { session, sessionID } = view
    if (!session || typeof sessionID !== 'string' || !isBorneBy(raw, sessionID)) return null
    const picked: unknown = await pick(view)
    if (picked === null || picked === undefined || picked === false || picked === '') return null
    return sessionOf(sessionID, session, picked) as PickedSession<P>
  }

  return Object.assign((request: HandshakeRequest) => find(request, false), {
    ambient: true,
    // The name of its cookie is the middleware's own secret.
    reads: [{ header: 'cookie' }],
    recheck: (_: Session, request: HandshakeRequest) => find(request, true),
  })
}
noteMaker(expressSession, 'expressSession(sessionMiddleware, request => request.session?.userId)')

/**
 * Runs the middleware over a view of the request, so that a look-up leaves no trace on the request itself, and with a
 * response that has no socket, so that nothing it writes can reach the peer.
 */
function run(middleware: SessionMiddleware, raw: IncomingMessage): Promise<SessionRequest> {
  const own = { configurable: true, enumerable: true, writable: true, value: undefined }
  const view = Object.create(raw, { session: own, sessionID: own, sessionStore: own }) as SessionRequest
  const response = new ServerResponse(raw)
  return new Promise((resolve, reject) => {
    const fail = (what: string, cause?: unknown): void => reject(new SessionUnavailable(what, { cause }))
    const failed = (error: unknown): void => fail('the session middleware reported an error', error)
    const answered = (): void => fail('the session middleware answered the request instead of calling next()')
    response.end = () => {
      answered()
      return response
    }
    response.write = () => {
      answered()
      return false
    }
    const next = (error?: unknown): void => {
      if (error !== undefined && error !== null) return failed(error)
      if (view.session !== undefined && view.session !== null) return resolve(view)
      fail(
        "the session middleware passed without a session: its store is disconnected, or its cookie's path does not cover this path",
      )
    }
    try {
      const returned = middleware(view as never, response as never, next)
      if (returned instanceof Promise) returned.catch(failed)
    } catch (error) {
      failed(error)
    }
  })
}

/**
 * Whether the session's id came with the request: express-session gives a forged or unknown cookie a fresh session under
 * a new id, and `regenerate` makes another. It verified the signature before it took the id.
 */
function isBorneBy(raw: IncomingMessage, sid: string): boolean {
  const { cookie } = raw.headers
  if (cookie === undefined || sid === '') return false
  return Object.values(parseCookie(cookie)).some(value => value?.startsWith(`s:${sid}.`))
}

function sessionOf(sid: string, session: { readonly [key: string]: unknown }, picked: unknown): Session {
  const expiresAt = expiryOf(session['cookie'])
  if (typeof picked !== 'object' || picked === null) {
    // Not a string is for the door to refuse: it tells the operator which field is wrong.
    const user = picked as string
    return expiresAt === undefined ? { id: sid, user } : { id: sid, user, expiresAt }
  }
  const whole = { id: sid, ...picked } as Session
  if (expiresAt === undefined) return whole
  return { ...whole, expiresAt: whole.expiresAt === undefined ? expiresAt : Math.min(expiresAt, whole.expiresAt) }
}

/** Ms since the epoch; undefined for a cookie that ends with the browser. An invalid date becomes NaN, which the door refuses. */
function expiryOf(cookie: unknown): number | undefined {
  const expires: unknown = (cookie as { readonly expires?: unknown } | null | undefined)?.expires
  if (expires === undefined || expires === null || expires === false) return undefined
  return expires instanceof Date ? expires.getTime() : Date.parse(expires as string)
}

function requireFunction(name: string, value: unknown, remedy: string): void {
  if (typeof value !== 'function')
    throw new TypeError(`expressSession: ${name} is ${kindOf(value)}, not a function. ${remedy}`)
}
