/** What asking for a ticket came to: a token, or what to do without one. `after` is the server's word, in ms. */
export type TicketOutcome =
  | { readonly token: string }
  | { readonly fault: 'signin' | 'stop' | 'error' | 'retry'; readonly status: number; readonly after: number }

/** The part of `fetch` that is used. */
export type TicketFetch = (url: string, init: RequestInit) => Promise<Response>

const PATIENCE_MS = 10_000
/** Longest wait that a server can ask for. */
const MAX_AFTER_MS = 3_600_000

const fault = (kind: 'signin' | 'stop' | 'error' | 'retry', status = 0, after = 0): TicketOutcome => ({
  fault: kind,
  status,
  after,
})

/** Asks the endpoint for one ticket. It never rejects, and what fails says nothing of the token. */
export async function fetchTicket(url: URL, fetch: TicketFetch): Promise<TicketOutcome> {
  try {
    const response = await fetch(url.href, {
      method: 'POST',
      credentials: 'same-origin',
      cache: 'no-store',
      // A redirect leads to a page for signing in, not to a ticket.
      redirect: 'manual',
      signal: AbortSignal.timeout(PATIENCE_MS),
    })
    const { status, type } = response
    if (response.ok) {
      const body: unknown = await response.json()
      const token = (body as { readonly ticket?: unknown } | null)?.ticket
      return typeof token === 'string' && token !== '' ? { token } : fault('retry', status)
    }
    if (status === 401 || type === 'opaqueredirect' || (status > 299 && status < 400)) return fault('signin', status)
    if (status === 403) return fault('stop', status)
    if (status === 404 || status === 405) return fault('error', status)
    const seconds = Number(response.headers.get('retry-after')) || 0
    return fault('retry', status, Math.min(Math.max(0, seconds * 1000), MAX_AFTER_MS))
  } catch {
    return fault('retry')
  }
}

/** Asks the app's own function; null is "nobody is signed in". */
export async function askToken(ask: () => string | null | Promise<string | null>): Promise<TicketOutcome> {
  try {
    const token = await ask()
    return token ? { token } : fault('signin')
  } catch {
    return fault('retry')
  }
}

/** A token as a subprotocol, whose characters are few (RFC 6455 §4.1). */
export function asSubprotocol(token: string): string {
  const encoded = encodeURIComponent(token).replace(/[()]/g, mark => (mark === '(' ? '%28' : '%29'))
  return `sallyport.ticket.${encoded}`
}
