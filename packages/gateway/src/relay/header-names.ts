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

/**
 * Decides which headers of a client may reach a backend: none that ends here, and none that only the gateway may say.
 *
 * @param reserved names that the gateway writes
 */
export function createNameFilter(
  reserved: readonly string[],
): (name: string, connection: string | undefined) => boolean {
  const own = new Set(reserved.map(canonicalName))
  return (name, connection) => {
    const plain = canonicalName(name)
    if (HOP.has(plain) || own.has(plain) || VOUCHED.test(plain)) return false
    return connection === undefined || !isNominated(connection, plain)
  }
}

/** Whether a Connection header makes the name hop-by-hop. */
function isNominated(connection: string, name: string): boolean {
  return connection.split(',').some(token => canonicalName(token.trim()) === name)
}
