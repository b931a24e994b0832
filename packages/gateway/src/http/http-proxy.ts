import { Agent as PlainAgent, type IncomingMessage, type ServerResponse } from 'node:http'
import { Agent as TlsAgent } from 'node:https'
import { createProxyServer } from 'httpxy'
import type { Guard } from 'sallyport'
import { embed } from 'sallyport/embed'
import type { Runtime } from 'sallyport/internal'
import type { HttpConfig, RelayConfig, RouteConfig } from '../model/config.ts'
import type { Pool } from '../upstream/pool.ts'
import type { Address, Backend } from '../upstream/backend.ts'
import { createForwarding, type Forwarding } from './forwarding.ts'
import { createBoundedWarnings } from '../upstream/bounded-warnings.ts'
import { createExchange, type Exchange, isRepeatable } from './exchange.ts'
import { gatewayAnswer } from './gateway-answer.ts'
import type { GatewayLog } from '../model/gateway.ts'
import { nominatedBy } from './header-names.ts'
import { filterCookies } from './header-values.ts'
import { isPassable, tidyReason } from './plain-faults.ts'

/** The route whose hosts are served. */
export interface ProxiedRoute {
  readonly config: RouteConfig
  readonly guard: Guard
}

/** Passes plain HTTP for a route's hosts to a backend. */
export interface HttpProxy {
  readonly hosts: readonly string[]
  /** As a route's path: `/*` for all. */
  readonly path: string
  handle(request: IncomingMessage, response: ServerResponse): void
  stop(): void
}

const HOP_OF_ANSWER = ['connection', 'keep-alive', 'proxy-authenticate', 'proxy-connection', 'te', 'trailer', 'upgrade']

/** What a Connection header cannot take off: without these the body would have another end. */
const FRAMING: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding'])

/**
 * Compiles how plain HTTP is passed on. Bodies are streamed. Hop-by-hop headers are removed, and so is what only the
 * gateway may tell a backend.
 */
export function createHttpProxy(
  { config: route, guard }: ProxiedRoute,
  http: HttpConfig,
  pool: Pool,
  log: GatewayLog,
  runtime: Runtime,
): HttpProxy {
  const { relay } = route
  const { passes, hostOf } = createForwarding(relay)
  const headersFor = headerWriter(relay, passes, embed(guard).view)
  const proxy = createProxyServer()
  const plain = new PlainAgent({ keepAlive: true, maxFreeSockets: 64 })
  const tls = new TlsAgent({
    keepAlive: true,
    maxFreeSockets: 64,
    ...(pool.tls?.ca == null ? {} : { ca: pool.tls.ca }),
    ...(pool.tls?.serverName == null ? {} : { servername: pool.tls.serverName }),
    rejectUnauthorized: pool.tls?.dangerouslyAcceptAnyCertificate !== true,
  })
  const warnings = createBoundedWarnings(log, runtime)
  const underWay = new WeakMap<IncomingMessage, Exchange>()
  proxy.on('proxyReq', (outgoing, request) => underWay.get(request)?.sends(outgoing))
  proxy.on('proxyRes', (answer, request, response) => {
    underWay.get(request)?.answered()
    if (!isPassable(answer)) {
      answer.destroy()
      const detail = 'a status other than 200 to 599, or a Transfer-Encoding other than chunked'
      warnings.warn('no answer', { route: route.id, upstream: pool.name, detail }, 'plain HTTP failed')
      send(response, 502, 'GATEWAY_UPSTREAM_BROKEN')
      return
    }
    tidyAnswer(answer, response)
  })

  return {
    hosts: route.hosts,
    path: http.path.endsWith('/') ? `${http.path}*` : `${http.path}/*`,
    handle(request, response) {
      const written = headersFor(request)
      const clientHost = request.headers.host ?? ''
      const mayRepeat = isRepeatable(request)
      const tried = new Set<Backend>()
      const ask = (backend: Backend): void => {
        const { address } = backend
        tried.add(backend)
        backend.open++
        request.headers = { ...written, host: hostOf(clientHost)(address), ...relay.headers }
        const exchange = createExchange(http.timeoutMs, () => pool.report(backend, null))
        underWay.set(request, exchange)
        const end = (): void => {
          backend.open--
          exchange.end()
        }
        proxy
          .web(request, response, { agent: address.tls ? tls : plain, target: whereTo(address) })
          .then(end, (error: NodeJS.ErrnoException) => {
            end()
            // A client that left is no fault of the backend.
            if (response.destroyed || (request.destroyed && !request.complete)) return
            const failed = exchange.failureOf(error, address)
            const { code, detail, status } = failed
            const facts = { route: route.id, upstream: pool.name, target: address.label, code, detail }
            warnings.warn(code, facts, 'plain HTTP failed')
            if (exchange.isAnswered || response.headersSent) {
              response.destroy()
              return
            }
            pool.report(backend, failed)
            const isLost = failed.evidence === 'unreachable' || exchange.isStale(error)
            const next = mayRepeat && isLost && tried.size === 1 ? pool.pick(tried) : null
            if (next === null) send(response, status, code)
            else ask(next)
          })
      }
      const first = pool.pick()
      if (first === null) send(response, 503, 'GATEWAY_UPSTREAM_NONE')
      else ask(first)
    },
    stop() {
      warnings.stop()
      // Requests under way go on: only what is idle is closed.
      for (const agent of [plain, tls]) {
        for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy()
      }
    },
  }
}

