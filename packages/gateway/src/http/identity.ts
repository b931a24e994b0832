import { createPrivateKey, createSecretKey } from 'node:crypto'
import { SignJWT } from 'jose'
import type { Session } from 'sallyport'
import type { IdentityConfig, IdentityJwt } from '../model/config.ts'
import { headerValue } from './header-values.ts'

/** Who a connection acts for, as the handshake door found it. */
export interface Identity {
  readonly connection: string
  readonly session: Session
}

/** The header lines that tell a backend who the client is. A promise only where a JWT is signed. */
export type IdentityLines = (identity: Identity) => string | Promise<string>

/** Names that `identityLines` writes: a client's own of these never pass. */
export function identityNames(config: IdentityConfig): readonly string[] {
  return [config.sessionHeader, config.userHeader, config.connectionHeader, config.jwt?.header].filter(
    name => name !== null && name !== undefined,
  )
}

/** Compiles what a backend is told. Throws a `TypeError` for a key that cannot sign. */
export function createIdentityLines(config: IdentityConfig, now: () => number = Date.now): IdentityLines {
  const { sessionHeader, userHeader, connectionHeader, jwt } = config
  const plain = ({ connection, session }: Identity): string =>
    line(sessionHeader, session.id) + line(userHeader, session.user) + line(connectionHeader, connection)
  if (jwt === null) return plain
  const sign = createSigner(jwt, now)
  return async identity => `${plain(identity)}${jwt.header}: ${await sign(identity)}\r\n`
}

const LEAST_SECRET_BYTES = 32

function createSigner(jwt: IdentityJwt, now: () => number): (identity: Identity) => Promise<string> {
  if (jwt.algorithm === 'HS256' && Buffer.byteLength(jwt.key) < LEAST_SECRET_BYTES) {
    throw new TypeError(`identity.jwt.key for HS256 must have ${LEAST_SECRET_BYTES} bytes or more`)
  }
  const key = jwt.algorithm === 'HS256' ? createSecretKey(jwt.key, 'utf8') : createPrivateKey(jwt.key)
  return ({ connection, session }) => {
    const issued = Math.floor(now() / 1000)
    const expires = Math.min(issued + Math.ceil(jwt.ttlMs / 1000), Math.floor((session.expiresAt ?? Infinity) / 1000))
    return new SignJWT({ sid: session.id })
      .setProtectedHeader({ alg: jwt.algorithm, typ: 'JWT' })
      .setSubject(session.user)
      .setJti(connection)
      .setIssuer(jwt.issuer)
      .setAudience(jwt.audience)
      .setIssuedAt(issued)
      .setExpirationTime(expires)
      .sign(key)
  }
}

function line(name: string | null, value: string): string {
  return name === null ? '' : `${name}: ${headerValue(value)}\r\n`
}
