import { choice, duration, mapped, may, must, object, secret, text } from './shape.ts'
import * as checks from './text-checks.ts'
import { header, none } from './text-shapes.ts'
import type { IdentityJwt } from '../model/config.ts'

const identityJwt = mapped(
  object({
    header: may(header, 'X-Sallyport-Identity', 'Default X-Sallyport-Identity.'),
    key: must(
      secret(
        value =>
          value.includes('-----BEGIN') || Buffer.byteLength(value) >= 32 ? null : 'shorter than 32 bytes, and not PEM',
        checks.GENERATE,
      ),
      'write key: file:/run/secrets/identity.pem',
      'HS256 secret of 32 bytes or more, or a PKCS#8 PEM private key.',
    ),
    algorithm: must(choice('HS256', 'ES256', 'EdDSA', 'RS256'), 'write algorithm: ES256', 'What it is signed with.'),
    issuer: may(text(checks.faultOfText, "'sallyport'"), 'sallyport', 'Its `iss`. Default sallyport.'),
    audience: must(text(checks.faultOfText, "'chat-backend'"), "write audience: 'chat-backend'", 'Its `aud`.'),
    ttl: may(duration(1000), 60_000, 'How long it holds. Default 1 minute.'),
  }),
  ({ ttl, ...rest }): IdentityJwt => ({ ...rest, ttlMs: ttl }),
)
export const IDENTITY_DEFAULT = {
  sessionHeader: 'X-Sallyport-Session',
  userHeader: 'X-Sallyport-User',
  connectionHeader: 'X-Sallyport-Connection',
  jwt: null,
}

/** Who the backend is told that the client is. */
export const identity = object({
  sessionHeader: may(
    none(header),
    IDENTITY_DEFAULT.sessionHeader as string | null,
    'Header that names the session; false: none. Default X-Sallyport-Session.',
  ),
  userHeader: may(
    none(header),
    IDENTITY_DEFAULT.userHeader as string | null,
    'Header that names the user; false: none. Default X-Sallyport-User.',
  ),
  connectionHeader: may(
    none(header),
    IDENTITY_DEFAULT.connectionHeader as string | null,
    'Header with the id of the connection in events; false: none. Default X-Sallyport-Connection.',
  ),
  jwt: may(identityJwt, null, 'A short-lived JWT, for a backend that trusts signatures rather than the network.'),
})
