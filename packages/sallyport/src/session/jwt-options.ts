import { isLoopback } from '../model/loopback.ts'
import type { CryptoKey, JSONWebKeySet, JWTVerifyGetKey, KeyObject } from 'jose'
import type { HandshakeRequest } from '../model/handshake-request.ts'
import { nearest } from '../shape/nearest.ts'
import { isOptions } from '../shape/options.ts'
import { bearsSecret, hidden } from '../shape/secret-text.ts'
import { kindOf } from '../shape/shown.ts'
import { isThenable } from '../model/thenable.ts'

/** Where the token is. A browser sends cookies by itself, so a ticket is required beside one. */
export type TokenSource =
  | { readonly cookie: string }
  /** `authorization` is read as `Bearer …`. Any other header is counted as set by a proxy from a cookie: ambient. */
  | { readonly header: string }
  /** A URL is written to logs and histories: only for tokens that live for seconds. */
  | { readonly query: string }
  /** Counts as ambient. */
  | ((request: HandshakeRequest) => string | undefined)

/** Options of `jwt`. */
export interface JwtOptions {
  /** The one key, or a function that finds it by the token's header. Bytes are an HMAC secret of 32 bytes or more. */
  readonly key?: CryptoKey | KeyObject | Uint8Array | JWTVerifyGetKey
  /** The issuer's key set: its URL (https, or http on loopback), or the set itself. */
  readonly jwks?: string | URL | JSONWebKeySet
  /** The algorithms that are accepted: all HMAC (`HS256`…), or all asymmetric. */
  readonly algorithms: readonly string[]
  /** The `iss` that is accepted. Required, or `dangerouslyAnyIssuer: true`. */
  readonly issuer?: string | readonly string[]
  /** The `aud` that this server is. Required, or `dangerouslyAnyAudience: true`. */
  readonly audience?: string | readonly string[]
  readonly from: TokenSource
  /** The `typ` in the token's header, such as `at+jwt` (RFC 9068), so that an ID token is not taken for an access token. */
  readonly type?: string
  /** Seconds of clock difference that `nbf` and `iat` may show; `exp` is exact. Default 5, at most 60. */
  readonly clockTolerance?: number
  readonly dangerouslyAnyIssuer?: boolean
  readonly dangerouslyAnyAudience?: boolean
  /** Accepts a token without `exp`: its connection then ends by age alone. */
  readonly dangerouslyWithoutExpiry?: boolean
}

