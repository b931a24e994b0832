import { nearest } from '../policy/nearest.ts'
import { kindOf, show } from '../policy/shown.ts'

// biome-ignore format: one line
const KEYS = ['guard', 'port', 'host', 'tls', 'path', 'ticketPath', 'request', 'handlers', 'message', 'open', 'close', 'error']
const FUNCTIONS = ['request', 'message', 'open', 'close', 'error']
/** Any of these lets Node show a certificate (or agree on a key without one). */
const IDENTITIES = ['cert', 'pfx', 'SNICallback', 'pskCallback']

/** What must be PEM, where it is text. */
const PEM = ['cert', 'key', 'ca']

/**
 * Throws a `TypeError` for options of `serve` that would be taken in silence: a misspelt handler that is never called, a
 * path that no handshake has, TLS without a certificate. TypeScript tells of most; JavaScript and `as` do not.
 */
export function requireServeOptions(options: object): void {
  const said = options as { readonly [key: string]: unknown }
  for (const key of Object.keys(said)) {
    if (KEYS.includes(key)) continue
    const near = nearest(key, KEYS)
    throw new TypeError(
      `serve: unknown option ${show(key)}; ${near === undefined ? `there are ${KEYS.join(', ')}` : `did you mean ${near}?`}`,
    )
  }
  const { port, host, path, ticketPath, tls } = said
  if (!Number.isInteger(port) || (port as number) < 0 || (port as number) > 65_535) {
    throw new TypeError(`serve: port is ${show(port)}; write a number from 1 to 65535, or 0 for a free one`)
  }
  if (host !== undefined && typeof host !== 'string') throw new TypeError(`serve: host is ${kindOf(host)}, not a name`)
  if (path !== undefined) requirePath('path', path, "'/ws'")
  if (ticketPath !== undefined && ticketPath !== false) requirePath('ticketPath', ticketPath, "'/.sallyport/ticket'")
  for (const key of FUNCTIONS) {
    if (said[key] !== undefined && typeof said[key] !== 'function') {
      throw new TypeError(`serve: ${key} is ${kindOf(said[key])}, not a function`)
    }
  }
  if (tls !== undefined) requireIdentity(tls)
}

function requirePath(key: string, value: unknown, example: string): void {
  if (typeof value === 'string' && /^\/[^?#\s]*$/.test(value)) return
  throw new TypeError(`serve: ${key} is ${show(value)}; write a path that begins with a slash: ${example}`)
}

function requireIdentity(tls: unknown): void {
  if (typeof tls === 'object' && tls !== null) {
    const given = tls as { readonly [key: string]: unknown }
    for (const key of PEM) {
      const value = given[key]
      if (typeof value !== 'string' || value === '' || value.includes('-----BEGIN ')) continue
      throw new TypeError(`serve: tls.${key} is no PEM; give what its file holds: readFileSync('${key}.pem')`)
    }
    if (IDENTITIES.some(key => given[key] !== undefined && given[key] !== null && given[key] !== '')) return
  }
  throw new TypeError('serve: tls has no certificate; give { key, cert }, or leave tls out and stand on loopback')
}
