import { createPublicKey, type KeyObject } from 'node:crypto'
import type { SessionResolver } from 'sallyport'
import { signedCookie } from 'sallyport/session'
import { jwt, type JwtOptions } from 'sallyport/session/jwt'
import type { JwtConfig, SessionConfig } from '../model/config.ts'
import { forwardAuth } from './forward-auth.ts'

const MOST_ID_CHARS = 512

/** How sessions are found, for the library. Throws a TypeError that names the option for what is weak or contradicts itself. */
export function resolverOf(config: SessionConfig): SessionResolver | { readonly dangerouslyAnonymous: true } {
  if (config.kind === 'anonymous') return { dangerouslyAnonymous: true }
  if (config.kind === 'forwardAuth') return forwardAuth(config)
  if (config.kind === 'jwt') return jwt(jwtOptionsOf(config)) as unknown as SessionResolver
  return signedCookie({
    name: config.cookie,
    secret: config.secrets,
    // Longer than the library takes for an id: nobody, rather than "cannot tell" for ever.
    load: value => (value.length <= MOST_ID_CHARS ? { id: value, user: value } : null),
  })
}

function jwtOptionsOf({ jwks, secret, algorithms, issuer, audience, cookie, header }: JwtConfig): JwtOptions {
  if ((cookie === null) === (header === null)) {
    throw new TypeError('jwt: the token is in one place. Write cookie or header, and not both.')
  }
  return {
    algorithms,
    issuer,
    audience,
    from: cookie === null ? { header: header! } : { cookie },
    ...(jwks === null ? {} : { jwks: jwks.trimStart().startsWith('{') ? keySetOf(jwks) : jwks }),
    ...(secret === null
      ? {}
      : {
          key: algorithms.some(name => name.startsWith('HS')) ? new TextEncoder().encode(secret) : publicKeyOf(secret),
        }),
  }
}

function keySetOf(text: string): Exclude<JwtOptions['jwks'], string | URL | undefined> {
  try {
    return JSON.parse(text) as Exclude<JwtOptions['jwks'], string | URL | undefined>
  } catch {
    throw new TypeError(
      'jwt: jwks is neither a URL nor JSON. Write the URL of the key set, or file: and a file that holds it.',
    )
  }
}

function publicKeyOf(text: string): KeyObject {
  try {
    return text.trimStart().startsWith('{')
      ? createPublicKey({ key: JSON.parse(text) as object as never, format: 'jwk' })
      : createPublicKey(text)
  } catch {
    throw new TypeError(
      'jwt: secret is no public key. Write PEM (-----BEGIN PUBLIC KEY-----) or a JWK, or an algorithm of HMAC.',
    )
  }
}
