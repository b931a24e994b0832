import { unsign } from 'cookie-signature'
import type { HandshakeRequest } from '../model/handshake-request.ts'
import { requireOptions } from '../shape/options.ts'
import { isList, kindOf, show } from '../shape/shown.ts'
import { noteMaker } from '../shape/uncalled.ts'
import type { Awaitable } from '../model/verdict.ts'
import type { Session, SessionResolver } from '../model/session.ts'

/** Options of `signedCookie`. */
export interface SignedCookieOptions<S extends Session = Session> {
  /** Name of the cookie. */
  readonly name: string
  /** What the cookie is signed with, 16 bytes or more; of several, the newest first, and older ones still verify. */
  readonly secret: string | readonly string[]
  /** Turns the verified value into a session: null is nobody, a throw is "cannot tell" (503). */
  readonly load: (value: string, request: HandshakeRequest) => Awaitable<S | null | undefined>
}

const KEYS = ['name', 'secret', 'load']
const LEAST_SECRET_BYTES = 16
const MOST_COOKIE_CHARS = 4096

/**
 * Finds the session behind a cookie that Express signed: `response.cookie(name, value, { signed: true })`, which is
 * `s:value.signature`, an HMAC-SHA-256 by `cookie-signature`. An unsigned, mis-signed or oversized cookie is nobody.
 * Throws a TypeError for options that are missing or weak.
 */
export function signedCookie<S extends Session = Session>(options: SignedCookieOptions<S>): SessionResolver<S> {
  requireOptions('signedCookie', options, KEYS, 'signedCookie({ name, secret, load })')
  const { name, load } = options
  if (typeof name !== 'string' || !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) {
    throw new TypeError(`signedCookie: name is ${show(name)}, not a cookie name. Write name: 'sid'.`)
  }
  if (typeof load !== 'function') {
    throw new TypeError(
      `signedCookie: load is ${kindOf(load)}, not a function. Write load: value => sessions.get(value).`,
    )
  }
  const secrets = secretsOf(options.secret)

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
  return Object.assign(resolve, { ambient: true, reads: [{ cookie: name }] })
}
noteMaker(signedCookie, 'signedCookie({ name, secret, load })')

/** The secrets, once each is known to be one; none of them is shown. */
function secretsOf(value: unknown): readonly string[] {
  const secrets: readonly unknown[] = isList(value) ? [...value] : [value]
  if (secrets.length === 0 || value === undefined || value === null) {
    throw new TypeError('signedCookie: secret is missing. Pass the secret that the HTTP side signs the cookie with.')
  }
  for (const secret of secrets) {
    if (typeof secret !== 'string' || Buffer.byteLength(secret) < LEAST_SECRET_BYTES) {
      const got = typeof secret === 'string' ? `${Buffer.byteLength(secret)} bytes long` : kindOf(secret)
      throw new TypeError(
        `signedCookie: secret is ${got}; it must be a string of ${LEAST_SECRET_BYTES} bytes or more. Make one with: openssl rand -base64 32`,
      )
    }
  }
  return secrets as readonly string[]
}
