import { pathText } from './path.ts'
import { faultOfIdentity } from '../session/forward-identity.ts'
import { duration, either, flag, list, mapped, may, must, object, secret, type Shape, text } from './shape.ts'
import * as checks from './text-checks.ts'
import { header, plaintext } from './text-shapes.ts'
import type { ForwardAuthConfig, SessionConfig } from '../model/config.ts'

const cookieName = text(checks.faultOfCookieName, "'sid'")
const forwardAuthKeys = mapped(
  object({
    url: must(
      text(checks.faultOfUrl, "'http://127.0.0.1:9000/me'"),
      "write url: 'http://127.0.0.1:9000/me'",
      "The app's own endpoint: 2xx is yes, 401 and 403 no, anything else cannot tell (503).",
    ),
    timeout: may(duration(), 2000, 'Longest wait for its answer. Default 2 s.'),
    requestHeaders: may(
      list(header, 1, "'Cookie'"),
      ['Cookie', 'Authorization'] as readonly string[],
      'Request headers that are passed on. Default: Cookie and Authorization.',
    ),
    sessionHeader: may(
      header,
      null,
      'Response header that names the session. Default: `cookie`, else the user stands for it.',
    ),
    userHeader: may(header, null, 'Response header that names the user. Default: the session stands for its user.'),
    cookie: may(
      either<readonly string[], string>(Array.isArray, list(cookieName, 1, "'sid'"), cookieName),
      null,
      'The session cookie, or a list where it is in several. One of sessionHeader, userHeader and cookie is required.',
    ),
    expiresHeader: may(
      header,
      null,
      'Response header that says when the session ends: seconds or ms since the epoch, or an HTTP date.',
    ),
    cache: may(
      duration(0),
      5000,
      'Longest time that a positive answer is used again; Cache-Control and Expires shorten it. Default 5 s.',
    ),
    dangerouslyAllowPlaintext: plaintext,
  }),
  ({ timeout, cache, cookie, ...rest }): ForwardAuthConfig => ({
    kind: 'forwardAuth',
    ...rest,
    cookies: typeof cookie === 'string' ? [cookie] : cookie,
    timeoutMs: timeout,
    cacheMs: cache,
  }),
)
const forwardAuth: Shape<ForwardAuthConfig> = {
  read(reading, path, value) {
    const read = forwardAuthKeys.read(reading, path, value)
    const fault = read === undefined ? null : faultOfIdentity(read)
    if (fault === null) return read
    reading.problems.push({
      file: reading.document.file,
      ...reading.document.atKey(path),
      path: pathText(path),
      value: '',
      ...fault,
    })
    return undefined
  },
  schema: forwardAuthKeys.schema,
}

const jwt = mapped(
  object({
    jwks: may(
      secret(() => null, ''),
      null,
      "The issuer's key set: its URL, or file: and a file that holds it.",
    ),
    secret: may(
      secret(value => (value.length > 0 ? null : 'empty'), checks.GENERATE),
      null,
      'Instead of jwks: an HMAC secret, or a public key as PEM or JWK.',
    ),
    algorithms: must(
      list(text(checks.faultOfText, "'RS256'"), 1, "'RS256'"),
      "write algorithms: ['RS256']",
      'What the issuer signs with.',
    ),
    issuer: must(
      text(checks.faultOfText, "'https://issuer.company.com'"),
      "write issuer: 'https://issuer.company.com'",
      'The `iss` that is accepted.',
    ),
    audience: must(
      text(checks.faultOfText, "'wss://app.company.com'"),
      "write audience: 'chat'",
      'The `aud` that this gateway is.',
    ),
    cookie: may(text(checks.faultOfCookieName, "'token'"), null, 'The cookie with the token.'),
    header: may(header, null, 'Or the header: `Authorization` is read as Bearer.'),
  }),
  (read): SessionConfig => ({ kind: 'jwt', ...read }),
)

const signedCookie = mapped(
  object({
    cookie: must(
      text(checks.faultOfCookieName, "'connect.sid'"),
      "write cookie: 'sid'",
      'Name of the cookie, signed as Express does.',
    ),
    secrets: must(
      list(secret(checks.faultOfSecret(16), checks.GENERATE), 1, "'${COOKIE_SECRET}'"),
      "write secrets: ['${COOKIE_SECRET}']",
      'What it is signed with, newest first.',
    ),
  }),
  (read): SessionConfig => ({ kind: 'signedCookie', ...read }),
)

/** Exactly one key says which kind. */
const SESSION_KINDS = {
  forwardAuth: may(forwardAuth, null, "A subrequest with the client's own cookies to the app."),
  jwt: may(jwt, null, 'A JWT from a cookie or header.'),
  signedCookie: may(signedCookie, null, 'A cookie signed as Express does; its value is session and user.'),
  dangerouslyAnonymous: may(flag, false, 'A public endpoint: nobody is asked who they are.'),
} as const

/** How the session of a route is found. */
export const SESSION: Shape<SessionConfig> = {
  read(reading, path, value) {
    const read = object(SESSION_KINDS).read(reading, path, value)
    if (read === undefined) return undefined
    const kinds = [
      read.forwardAuth,
      read.jwt,
      read.signedCookie,
      read.dangerouslyAnonymous ? ({ kind: 'anonymous' } as const) : null,
    ].filter(kind => kind !== null)
    if (kinds.length === 1) return kinds[0]
    reading.problems.push({
      file: reading.document.file,
      ...reading.document.atKey(path),
      path: pathText(path),
      value: '',
      message: kinds.length === 0 ? 'it must be decided how the session is found' : 'a session is found in one way',
      remedy: 'write one of forwardAuth, jwt, signedCookie, or dangerouslyAnonymous: true',
    })
    return undefined
  },
  schema: { ...object(SESSION_KINDS).schema, minProperties: 1, maxProperties: 1 },
}
