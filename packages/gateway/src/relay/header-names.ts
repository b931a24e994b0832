/** Headers that end at each hop (RFC 9110 §7.6.1), or that the gateway writes itself. */
const HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'content-length',
  'upgrade',
  'http2-settings',
  'host',
])
/** What only a proxy may say of a client, under the names that backends believe. */
const VOUCHED =
  /^(?:forwarded|x-forwarded(?:-.*)?|x-real-ip|x-client-ip|x-cluster-client-ip|true-client-ip|cf-connecting-ip|fastly-client-ip|x-original-.*|x-rewrite-url|via|x-sallyport(?:-.*)?)$/

/**
 * A header name as CGI and WSGI servers read it: without case, and with one sign for all that is neither letter nor digit,
 * so that `X_Sallyport_User` is no way around, nor `X.Sallyport.User`, which lighttpd makes the same variable of.
 */
export function canonicalName(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z\d]/g, '-')
}

/** The names that a Connection header makes hop-by-hop, as `canonicalName` writes them. */
export function nominatedBy(connection: string | undefined): ReadonlySet<string> {
  return connection === undefined ? NONE : new Set(connection.split(',').map(token => canonicalName(token.trim())))
}

const NONE: ReadonlySet<string> = new Set()

/**
 * Decides which headers of a client may reach a backend: none that ends here, and none that only the gateway may say.
 *
 * @param reserved names that the gateway writes
 */
export function createNameFilter(
  reserved: readonly string[],
): (name: string, nominated: ReadonlySet<string>) => boolean {
  const own = new Set(reserved.map(canonicalName))
  return (name, nominated) => {
    const plain = canonicalName(name)
    return !HOP.has(plain) && !own.has(plain) && !VOUCHED.test(plain) && !nominated.has(plain)
  }
}
