/*
 * Only a proxy or a login may say these things of a client: its address, the scheme and the host it used, who it is.
 * Backends read them under many names, and products invent new ones. So the words of a name decide; a list of whole names
 * would always miss one. A list of allowed names would remove the headers of each app's own.
 */

const list = (names: string): ReadonlySet<string> => new Set(names.trim().split(/\s+/))

/** A word that is a claim wherever it stands in a name. */
const WORDS = list(`
  ip ips ipv4 ipv6 addr addrs ipaddr ipaddress xff originating
  scheme proto https cert certs certificate certificates
  host hostname vhost authority servername
  users username userid useremail usermail userinfo usergroup usergroups userrole userroles userdn universalid
  email principal identity claims groups roles authenticated webauth whoami
  oidc saml spiffe consumer authentik authelia pomerium vouch keycloak`)

/** Beginnings of a word: `remote`, `remoteaddr`, `proxyuser`, `forwardedfor`, `sslclientcert`; `Max-Forwards` is none. */
const BEGINNING = /^x?(?:remote|proxy|forward(?!s$)|ssl|m?tls|shib|impersonat)/

/**
 * A claim that is written as one word with what it is of: `clientip`, `xrealip`, `serverport`, `authuser`. No part is made
 * of other parts (`frontend` is `front` and `end`): a name of many such would take exponential time.
 */
const GLUED = new RegExp(
  '^(?:x|http|url|my|client|real|remote|true|user|users|source|src|orig|origin|originating|original|peer|socket|external|internal' +
    '|visitor|viewer|connecting|cluster|end|customer|server|backend|virtual|front|request|pseudo|auth|sso|login|current)+' +
    '(?:ip(?:v?[46])?(?:addr(?:ess)?)?|addr(?:ess)?|user(?:name|id|email)?|email|host(?:name)?|scheme|proto|https|port|certs?|certificate)$',
)

/** A word before `address` or `port` that makes it one of the network: a postal address is no claim, nor is a harbour. */
const OWNERS = list(`
  x ip mac net network client real remote true user source src origin original originating peer socket external internal
  visitor viewer host server`)

/** Whole names, without a leading `X-`. */
const NAMES = list(`
  via server-name script-name path-info request-uri request-url url uri address port iv-creds
  sub subject dn cn role group login auth-sub auth-subject auth-role auth-group auth-login auth-name auth-uid
  jwt-sub jwt-subject token-sub token-subject client-sub client-subject client-dn client-s-dn client-i-dn client-cn
  client-verify client-verified client-serial client-fingerprint client-issuer credential-identifier anonymous-consumer`)

/** What a user prefers, which no login says: `X-User-Timezone`; and `X-User-Agent-Hint`. */
const PREFERENCES = list(`agent timezone tz locale lang language languages theme currency preference preferences`)

/**
 * What proxies, content networks, logins and frameworks keep for themselves, without a leading `X-`. Next.js believes
 * `X-Middleware-Subrequest` (CVE-2025-29927), Rack `X-Accel-Mapping` and `X-Sendfile-Type` (CVE-2025-61780); of
 * `X-Middleware-Prefetch` its own client makes use.
 */
const OWNED =
  /^(?:middleware-(?!prefetch$)|invoke-(?:path|query|output|status|error)|matched-path|now-route|accel|sendfile|(?:jwt|token|auth)-claim|jwt-(?:payload|assertion)|scope-orgid)|^(?:original(?!-(?:file|name|size))|rewrite|sallyport|auth-request|cf|fly|fastly|akamai|cloudfront|appengine|envoy|azure|arr|vercel|nf|incap|sucuri|tailscale|ali-cdn|ms-client-principal|ms-token|goog-iap|goog-authenticated|amzn-oidc|amzn-mtls|amzn-tls)(?:-|$)/

/** Names in which a word means something else: `Sec-Fetch-User`, `User-Agent`, `X-User-Agent`. */
const HARMLESS = /^(?:sec-.*|user-agent)$/

/**
 * Whether a header of a client claims what only a proxy or a login may say.
 *
 * @param name as `canonicalName` writes it
 */
export function isClaim(name: string): boolean {
  const words = name.split('-').filter(word => word !== '')
  const bare = (words[0] === 'x' ? words.slice(1) : words).join('-')
  if (HARMLESS.test(bare)) return false
  if (NAMES.has(bare) || OWNED.test(bare)) return true
  return words.some((word, at) => {
    if (word === 'user') return !PREFERENCES.has(words[at + 1] ?? '')
    if (word === 'address') return at > 0 && OWNERS.has(words[at - 1]!)
    if (word === 'port') return at > 0 && words[at - 1] !== 'x' && OWNERS.has(words[at - 1]!)
    return WORDS.has(word) || BEGINNING.test(word) || GLUED.test(word)
  })
}
