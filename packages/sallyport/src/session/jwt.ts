import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  jwtVerify,
} from 'jose'
import { createHash } from 'node:crypto'
import type { HandshakeRequest } from '../model/handshake-request.ts'
import { isList } from '../shape/shown.ts'
import { noteMaker } from '../shape/uncalled.ts'
import { type JwtOptions, requireJwksUrl, requireJwtOptions, type TokenSource } from './jwt-options.ts'
import { nobody, SessionUnavailable } from './no-session.ts'
import type { Session, SessionResolver } from '../model/session.ts'
import type { Clock } from '../model/runtime.ts'
import { systemRuntime } from '../model/system-runtime.ts'

export type { JwtOptions, TokenSource } from './jwt-options.ts'

/** A session read from a token: its claims stand beside what the doors need. */
export interface JwtSession extends Session {
  readonly claims: JWTPayload
}

const MOST_TOKEN_CHARS = 8192
const DEFAULT_TOLERANCE_S = 5
const FETCH_TIMEOUT_MS = 3000

/** What jose throws for a token that is not good; anything else means that it could not tell. */
const BAD_TOKEN: ReadonlySet<string> = new Set([
  errors.JWTExpired.code,
  errors.JWTClaimValidationFailed.code,
  errors.JWTInvalid.code,
  errors.JWSInvalid.code,
  errors.JWSSignatureVerificationFailed.code,
  errors.JOSEAlgNotAllowed.code,
  errors.JOSENotSupported.code,
  errors.JWKSNoMatchingKey.code,
  errors.JWKSMultipleMatchingKeys.code,
])

const CHECKED: ReadonlySet<string> = new Set(['iss', 'aud', 'exp', 'nbf', 'iat', 'sub', 'typ'])

/**
 * Finds the session in a signed token (RFC 7519, verified by `jose` with pinned algorithms, issuer and audience): `sub`
 * is the user, `sid`, else `jti`, else the SHA-256 of the token is the id, `exp` is when the connection ends, `iat` when
 * the session began. A bad token is nobody; a key set that cannot be fetched throws (503). While a connection lives the
 * token is verified again. Throws a TypeError for options that are missing or weak.
 *
 * @param clock not public: a simulation gives its virtual clock
 */
export function jwt(options: JwtOptions, { now }: Pick<Clock, 'now'> = systemRuntime): SessionResolver<JwtSession> {
  requireJwtOptions(options)
  const key = keyOf(options)
  const read = readerOf(options.from)
  const toleranceS = options.clockTolerance ?? DEFAULT_TOLERANCE_S
  const verify: JWTVerifyOptions = {
    algorithms: [...options.algorithms],
    clockTolerance: toleranceS,
    requiredClaims: options.dangerouslyWithoutExpiry === true ? ['sub'] : ['sub', 'exp'],
    ...(options.issuer !== undefined && { issuer: [options.issuer].flat<(string | readonly string[])[]>() }),
    ...(options.audience !== undefined && { audience: [options.audience].flat<(string | readonly string[])[]>() }),
    ...(options.type !== undefined && { typ: options.type }),
  }

  const resolve = async (request: HandshakeRequest): Promise<JwtSession | null> => {
    const token = read(request)
    if (typeof token !== 'string' || token === '') return nobody(request, 'no token')
    if (token.length > MOST_TOKEN_CHARS) return nobody(request, `a token of more than ${MOST_TOKEN_CHARS} characters`)
    try {
      const time = now()
      const { payload } = await jwtVerify(token, key, { ...verify, currentDate: new Date(time) })
      const session = sessionOf(token, payload, time + toleranceS * 1000)
      return session ?? nobody(request, 'a claim is not usable: sub, sid, jti, exp or iat')
    } catch (error) {
      if (error instanceof errors.JOSEError && BAD_TOKEN.has(error.code)) return nobody(request, reasonFor(error))
      throw new SessionUnavailable('the token could not be verified: its key set or key is not to be had', {
        cause: error,
      })
    }
  }
  return typeof options.from === 'function'
    ? Object.assign(resolve, { ambient: true })
    : Object.assign(resolve, { ambient: isAmbient(options.from), reads: [options.from] })
}
noteMaker(jwt, 'jwt({ jwks, algorithms, issuer, audience, from })')

/** jose's own code, and which of the claims that are checked here: names alone, nothing that the token says. */
function reasonFor(error: errors.JOSEError): string {
  const { claim } = error as { readonly claim?: unknown }
  return typeof claim === 'string' && CHECKED.has(claim) ? `${error.code}: ${claim}` : error.code
}

function keyOf({ key, jwks }: JwtOptions): JWTVerifyGetKey {
  if (typeof key === 'function') return key
  if (key !== undefined) return () => key
  if (typeof jwks === 'string' || jwks instanceof URL) {
    return createRemoteJWKSet(requireJwksUrl(jwks), { timeoutDuration: FETCH_TIMEOUT_MS })
  }
  if (isList(jwks?.keys) && jwks.keys.length === 0) {
    throw new TypeError('jwt: jwks holds no key. Write a URL, or { keys: [ … ] } with the keys of the issuer.')
  }
  try {
    return createLocalJWKSet(jwks!)
  } catch {
    throw new TypeError('jwt: jwks is no JSON Web Key Set. Write a URL, or { keys: [ … ] }.')
  }
}

function readerOf(from: TokenSource): (request: HandshakeRequest) => string | undefined {
  if (typeof from === 'function') return from
  if ('cookie' in from) return request => request.cookie(from.cookie)
  if ('query' in from) return request => only(request.query.getAll(from.query))
  const name = from.header.toLowerCase()
  if (name !== 'authorization') return request => only(request.lines(name))
  return request => /^Bearer +([\w.~+/-]+=*)$/i.exec(only(request.lines(name)) ?? '')?.[1]
}

function isAmbient(from: TokenSource): boolean {
  if (typeof from === 'function' || 'cookie' in from) return true
  return 'header' in from && from.header.toLowerCase() !== 'authorization'
}

/** Of two tokens, two readers may choose differently: none is taken. */
function only(values: readonly string[]): string | undefined {
  return values.length === 1 ? values[0] : undefined
}

/** Null where a claim that the session stands on is not usable. `latest` is the greatest `iat` that is believed, in ms. */
function sessionOf(token: string, claims: JWTPayload, latest: number): JwtSession | null {
  const id: unknown = claims['sid'] ?? claims.jti ?? createHash('sha256').update(token).digest('base64url')
  const { sub: user, exp, iat } = claims
  if (typeof id !== 'string' || id === '' || typeof user !== 'string' || user === '') return null
  if (exp !== undefined && !Number.isFinite(exp)) return null
  // A token from the future would outlive every revocation of its user.
  if (iat !== undefined && !(iat * 1000 <= latest)) return null
  return {
    id,
    user,
    claims,
    ...(exp !== undefined && { expiresAt: exp * 1000 }),
    ...(iat !== undefined && { issuedAt: iat * 1000 }),
  }
}
