import { parseDuration } from 'sallyport/policy'
import { faultOfBareTime } from '../config/shape.ts'
import { USER_SESSION } from '../session/forward-identity.ts'
import type { Running } from '../runtime/running.ts'
import type { Metrics } from './metrics.ts'

/** What the operator is answered. */
export interface AdminAnswer {
  readonly status: number
  readonly body: unknown
  readonly headers?: { readonly [name: string]: string }
}

/** What the operator asked. */
export interface AdminQuestion {
  readonly query: URLSearchParams
  /** Parsed JSON; undefined where there was no body. */
  readonly body: unknown
}

/** One endpoint. */
export interface AdminEndpoint {
  readonly method: 'GET' | 'POST'
  /** Answers without a token: it tells nothing but yes or no. */
  readonly open?: boolean
  answer(question: AdminQuestion): AdminAnswer | Promise<AdminAnswer>
}

const MOST_LISTED = 10_000

/** The endpoints of the admin API. */
export function adminApi(running: Running, metrics: Metrics): { readonly [path: string]: AdminEndpoint } {
  return {
    '/-/healthy': { method: 'GET', open: true, answer: () => ok({ status: 'ok' }) },
    '/-/ready': {
      method: 'GET',
      open: true,
      answer({ query }) {
        const { gateway, draining } = running
        // A backend that is down is no reason to take every gateway out of its load balancer, unless asked for.
        const dead = query.has('upstreams') ? deadUpstreams(running) : []
        const ready = !draining && gateway.ports !== undefined && dead.length === 0
        return { status: ready ? 200 : 503, body: { status: ready ? 'ready' : draining ? 'draining' : 'not ready' } }
      },
    },
    '/-/reload': {
      method: 'POST',
      async answer() {
        const result = await running.reload()
        return { status: result.ok ? 200 : 422, body: result }
      },
    },
    '/-/drain': {
      method: 'POST',
      answer({ body }) {
        const ms = drainTimeOf(body, running.config.drainMs)
        if (typeof ms !== 'number') return bad(ms.remedy)
        // Answered at once: it ends when the last connection has gone.
        running.drain(ms).catch(() => undefined)
        return { status: 202, body: { status: 'draining', withinMs: ms } }
      },
    },
    '/-/connections': { method: 'GET', answer: ({ query }) => listConnections(running, query) },
    '/-/upstreams': { method: 'GET', answer: () => ok({ targets: running.gateway.targets() }) },
    '/-/revoke': { method: 'POST', answer: ({ body }) => revoke(running, body) },
    '/-/report': { method: 'GET', answer: () => ok({ wouldDeny: running.wouldDeny.list() }) },
    '/metrics': {
      method: 'GET',
      answer: async () => ({
        status: 200,
        body: await metrics.text(),
        headers: { 'Content-Type': metrics.contentType },
      }),
    },
  }
}

const ok = (body: unknown): AdminAnswer => ({ status: 200, body })
const bad = (remedy: string): AdminAnswer => ({ status: 400, body: { error: 'bad request', remedy } })

/** The open connections, of one route or of all, as many as were asked for. */
function listConnections(running: Running, query: URLSearchParams): AdminAnswer {
  const limit = query.get('limit') ?? '1000'
  if (!/^\d{1,9}$/.test(limit)) return bad(`write limit=1000: a whole number, at most ${MOST_LISTED}`)
  const most = Math.min(Number(limit), MOST_LISTED)
  const route = query.get('route')
  const known = running.config.routes.map(({ id }) => id)
  if (route !== null && !known.includes(route)) return { status: 404, body: { error: 'no such route', known } }
  const listed: unknown[] = []
  let total = 0
  for (const pair of running.gateway.connections()) {
    if (route !== null && pair.route !== route) continue
    total++
    if (listed.length < most) listed.push({ ...pair, openedAt: new Date(pair.openedAt).toISOString() })
  }
  return ok({ total, listed: listed.length, connections: listed })
}

/** Upstreams of which no target is given connections. */
function deadUpstreams({ gateway }: Running): readonly string[] {
  const alive = new Map<string, boolean>()
  for (const { upstream, healthy } of gateway.targets()) alive.set(upstream, (alive.get(upstream) ?? false) || healthy)
  return [...alive].filter(([, isAlive]) => !isAlive).map(([name]) => name)
}

const DRAIN = 'write {"within":"30 s"}, or no body for `drain` of the configuration'

/** How long a drain may take, in ms; else what to write. A number below a second is refused, as in the configuration. */
function drainTimeOf(body: unknown, fallback: number): number | { readonly remedy: string } {
  if (body === undefined) return fallback
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return { remedy: DRAIN }
  const { within, ...others } = body as { readonly [key: string]: unknown }
  if (Object.keys(others).length > 0) return { remedy: DRAIN }
  if (within === undefined) return fallback
  return faultOfBareTime(within) ?? parseDuration(within, 0)
}

const REVOKE =
  'write one of {"session":"…"}, {"user":"…"}, {"connection":"…"}, {"all":true}; "expiresAt" (ms since the epoch) is allowed beside session or user'

/** Ms since the epoch: what is smaller are seconds. */
function isTime(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value >= 100_000_000_000
}

async function revoke({ gateway }: Running, body: unknown): Promise<AdminAnswer> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return bad(REVOKE)
  const { expiresAt, ...named } = body as { readonly [key: string]: unknown }
  const entries = Object.entries(named)
  const [key, value] = entries[0] ?? []
  if (expiresAt !== undefined && (!isTime(expiresAt) || (key !== 'session' && key !== 'user'))) return bad(REVOKE)
  const until = expiresAt === undefined ? {} : { expiresAt: expiresAt as number }
  if (entries.length !== 1 || (key === 'all' ? value !== true : typeof value !== 'string' || value === ''))
    return bad(REVOKE)
  if (key === 'connection') {
    return gateway.closeConnection(value as string)
      ? ok({ closed: 1 })
      : { status: 404, body: { error: 'no such connection' } }
  }
  if (key === 'session' && (value as string).startsWith(USER_SESSION))
    return bad('this session stands for its user: write {"user": …}. A revoked session id never comes back')
  const target =
    key === 'session'
      ? { session: value as string, ...until }
      : key === 'user'
        ? { user: value as string, ...until }
        : key === 'all'
          ? ('all' as const)
          : null
  if (target === null) return bad(REVOKE)
  const results = await Promise.allSettled([...gateway.guards.values()].map(guard => guard.revoke(target)))
  const failed = results.filter(({ status }) => status === 'rejected').length
  // Here they have ended all the same; what was not reached is the shared store, and so the other nodes.
  return failed === 0
    ? ok({ revoked: key })
    : { status: 502, body: { revoked: key, error: 'the store was not reached: other nodes may not know' } }
}
