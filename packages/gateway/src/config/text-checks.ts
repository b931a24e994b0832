import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { isPlaceholder } from 'sallyport/internal'

// Each answers what is wrong with a text, or null.

/** A host name as in Host, without port, lower-case or not. */
export function faultOfHost(value: string): string | null {
  if (value.includes('*')) return 'a wildcard serves any name, also one that an attacker points here'
  if (/[:/?#@\s]/.test(value) && isIP(value.replace(/^\[|\]$/g, '')) === 0)
    return 'a host is a name alone, without scheme, port or path'
  if (value.startsWith('.')) return 'a leading dot is no wildcard: each name is compared as a whole'
  if (value.includes('..')) return 'two dots without a name between them'
  const read = URL.parse(`http://${isIP(value) === 6 ? `[${value}]` : value}/`)?.hostname
  if (read === undefined || value.endsWith('.')) return 'not a host name'
  return read === value.toLowerCase() || isIP(value) === 6 ? null : `clients send it as ${read}`
}

/** The path of a WebSocket: exact, or everything below it by `/*`. */
export function faultOfPath(value: string): string | null {
  if (!value.startsWith('/')) return 'a path begins with a slash'
  const stem = value.endsWith('/*') ? value.slice(0, -1) : value
  if (stem.includes('*')) return 'a star stands only at the end, after a slash: /ws/*'
  if (/[?#]/.test(stem)) return 'a path has no query and no fragment'
  if (!/^\/[!$&'()+,;=:@%\w.~/-]*$/.test(stem) || stem.includes('//') || /\/\.{1,2}(?:\/|$)/.test(stem))
    return 'not a plain path'
  return null
}

/** A path without star: a prefix, or an endpoint. */
export function faultOfPlainPath(value: string): string | null {
  return value.includes('*') ? 'a star means nothing here' : faultOfPath(value)
}

/** Something of plain HTTP: a path, everything below one, or a parameter of the query. */
export function faultOfRefused(value: string): string | null {
  if (value.startsWith('/')) return faultOfPath(value)
  return /^\?[\w.~-]{1,128}(?:=[\w.~-]{0,128})?$/.test(value) ? null : 'neither a path nor a parameter of the query'
}

/** `ws://`, `http://`, `wss://`, `https://` with host and port, or `unix:/path`. */
export function faultOfTarget(value: string): string | null {
  if (value.startsWith('unix:'))
    return value.startsWith('unix:/') && value.length > 6 ? null : 'a unix socket is named by its whole path'
  const url = URL.parse(value)
  if (url === null || !['ws:', 'wss:', 'http:', 'https:'].includes(url.protocol)) return 'not a backend'
  if (url.username !== '' || url.password !== '') return 'a backend has no user or password'
  if ((url.pathname !== '/' && url.pathname !== '') || url.search !== '' || url.hash !== '')
    return 'a backend has no path: see relay.path'
  return null
}

/** A URL of http or https without credentials. */
export function faultOfUrl(value: string): string | null {
  const url = URL.parse(value)
  if (url === null || !['http:', 'https:'].includes(url.protocol)) return 'not a URL of http or https'
  return url.username !== '' || url.password !== '' || url.hash !== ''
    ? 'a URL here has no user, password or fragment'
    : null
}

/** `host:port`, `[v6]:port` or `unix:/path`. */
export function faultOfAddress(value: string): string | null {
  if (value.startsWith('unix:'))
    return value.startsWith('unix:/') && value.length > 6 ? null : 'a unix socket is named by its whole path'
  const [, host = '', port = ''] = /^(\[[\da-f:.]+\]|[^:[\]/]+):(\d{1,5})$/i.exec(value) ?? []
  if (host === '') return 'not host:port'
  if (Number(port) > 65_535) return 'not a port'
  return host.startsWith('[') && isIP(host.slice(1, -1)) !== 6 ? 'not an IPv6 address' : null
}

/** An IP address or CIDR range. */
export function faultOfRange(value: string): string | null {
  if (isIP(value) !== 0) return null
  return ipaddr.isValidCIDR(value) ? null : 'not an IP address or CIDR range'
}

/** A name of a header that an application may set. */
export function faultOfHeader(value: string): string | null {
  if (!/^[!#$%&'*+.^_`|~\dA-Za-z-]{1,64}$/.test(value)) return 'not a header name'
  const name = value.toLowerCase()
  const taken =
    /^(?:host|connection|upgrade|transfer-encoding|content-length|te|trailer|keep-alive|expect|sec-websocket-.*|proxy-.*)$/
  return taken.test(name) ? 'this header belongs to the protocol' : null
}

/** A header of the client that the operator lets pass, whatever it claims. */
export function faultOfClaim(value: string): string | null {
  const fault = faultOfHeader(value)
  if (fault !== null) return fault
  return /^(?:x-forwarded-(?:for|proto|host)|x-sallyport(?:-.*)?|cookie|origin)$/i.test(value.replaceAll('_', '-'))
    ? 'the gateway writes this header itself: what a client says there never passes'
    : null
}

/** The value of a header line. */
export function faultOfHeaderValue(value: string): string | null {
  return /^[\t\x20-\x7e]{0,4096}$/.test(value) ? null : 'a header value is one line of printable ASCII'
}

export function faultOfCookieName(value: string): string | null {
  return /^[!#$%&'*+.^_`|~\dA-Za-z-]{1,128}$/.test(value) ? null : 'not the name of a cookie'
}

/** Where a Redis is. */
export function faultOfRedis(value: string): string | null {
  const url = URL.parse(value)
  return url !== null && ['redis:', 'rediss:'].includes(url.protocol) && url.hostname !== ''
    ? null
    : 'not a URL of redis or rediss'
}

export function faultOfPrefix(value: string): string | null {
  return /^[\w.-]{1,64}$/.test(value) ? null : "letters, digits, '.', '-' and '_' are meant here"
}

/** A name for logs. */
export function faultOfWord(value: string): string | null {
  return value.length <= 64 && /^[^\p{C}\p{Zl}\p{Zp}]+$/u.test(value)
    ? null
    : 'printable text of 1 to 64 characters is meant here'
}

export function faultOfText(value: string): string | null {
  return value !== '' && value.length <= 2048 && /^[^\p{Cc}]+$/u.test(value) ? null : 'text of one line is meant here'
}

/** A reason in words: whoever reads the file is to judge it. */
export function faultOfReason(value: string): string | null {
  if (faultOfText(value) !== null || value.length > 300) return 'one line of at most 300 characters is meant here'
  return (value.match(/\p{L}{2,}/gu) ?? []).length >= 3 ? null : 'no reason: at least three words are meant here'
}

/** A secret of `least` bytes or more that is no placeholder. */
export function faultOfSecret(least: number): (value: string) => string | null {
  return value => {
    if (Buffer.byteLength(value) < least) return `shorter than ${least} bytes`
    return isPlaceholder(value) ? 'a placeholder that anybody can guess' : null
  }
}

export const GENERATE = 'write ${NAME} or file:/run/secrets/name, and there the output of `openssl rand -base64 32`'
