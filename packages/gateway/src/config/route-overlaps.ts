import { type Reading, refuse } from './reading.ts'
import { isObject } from './shape.ts'

interface Place {
  readonly id: string
  readonly hosts: readonly string[]
  readonly path: string
  readonly key: string
  readonly kind: string
}

/** Two routes that could both be meant by one request: which one is a matter of luck, so it is an error, with both places. */
export function refuseOverlaps(reading: Reading): void {
  const file = reading.document.value
  const routes = isObject(file) && isObject(file['routes']) ? file['routes'] : {}
  const sockets: Place[] = []
  const pages: Place[] = []
  const endpoints: Place[] = []
  for (const [id, route] of Object.entries(routes)) {
    if (!isObject(route)) continue
    const hosts = hostsOf(route['hosts'])
    const { path, http, ticketPath, clientPath } = route
    const ticket = typeof ticketPath === 'string' ? ticketPath : DEFAULT_TICKET_PATH
    const client = typeof clientPath === 'string' ? clientPath : besideTicket(ticket)
    endpoints.push({ id, hosts, path: ticket, key: 'ticketPath', kind: 'ticket' })
    if (clientPath !== false) endpoints.push({ id, hosts, path: client, key: 'clientPath', kind: 'client' })
    if (typeof path === 'string') sockets.push({ id, hosts, path, key: 'path', kind: 'path' })
    if (typeof ticketPath === 'string') sockets.push({ id, hosts, path: ticketPath, key: 'ticketPath', kind: 'ticket' })
    if (isObject(http))
      pages.push({ id, hosts, path: typeof http['path'] === 'string' ? http['path'] : '/', key: 'http', kind: 'http' })
  }
  each(sockets, (later, earlier) => {
    // One ticket endpoint serves all routes of a host.
    if (later.kind === 'ticket' && earlier.kind === 'ticket') return
    if (meet(later.path, earlier.path)) tell(reading, later, earlier)
  })
  each(endpoints, (later, earlier) => {
    if (later.kind !== earlier.kind && later.path === earlier.path) tell(reading, later, earlier)
  })
  each(pages, (later, earlier) => {
    if (later.path === earlier.path) tell(reading, later, earlier)
  })
}

/** Where tickets are issued, unless said. */
export const DEFAULT_TICKET_PATH = '/.sallyport/ticket'

/** Where the client script is, unless said. */
export function besideTicket(ticketPath: string): string {
  return `${ticketPath.slice(0, ticketPath.lastIndexOf('/'))}/client.js`
}

function each(places: readonly Place[], look: (later: Place, earlier: Place) => void): void {
  places.forEach((later, index) => {
    for (const earlier of places.slice(0, index)) if (shareHost(later.hosts, earlier.hosts)) look(later, earlier)
  })
}

function tell(reading: Reading, later: Place, earlier: Place): void {
  const { line, column } = reading.document.at(['routes', earlier.id, earlier.key])
  const host = later.hosts.find(name => earlier.hosts.includes(name)) ?? 'every other host'
  refuse(reading, ['routes', later.id, later.key], later.path, {
    message: `overlaps ${earlier.key} of routes.${earlier.id} (${reading.document.file}:${line}:${column}) for ${host}`,
    remedy: 'give each its own host or path: which route decides must not be a matter of order',
  })
}

const hostsOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter(name => typeof name === 'string').map(name => name.toLowerCase()) : []

/** A route without hosts has every name that no other route has. */
function shareHost(a: readonly string[], b: readonly string[]): boolean {
  return a.length === 0 || b.length === 0 ? a.length === b.length : a.some(name => b.includes(name))
}

/** Whether some request path is meant by both. */
export function meet(a: string, b: string): boolean {
  const [stemA, stemB] = [a, b].map(path => (path.endsWith('/*') ? path.slice(0, -1) : null)) as [
    string | null,
    string | null,
  ]
  if (stemA === null && stemB === null) return a === b
  if (stemA === null) return a.startsWith(stemB!) && a !== stemB
  if (stemB === null) return b.startsWith(stemA) && b !== stemA
  return stemA.startsWith(stemB) || stemB.startsWith(stemA)
}