/** The headers of a request to a backend: all but Host, which depends on the backend, and what the operator adds. */
function headerWriter(
  relay: RelayConfig,
  passes: Forwarding['passes'],
  view: ReturnType<typeof embed>['view'],
): (request: IncomingMessage) => Record<string, string | string[]> {
  return request => {
    const headers: Record<string, string | string[]> = {}
    const { connection, cookie, origin, host = '' } = request.headers
    const nominated = nominatedBy(connection)
    for (const [name, value] of Object.entries(request.headers)) {
      if (value !== undefined && passes(name, nominated)) headers[name] = value
    }
    // Node has answered it already.
    delete headers['expect']
    // What frames the body is the parser's own: it was read strictly, and is written again. No peer may nominate it away
    // (`Connection: Content-Length`): the body would be the next request.
    const { 'content-length': length, 'transfer-encoding': coding } = request.headers
    if (coding !== undefined) headers['transfer-encoding'] = 'chunked'
    else if (length !== undefined) headers['content-length'] = length
    const cookies = filterCookies(cookie, relay.cookies)
    if (cookies !== null) headers['cookie'] = cookies
    const said = relay.origin === 'pass' ? origin : relay.origin === 'strip' ? undefined : relay.origin.fixed
    if (said !== undefined) headers['origin'] = said
    if (relay.forwarded) {
      const client = view(request)
      headers['x-forwarded-for'] = client.ip
      headers['x-forwarded-proto'] = client.secure ? 'https' : 'http'
      headers['x-forwarded-host'] = host
    }
    return headers
  }
}

/** Takes off what ends at this hop, and says whether the connection to the client stays. */
function tidyAnswer(answer: IncomingMessage, response: ServerResponse): void {
  tidyReason(answer)
  for (const name of nominatedBy(answer.headers.connection)) if (!FRAMING.has(name)) delete answer.headers[name]
  for (const name of HOP_OF_ANSWER) delete answer.headers[name]
  // As the client asked for (RFC 9112 §9.6); said by nobody it would be kept alive.
  answer.headers.connection = response.shouldKeepAlive ? 'keep-alive' : 'close'
}

/** A target as httpxy takes one. */
function whereTo({ tls, connect, hostname }: Address): object {
  const at = 'path' in connect ? { socketPath: connect.path } : { host: hostname, port: connect.port }
  return { protocol: tls ? 'https:' : 'http:', ...at }
}

function send(response: ServerResponse, status: number, code: string): void {
  const { headers, body } = gatewayAnswer(status, code)
  response.writeHead(status, headers).end(body)
}