const KNOWN: readonly (keyof JwtOptions)[] = [
  'key',
  'jwks',
  'algorithms',
  'issuer',
  'audience',
  'from',
  'type',
  'clockTolerance',
  'dangerouslyAnyIssuer',
  'dangerouslyAnyAudience',
  'dangerouslyWithoutExpiry',
]
/** What other libraries call an option. */
const FOREIGN: { readonly [name: string]: keyof JwtOptions } = {
  secret: 'key',
  publicKey: 'key',
  secretOrPublicKey: 'key',
  iss: 'issuer',
  aud: 'audience',
  cookie: 'from',
  header: 'from',
  query: 'from',
  token: 'from',
}
/** What `jose` verifies. */
// biome-ignore format: one line a kind
const ALGORITHMS: readonly string[] = [
  'HS256', 'HS384', 'HS512',
  'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512',
  'ES256', 'ES384', 'ES512',
  'EdDSA', 'Ed25519', 'ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87',
]
const FLAGS = ['dangerouslyAnyIssuer', 'dangerouslyAnyAudience', 'dangerouslyWithoutExpiry'] as const
/** RFC 9110 §5.6.2: names of headers and of cookies. */
const TOKEN = /^[!#$%&'*+.^_`|~\dA-Za-z-]+$/
const LONGEST_SHOWN = 120
const LEAST_SECRET_BYTES = 32
const MOST_TOLERANCE_S = 60

/** Throws a TypeError that names the option, its value and what to write. No key material is shown. */
export function requireJwtOptions(options: JwtOptions): void {
  if (!isOptions(options)) {
    misuse('the options', `are ${kindOf(options)}`, 'Write jwt({ jwks, algorithms, issuer, audience, from }).')
  }
  for (const name of Object.keys(options)) {
    if (KNOWN.includes(name as keyof JwtOptions)) continue
    const near = Object.hasOwn(FOREIGN, name) ? FOREIGN[name] : nearest(name, KNOWN)
    misuse(name, 'is not an option', near === undefined ? `Known: ${KNOWN.join(', ')}.` : `Did you mean ${near}?`)
  }
  for (const name of FLAGS) {
    const flag: unknown = options[name]
    if (flag !== undefined && typeof flag !== 'boolean') misuse(name, `is ${show(flag)}`, 'Write true or false.')
  }
  const { algorithms, key } = options
  if (!Array.isArray(algorithms) || algorithms.length === 0 || algorithms.some(name => typeof name !== 'string')) {
    misuse('algorithms', `is ${show(algorithms)}`, "List what the issuer signs with: algorithms: ['RS256'].")
  }
  if (algorithms.some(name => name.toLowerCase() === 'none')) {
    misuse('algorithms', "holds 'none', which is no signature", "Write algorithms: ['RS256'].")
  }
  const unknown = algorithms.find(name => !ALGORITHMS.includes(name))
  if (unknown !== undefined) {
    const near = nearest(unknown, ALGORITHMS)
    misuse(
      'algorithms',
      `holds ${show(unknown)}, which no token is verified with`,
      near === undefined ? `Known: ${ALGORITHMS.join(', ')}.` : `Did you mean '${near}'?`,
    )
  }
  const symmetric = algorithms.filter(name => name.startsWith('HS')).length
  if (symmetric !== 0 && symmetric !== algorithms.length) {
    misuse(
      'algorithms',
      `mixes HMAC and public keys: ${show(algorithms)}`,
      'A public key would then pass as a secret. Use one kind.',
    )
  }
  if ((key === undefined) === (options.jwks === undefined)) {
    misuse('key', 'and jwks: exactly one must be given', "Write jwks: 'https://issuer.example/.well-known/jwks.json'.")
  }
  if (typeof key === 'string') {
    misuse('key', 'is a string', 'Import it first: importSPKI(pem, alg) of jose, or new TextEncoder().encode(secret).')
  }
  if (key instanceof Uint8Array && (symmetric === 0 || key.byteLength < LEAST_SECRET_BYTES)) {
    misuse(
      'key',
      `is ${key.byteLength} bytes for ${show(algorithms)}`,
      `Bytes are an HMAC secret of ${LEAST_SECRET_BYTES} or more; import a public key with importSPKI of jose.`,
    )
  }
  if (key !== undefined && typeof key !== 'function' && !(key instanceof Uint8Array)) requireKey(key, symmetric !== 0)
  if (symmetric !== 0 && (typeof options.jwks === 'string' || options.jwks instanceof URL)) {
    misuse('jwks', 'is a URL, and algorithms are HMAC', 'A published key is no secret. Use an asymmetric algorithm.')
  }
  requireNames('issuer', options.issuer, options.dangerouslyAnyIssuer, 'dangerouslyAnyIssuer')
  requireNames('audience', options.audience, options.dangerouslyAnyAudience, 'dangerouslyAnyAudience')
  requireSource(options.from)
  const type: unknown = options.type
  if (type !== undefined && (typeof type !== 'string' || type === '')) {
    misuse('type', `is ${show(type)}`, "Write the typ of the token's header: type: 'at+jwt'.")
  }
  const tolerance: unknown = options.clockTolerance === undefined ? 0 : options.clockTolerance
  if (typeof tolerance !== 'number' || !(tolerance >= 0 && tolerance <= MOST_TOLERANCE_S)) {
    misuse('clockTolerance', `is ${show(tolerance)}`, `Write seconds from 0 to ${MOST_TOLERANCE_S}.`)
  }
}

/** One key, as `jose` takes it: of Node's crypto or of WebCrypto, and of the kind that the algorithms need. */
function requireKey(key: unknown, symmetric: boolean): void {
  const type: unknown = typeof key === 'object' && key !== null ? Reflect.get(key, 'type') : undefined
  if (isThenable(key)) misuse('key', 'is a Promise', 'Await it first: key: await importSPKI(pem, alg).')
  if (typeof key === 'object' && key !== null && 'kty' in key) {
    misuse('key', 'is a JWK', 'Write jwks: { keys: [jwk] } instead.')
  }
  if (type === 'private') misuse('key', 'is a private key, which signs', 'Give the public one, which verifies.')
  if (type !== 'public' && type !== 'secret') {
    misuse(
      'key',
      `is ${kindOf(key)}`,
      'Import it first: importSPKI(pem, alg) of jose, or createPublicKey(pem) of node:crypto.',
    )
  }
  const { symmetricKeySize, algorithm } = key as { symmetricKeySize?: number; algorithm?: { length?: number } }
  const bytes = symmetricKeySize ?? (algorithm?.length ?? Infinity) / 8
  if (type === 'secret' && bytes < LEAST_SECRET_BYTES) {
    misuse(
      'key',
      `is a secret of ${bytes} bytes`,
      `Give one of ${LEAST_SECRET_BYTES} or more: openssl rand -base64 32.`,
    )
  }
  if ((type === 'secret') !== symmetric) {
    const one = type === 'secret' ? 'a secret, and algorithms are asymmetric' : 'a public key, and algorithms are HMAC'
    misuse(
      'key',
      `is ${one}`,
      `Write algorithms: ['${type === 'secret' ? 'HS256' : 'RS256'}'], or give the other kind of key.`,
    )
  }
}

/** The URL of a key set; a key that came over plain HTTP is anybody's. */
export function requireJwksUrl(jwks: string | URL): URL {
  const url = URL.parse(jwks)
  // Browsers take a name below `localhost` for this machine; here a DNS server may be asked for it.
  const loopback = url !== null && isLoopback(url.hostname) && !url.hostname.endsWith('.localhost')
  if (url === null || !(url.protocol === 'https:' || (url.protocol === 'http:' && loopback))) {
    misuse(
      'jwks',
      `is ${show(String(jwks))}`,
      'Write an https:// URL (http:// only on loopback), or the key set itself.',
    )
  }
  return url
}

function requireNames(name: string, value: unknown, any: unknown, escape: string): void {
  const names: readonly unknown[] = Array.isArray(value) ? value : [value]
  const given = names.length > 0 && names.every(item => typeof item === 'string' && item !== '')
  if (any === true && value === undefined) return
  if (!given || any === true) misuse(name, `is ${show(value)}`, `Write ${name}: '…', or else ${escape}: true.`)
}

function requireSource(from: unknown): void {
  if (typeof from === 'function') return
  const entries = typeof from === 'object' && from !== null ? Object.entries(from) : []
  const [kind, name] = entries[0] ?? []
  if (
    entries.length !== 1 ||
    !['cookie', 'header', 'query'].includes(kind!) ||
    typeof name !== 'string' ||
    !(kind === 'query' ? name !== '' : TOKEN.test(name))
  ) {
    misuse(
      'from',
      `is ${show(from)}`,
      "Write { cookie: 'name' }, { header: 'authorization' }, { query: 'name' } or a function.",
    )
  }
}

/** A value as it would be written; what cannot be is told by its kind. */
function show(value: unknown): string {
  if (value === undefined) return 'undefined'
  if (typeof value === 'function' || isThenable(value)) return kindOf(value)
  try {
    const text = JSON.stringify(value) ?? kindOf(value)
    if (holdsSecret(value)) return typeof value === 'string' ? hidden(value) : `${kindOf(value)} ${hidden(text)}`
    return text.length > LONGEST_SHOWN ? kindOf(value) : text
  } catch {
    return kindOf(value)
  }
}

function holdsSecret(value: unknown): boolean {
  if (typeof value === 'string') return bearsSecret(value)
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsSecret)
}

function misuse(name: string, what: string, remedy: string): never {
  throw new TypeError(`jwt: ${name} ${what}. ${remedy}`)
}
