import { Agent as PlainAgent, type IncomingMessage, type ServerResponse } from 'node:http'
import { Agent as TlsAgent } from 'node:https'
import { createProxyServer } from 'httpxy'
import { embed } from 'sallyport/embed'
import type { HttpConfig } from '../config/types.ts'
import { failure } from '../upstream/failure.ts'
import type { Pool } from '../upstream/pool.ts'
import type { Address } from '../upstream/target.ts'
import { createForwarding } from './backend-request.ts'
import { gatewayAnswer } from './gateway-answer.ts'
import type { GatewayLog } from './contract.ts'
import { nominatedBy } from './header-names.ts'
import { filterCookies } from './header-values.ts'
import type { Route } from './route.ts'

/** Plain HTTP of a route's hosts, on its way to a backend. */
export interface Passage {
  readonly hosts: readonly string[]
  /** As a route's path: `/*` for all. */
  readonly path: string
  handle(request: IncomingMessage, response: ServerResponse): void
  stop(): void
}

const HOP_OF_ANSWER = ['connection', 'keep-alive', 'proxy-authenticate', 'proxy-connection', 'te', 'trailer', 'upgrade']

/** Compiles the passage of plain HTTP: streamed, without what ends at a hop or what only the gateway may say. */
export function createPassage(
  { config: route, guard }: Pick<Route, 'config' | 'guard'>,
  http: HttpConfig,
  pool: Pool,
  log: GatewayLog,
): Passage {
  const { relay } = route
  const { passes, hostOf } = createForwarding(relay)
  const { view } = embed(guard)
  const proxy = createProxyServer({ proxyTimeout: http.timeoutMs })
  const plain = new PlainAgent({ keepAlive: true, maxFreeSockets: 64 })
  const tls = new TlsAgent({
    keepAlive: true,
    maxFreeSockets: 64,
    ...(pool.tls?.ca == null ? {} : { ca: pool.tls.ca }),
    ...(pool.tls?.serverName == null ? {} : { servername: pool.tls.serverName }),
    rejectUnauthorized: pool.tls?.dangerouslyAcceptAnyCertificate !== true,
  })
  proxy.on('proxyRes', (answer, _request, response) => {
    for (const name of HOP_OF_ANSWER) delete answer.headers[name]
    // As the client asked for (RFC 9112 §9.6); said by nobody it would be kept alive.
    answer.headers.connection = response.shouldKeepAlive ? 'keep-alive' : 'close'
  })

  const headersFor = (request: IncomingMessage, address: Address): Record<string, string | string[]> => {
    const headers: Record<string, string | string[]> = {}
    const { connection, cookie, origin, host = '' } = request.headers
    const nominated = nominatedBy(connection)
    for (const [name, value] of Object.entries(request.headers)) {
      if (value !== undefined && passes(name, nominated)) headers[name] = value
    }
    // What frames the body is the parser's own: it was read strictly, and is written anew. No peer may nominate it away
    // (`Connection: Content-Length`): the body would be the next request.
    const { 'content-length': length, 'transfer-encoding': coding } = request.headers
    if (coding !== undefined) headers['transfer-encoding'] = 'chunked'
    else if (length !== undefined) headers['content-length'] = length
    headers['host'] = hostOf(host)(address)
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
    return { ...headers, ...relay.headers }
  }

  return {
    hosts: route.hosts,
    path: http.path.endsWith('/') ? `${http.path}*` : `${http.path}/*`,
    handle(request, response) {
      const target = pool.pick()
      if (target === null) {
        send(response, 503, 'GATEWAY_UPSTREAM_NONE')
        return
      }
      const { address } = target
      const { connect } = address
      request.headers = headersFor(request, address)
      target.open++
      response.once('close', () => {
        target.open--
      })
      proxy
        .web(request, response, {
          agent: address.tls ? tls : plain,
          target: {
            protocol: address.tls ? 'https:' : 'http:',
            ...('path' in connect ? { socketPath: connect.path } : { host: address.hostname, port: connect.port }),
          },
        })
        .then(
          () => pool.report(target, null),
          (error: NodeJS.ErrnoException) => {
            const { code = error.name } = error
            // A client that left is no fault of the backend.
            if (request.destroyed && !request.complete) return
            if (code === 'ECONNREFUSED' || code === 'ENOENT' || code === 'ETIMEDOUT') {
              pool.report(target, failure('GATEWAY_UPSTREAM_UNREACHABLE', `${code} at ${address.label}`))
            }
            log.warn({ route: route.id, upstream: pool.name, target: address.label, detail: code }, 'plain HTTP failed')
            if (response.headersSent) response.destroy()
            else send(response, 502, 'GATEWAY_UPSTREAM_UNREACHABLE')
          },
        )
    },
    stop() {
      // Requests under way go on: only what is idle is closed.
      for (const agent of [plain, tls]) {
        for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy()
      }
    },
  }
}

function send(response: ServerResponse, status: number, code: string): void {
  const { headers, body } = gatewayAnswer(status, code)
  response.writeHead(status, headers).end(body)
}
