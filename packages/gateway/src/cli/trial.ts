import { createHmac, createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { compactVerify, importJWK, type JWK, jwtVerify, SignJWT } from 'jose'
import type { HandshakeRequest, SessionResolver } from 'sallyport'
import { tryTicketSecrets } from 'sallyport/internal'
import { ConfigError, type ConfigProblem } from '../config/config-error.ts'
import { readDocument } from '../config/document.ts'
import { type Path, pathText } from '../config/path.ts'
import type {
  GatewayConfig,
  IdentityJwt,
  JwtConfig,
  RouteConfig,
  SignedCookieConfig,
  TlsFiles,
} from '../model/config.ts'
import { createIdentityLines } from '../http/identity.ts'
import { readConfigText } from '../runtime/running.ts'
import { resolverOf } from '../session/resolver.ts'

/** What is wrong with a key or a file that was tried, and what to write. Neither holds anything of it. */
interface Failure {
  readonly path: Path
  readonly message: string
  readonly remedy: string
}

/**
 * Uses once what a configuration only names: signs and verifies with every key, opens every certificate and authority, loads
 * the packages that it needs. Nothing is asked of the network.
 *
 * @throws ConfigError with all that does not work
 */
export async function tryAll(file: string, config: GatewayConfig): Promise<void> {
  const certificates = config.listeners.flatMap(({ name, tls }) =>
    tls === null ? [] : tryCertificate(['listeners', name, 'tls'], tls),
  )
  const authorities = Object.entries(config.upstreams).flatMap(([name, { tls }]) =>
    tls?.ca == null ? [] : tryAuthorities(['upstreams', name, 'tls', 'ca'], tls.ca),
  )
  const keys = await Promise.all(config.routes.map(tryKeys))
  const store = config.store == null ? [] : await tryRedis(config.store.url)
  const failures = [...certificates, ...authorities, ...keys.flat(), ...store]
  if (failures.length === 0) return
  const document = readDocument(readConfigText(file), { file, env: process.env })
  throw new ConfigError(
    failures.map(({ path, message, remedy }): ConfigProblem => {
      const { line, column } = 'value' in document ? document.at(path) : { line: 1, column: 1 }
      return { file, line, column, path: pathText(path), value: '', message, remedy }
    }),
  )
}

async function tryKeys(route: RouteConfig): Promise<readonly Failure[]> {
  const at: Path = ['routes', route.id]
  const { jwt } = route.relay.identity
  return [
    ...(await trySession([...at, 'session'], route)),
    ...(await tryTickets([...at, 'handshake', 'ticket', 'secret'], route)),
    ...(jwt === null ? [] : await tryIdentity([...at, 'relay', 'identity', 'jwt', 'key'], jwt)),
  ]
}

const PAIR = 'name a PEM certificate with its chain, and its private key'

function tryCertificate(path: Path, { cert, key }: TlsFiles): readonly Failure[] {
  try {
    const pem = readFileSync(cert)
    const secret = readFileSync(key)
    createSecureContext({ cert: pem, key: secret })
    const certificate = new X509Certificate(pem)
    if (!certificate.checkPrivateKey(createPrivateKey(secret))) {
      return [{ path, ...unusable({ code: 'ERR_OSSL_X509_KEY_VALUES_MISMATCH' } as NodeJS.ErrnoException) }]
    }
    return outOfDate(path, certificate)
  } catch (error) {
    return [{ path, ...unusable(error as NodeJS.ErrnoException) }]
  }
}

/** What the codes of OpenSSL and of files mean here, and what to do. */
const UNUSABLE: { readonly [code: string]: readonly [message: string, remedy: string] } = {
  ERR_OSSL_X509_KEY_VALUES_MISMATCH: ['the key is not that of the certificate', 'name the two files of one pair'],
  ERR_OSSL_X509_KEY_TYPE_MISMATCH: ['the key is not that of the certificate', 'name the two files of one pair'],
  ERR_OSSL_BAD_DECRYPT: ['the key is encrypted', 'decrypt it: openssl pkey -in key.pem -out plain.pem'],
  ERR_MISSING_PASSPHRASE: ['the key is encrypted', 'decrypt it: openssl pkey -in key.pem -out plain.pem'],
  ERR_OSSL_PEM_NO_START_LINE: ['one of the files is not PEM, or they are swapped', PAIR],
  ERR_SSL_EE_KEY_TOO_SMALL: ['the key is too short for TLS', 'make one of P-256, or RSA of 2048 bits or more'],
  ERR_SSL_CA_MD_TOO_WEAK: ['the certificate is signed by a digest that TLS refuses', 'have it signed by SHA-256'],
  ENOENT: ['there is no such file', PAIR],
  EACCES: ['this user may not read the file', 'let this user read it'],
  EISDIR: ['one of the names is a folder', PAIR],
}

function unusable({ code = 'unusable', path: name }: NodeJS.ErrnoException): Omit<Failure, 'path'> {
  const [message, remedy] = UNUSABLE[code] ?? ['certificate and key cannot be used', PAIR]
  const file = name === undefined || name.includes('-----') ? '' : `: ${name}`
  return { message: `${message} (${code}${file})`, remedy }
}

function outOfDate(path: Path, { validFrom, validTo }: X509Certificate): readonly Failure[] {
  if (Date.parse(validTo) <= Date.now())
    return [{ path, message: `the certificate ended on ${validTo}`, remedy: 'renew it' }]
  if (Date.parse(validFrom) > Date.now())
    return [{ path, message: `the certificate begins on ${validFrom}`, remedy: 'check the clock, or wait for it' }]
  return []
}

function tryAuthorities(path: Path, text: string): readonly Failure[] {
  const blocks = text.match(/-----BEGIN [^-]+-----[^]*?(?:-----END [^-]+-----|$)/g) ?? []
  if (blocks.length === 0)
    return [{ path, message: 'it holds no certificate', remedy: 'name a PEM file: file:/etc/ssl/ca.pem' }]
  return blocks.flatMap((block, index) => {
    try {
      return outOfDate(path, new X509Certificate(block))
    } catch {
      return [
        {
          path,
          message: `entry ${index + 1} of ${blocks.length} is no certificate`,
          remedy: 'name a PEM file of certificates: file:/etc/ssl/ca.pem',
        },
      ]
    }
  })
}

async function tryTickets(path: Path, { policy }: RouteConfig): Promise<readonly Failure[]> {
  const secrets = [policy.handshake.ticket?.secret ?? []].flat().filter(one => one !== undefined)
  return (await tryTicketSecrets(secrets)).map(index => ({
    path,
    message: `a ticket of secret ${index + 1} is not redeemed`,
    remedy: 'write the output of `openssl rand -base64 32`, from the environment',
  }))
}

async function tryIdentity(path: Path, jwt: IdentityJwt): Promise<readonly Failure[]> {
  const remedy = `give a key for ${jwt.algorithm}: ${jwt.algorithm === 'HS256' ? 'openssl rand -base64 32' : 'a PKCS#8 PEM private key of its kind'}`
  try {
    const lines = createIdentityLines({ sessionHeader: null, userHeader: null, connectionHeader: null, jwt })
    const signed = await lines({ connection: 'trial', session: { id: 'trial', user: 'trial' } })
    const key = jwt.algorithm === 'HS256' ? Buffer.from(jwt.key, 'utf8') : createPublicKey(createPrivateKey(jwt.key))
    await jwtVerify(signed.slice(jwt.header.length + 1).trim(), key, {
      algorithms: [jwt.algorithm],
      issuer: jwt.issuer,
      audience: jwt.audience,
    })
    return []
  } catch {
    return [{ path, message: `a JWT that it signs by ${jwt.algorithm} cannot be verified`, remedy }]
  }
}

async function trySession(path: Path, { session }: RouteConfig): Promise<readonly Failure[]> {
  if (session.kind === 'signedCookie') return tryCookie([...path, 'signedCookie', 'secrets'], session)
  return session.kind === 'jwt' ? tryJwt([...path, 'jwt'], session) : []
}

/** Signs a cookie as Express does with each secret, and has the route's own resolver read it. */
async function tryCookie(path: Path, session: SignedCookieConfig): Promise<readonly Failure[]> {
  const resolve = resolverOf(session) as SessionResolver
  const tried = session.secrets.map(async (secret, index): Promise<readonly Failure[]> => {
    const signature = createHmac('sha256', secret).update('trial').digest('base64').replace(/=+$/, '')
    const cookie = (name: string): string | undefined => (name === session.cookie ? `s:trial.${signature}` : undefined)
    const found = await resolve({ cookie } as HandshakeRequest)
    return found?.id === 'trial'
      ? []
      : [
          {
            path: [...path, index],
            message: 'a cookie that it signs is not read',
            remedy: 'give what Express signs with',
          },
        ]
  })
  return (await Promise.all(tried)).flat()
}

async function tryJwt(path: Path, { jwks, secret, algorithms }: JwtConfig): Promise<readonly Failure[]> {
  if (secret !== null) {
    const isHmac = algorithms.some(name => name.startsWith('HS'))
    const key = isHmac ? new TextEncoder().encode(secret) : publicKeyOf(secret)
    const bad = await unfit([key], algorithms, isHmac)
    return bad.map(name => wrongKey([...path, 'secret'], name))
  }
  // A key set behind a URL is not fetched: `check` asks nobody.
  if (jwks === null || !jwks.trimStart().startsWith('{')) return []
  const set = JSON.parse(jwks) as { readonly keys?: readonly JWK[] }
  const keys = await Promise.all(
    (set.keys ?? []).map(key => importJWK(key, key.alg ?? algorithms[0]!).catch(() => null)),
  )
  const broken = keys.indexOf(null)
  if (broken !== -1) {
    const message = `key ${broken + 1} of the set cannot be read`
    return [{ path: [...path, 'jwks'], message, remedy: 'give a key set of JWKs: { "keys": [ … ] }' }]
  }
  const bad = await unfit(keys as (CryptoKey | Uint8Array)[], algorithms, false)
  return bad.map(name => wrongKey([...path, 'jwks'], name))
}

const wrongKey = (path: Path, algorithm: string): Failure => ({
  path,
  message: `no key here verifies ${algorithm}`,
  remedy: `give a key for ${algorithm}, or leave ${algorithm} out of algorithms`,
})

function publicKeyOf(text: string): KeyObject {
  return text.trimStart().startsWith('{')
    ? createPublicKey({ key: JSON.parse(text) as JWK as never, format: 'jwk' })
    : createPublicKey(text)
}

type Key = KeyObject | CryptoKey | Uint8Array

/** The algorithms that no key verifies. An HMAC key signs as well; of a public key a wrong signature shows that it fits. */
async function unfit(keys: readonly Key[], algorithms: readonly string[], isHmac: boolean): Promise<readonly string[]> {
  const bad: string[] = []
  for (const algorithm of algorithms) {
    const tried = await Promise.all(keys.map(key => (isHmac ? signs(key, algorithm) : verifies(key, algorithm))))
    if (!tried.includes(true)) bad.push(algorithm)
  }
  return bad
}

async function signs(key: Key, alg: string): Promise<boolean> {
  try {
    const token = await new SignJWT({}).setProtectedHeader({ alg }).setSubject('trial').sign(key)
    return (await jwtVerify(token, key, { algorithms: [alg] })).payload.sub === 'trial'
  } catch {
    return false
  }
}

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

async function verifies(key: Key, alg: string): Promise<boolean> {
  const token = `${part({ alg })}.${part({ sub: 'trial' })}.${Buffer.alloc(64).toString('base64url')}`
  try {
    await compactVerify(token, key, { algorithms: [alg] })
    return false
  } catch (error) {
    return (error as { readonly code?: unknown }).code === 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED'
  }
}

async function tryRedis(url: string): Promise<readonly Failure[]> {
  const path: Path = ['store', 'redis']
  const remedy = 'npm install redis'
  let redis: { readonly createClient?: unknown }
  try {
    redis = await import('redis')
  } catch (error) {
    const { code = 'unusable' } = error as NodeJS.ErrnoException
    return [{ path, message: `it needs the package redis (5 or later), which cannot be loaded (${code})`, remedy }]
  }
  if (typeof redis.createClient !== 'function')
    return [{ path, message: 'the package redis is not 5 or later', remedy }]
  try {
    // Made, not connected.
    redis.createClient({ url })
    return []
  } catch {
    return [
      {
        path: [...path, 'url'],
        message: 'the package redis cannot use it',
        remedy: "write url: 'redis://host:6379/0'",
      },
    ]
  }
}
