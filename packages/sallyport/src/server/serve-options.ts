import { requireFunction, requireNumber, requireOptions } from '../shape/options.ts'
import { show } from '../shape/shown.ts'
import { isThenable } from '../model/thenable.ts'

// biome-ignore format: one line
const KEYS = ['guard', 'port', 'host', 'tls', 'path', 'ticketPath', 'request', 'handlers', 'message', 'open', 'close', 'error']
const EXAMPLE = 'serve({ guard, port: 8443, handlers: { chat(message, connection) { … } } })'
/** Names that other servers use for the same options. */
const FOREIGN: { readonly [key: string]: string } = {
  app: 'request: app',
  connection: 'open(connection) { … }',
  cert: 'tls: { key, cert }',
  key: 'tls: { key, cert }',
  https: 'tls: { key, cert }',
  ssl: 'tls: { key, cert }',
  server: 'port, and request for the rest of HTTP; a server of your own takes guard.upgrade',
  policy: 'guard: createGuard(policy)',
}
/** An example of each function. */
const FUNCTIONS = {
  request: 'app, or (request, response) => …',
  message: '(message, connection) => …',
  open: 'connection => …',
  close: '(connection, code) => …',
  error: '(error, connection) => …',
}
/** With any of these Node can show a certificate, or agree on a key without one. */
const IDENTITIES = ['cert', 'pfx', 'SNICallback', 'pskCallback']

/** Options that must be PEM if they are text. */
const PEM = ['cert', 'key', 'ca']

/**
 * Throws a `TypeError` for options of `serve` that would have no effect or a wrong one: a misspelt handler that is
 * never called, a path that no handshake can have, TLS without a certificate. TypeScript finds most of them. JavaScript
 * and `as` do not.
 */
export function requireServeOptions(options: unknown): void {
  const said = requireOptions('serve', options, KEYS, EXAMPLE, FOREIGN)
  const { port, host, path, ticketPath, tls } = said
  if (port === undefined) {
    throw new TypeError('serve: port is nothing; write a number from 1 to 65535, or 0 for a free one')
  }
  requireNumber('serve', 'port', port, { least: 0, most: 65_535 })
  if (host !== undefined) requireHost(host)
  if (path !== undefined) requirePath('path', path, "'/ws'")
  if (ticketPath !== undefined && ticketPath !== false) requirePath('ticketPath', ticketPath, "'/.sallyport/ticket'")
  for (const [key, example] of Object.entries(FUNCTIONS)) requireFunction('serve', key, said[key], example)
  if (tls !== undefined) requireIdentity(tls)
}

/** The host must be a name or an address, without a scheme or a port. */
function requireHost(host: unknown): void {
  const isName = typeof host === 'string' && /^[\w.-]+$/.test(host)
  const isV6 = typeof host === 'string' && /^[\da-f:.]+(?:%\w+)?$/i.test(host) && host.split(':').length > 2
  if (isName || isV6) return
  throw new TypeError(
    `serve: host is ${show(host)}; write a name or an address alone, without scheme and port: '127.0.0.1'`,
  )
}

function requirePath(key: string, value: unknown, example: string): void {
  if (typeof value === 'string' && /^\/[^?#\s]*$/.test(value)) return
  throw new TypeError(`serve: ${key} is ${show(value)}; write a path that begins with a slash: ${example}`)
}

function requireIdentity(tls: unknown): void {
  if (isThenable(tls)) throw new TypeError('serve: tls is a Promise; await it first')
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
