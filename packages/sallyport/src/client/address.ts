/** Where a connection goes, and where its ticket comes from. */
export interface Address {
  /** `wss://host/path?query`. */
  readonly socket: URL
  /** Ticket endpoint with `?path=`; null where no endpoint is asked. */
  readonly ticket: URL | null
}

const TO_SOCKET: { readonly [protocol: string]: string } = { 'http:': 'ws:', 'https:': 'wss:' }
const TO_HTTP: { readonly [protocol: string]: string } = { 'ws:': 'http:', 'wss:': 'https:' }

const httpOrigin = (url: URL): string => `${TO_HTTP[url.protocol] ?? url.protocol}//${url.host}`

/**
 * Resolves a URL against the page. Tickets and messages go to the page's own origin alone, wherever the URL came from: a link
 * that names the attacker's server gets neither. Throws `TypeError`.
 */
export function resolveAddress(
  url: string | URL,
  ticket: string | false | (() => unknown),
  dangerouslyCrossOrigin: boolean,
): Address {
  const page = globalThis.location?.href
  // A null or a Promise would be a path of that name, and nothing the page itself.
  const text = typeof url === 'string' ? url : url?.href
  if (!text || !(page || /^\w+:/.test(text))) throw new TypeError("connect: no url; write 'wss://host/path'")
  const socket = new URL(text, page)
  socket.protocol = TO_SOCKET[socket.protocol] ?? socket.protocol
  socket.hash = ''
  if (!TO_HTTP[socket.protocol]) throw new TypeError('url must be ws:, wss:, or relative to an http(s) page')
  if (socket.username || socket.password) throw new TypeError('url must not contain a user or a password')
  if (page?.startsWith('https:') && socket.protocol !== 'wss:') {
    throw new TypeError('an https page connects by wss: alone')
  }
  const origin = httpOrigin(socket)
  const own = page === undefined ? origin : new URL(page).origin
  const endpoint = typeof ticket === 'string' ? new URL(ticket, own === 'null' ? origin : own) : null
  if (!dangerouslyCrossOrigin && (origin !== own || (endpoint && endpoint.origin !== own))) {
    throw new TypeError('a page connects to its own origin alone: use a relative url, or dangerouslyCrossOrigin')
  }
  endpoint?.searchParams.set('path', socket.pathname)
  return { socket, ticket: endpoint }
}
