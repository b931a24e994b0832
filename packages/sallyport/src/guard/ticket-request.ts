import type { HandshakeRequest } from '../model/handshake-request.ts'
import { isCanonicalPath } from '../request/request-path.ts'
import { type Denial, deny } from '../model/verdict.ts'

const PATH_CHARS = 2048

/**
 * The WebSocket path that a ticket is requested for, from the query `?path=/ws`. Without the query it is the first of
 * the policy's paths, or `/`. A denial if it is not a canonical path, or not one of the policy's.
 */
export function pathOf(request: HandshakeRequest, paths: readonly string[] | null): string | Denial {
  const asked = request.query.getAll('path')
  if (asked.length === 0) return paths?.[0] ?? '/'
  const [path] = asked
  if (asked.length > 1 || path!.length > PATH_CHARS || path!.includes('..') || !isCanonicalPath(path!)) {
    return deny('SALLY_REQUEST_MALFORMED', { reason: 'ticket-path' })
  }
  if (paths !== null && !paths.includes(path!)) {
    return deny('SALLY_HANDSHAKE_FORBIDDEN', { reason: 'ticket-path' })
  }
  return path!
}

/**
 * Checks what the browser says about the origin of the request. If the header is present, it must be the page's own
 * origin, not a sibling subdomain.
 */
export function siteFault(request: HandshakeRequest): Denial | null {
  const sites = request.lines('sec-fetch-site')
  if (sites.length === 0 || (sites.length === 1 && sites[0] === 'same-origin')) return null
  return deny('SALLY_FETCH_METADATA', { reason: 'ticket-site' })
}

/**
 * The Origin passed the door. It must also be the endpoint's own: its host must equal the request's Host. The scheme is
 * not compared, because a proxy on this machine may end TLS without a trace. Without an Origin (where that is allowed)
 * there is no browser to protect.
 */
export function originFault(request: HandshakeRequest, origin: string): Denial | null {
  if (origin === '') return null
  const hosts = request.lines('host')
  const [host] = hosts
  const page = URL.parse(origin)
  const own =
    page === null || hosts.length > 1 || host === undefined || !/^[\w.:[\]-]+$/.test(host)
      ? null
      : URL.parse(`${page.protocol}//${host}`)
  return own !== null && own.origin === origin ? null : deny('SALLY_ORIGIN_NOT_ALLOWED', { reason: 'not-of-endpoint' })
}
