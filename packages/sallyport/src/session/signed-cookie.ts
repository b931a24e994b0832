import { unsign } from 'cookie-signature'
import type { HandshakeRequest } from '../handshake/handshake-request.ts'
import type { Awaitable } from '../policy/verdict.ts'
import type { Session, SessionResolver } from './session.ts'

/** Options of `signedCookie`. */
export interface SignedCookieOptions<S extends Session = Session> {
  /** Name of the cookie. */
  readonly name: string
  /** What the cookie is signed with, 16 bytes or more; of several, the newest first, and older ones still verify. */
  readonly secret: string | readonly string[]
  /** Turns the verified value into a session: null is nobody, a throw is "cannot tell" (503). */
  readonly load: (value: string, request: HandshakeRequest) => Awaitable<S | null | undefined>
}

const LEAST_SECRET_BYTES = 16
const MOST_COOKIE_CHARS = 4096

/**
 * Finds the session behind a cookie that Express signed: `response.cookie(name, value, { signed: true })`, which is
 * `s:value.signature`, an HMAC-SHA-256 by `cookie-signature`. An unsigned, mis-signed or oversized cookie is nobody.
 * Throws a TypeError for options that are missing or weak.
 */
export function signedCookie<S extends Session = Session>(options: SignedCookieOptions<S>): SessionResolver<S> {
  const { name, load } = options
  if (typeof name !== 'string' || !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) {
    throw new TypeError(`signedCookie: name is ${JSON.stringify(name)}, not a cookie name. Write name: 'sid'.`)
  }
  if (typeof load !== 'function') {
    throw new TypeError(
      `signedCookie: load is ${typeof load}, not a function. Write load: value => sessions.get(value).`,
    )
  }
  const secrets: readonly string[] = typeof options.secret === 'string' ? [options.secret] : [...(options.secret ?? [])]
  if (secrets.length === 0) {
    throw new TypeError('signedCookie: secret is missing. Pass the secret that the HTTP side signs the cookie with.')
  }
  for (const secret of secrets) {
    if (typeof secret !== 'string' || Buffer.byteLength(secret) < LEAST_SECRET_BYTES) {
      const got = typeof secret === 'string' ? `${Buffer.byteLength(secret)} bytes long` : typeof secret
      throw new TypeError(
        `signedCookie: secret is ${got}; it must be a string of ${LEAST_SECRET_BYTES} bytes or more. Make one with: openssl rand -base64 32`,
      )
    }
  }

  const resolve = (request: HandshakeRequest): Awaitable<S | null | undefined> => {
    const cookie = request.cookie(name)
    if (cookie === undefined || cookie.length > MOST_COOKIE_CHARS || !cookie.startsWith('s:')) return null
    const signed = cookie.slice(2)
    for (const secret of secrets) {
      const value = unsign(signed, secret)
      if (value !== false) return value === '' ? null : load(value, request)
    }
    return null
  }
  return Object.assign(resolve, { ambient: true })
}
