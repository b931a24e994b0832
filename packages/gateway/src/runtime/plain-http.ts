import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HttpAnswer } from 'sallyport/embed'
import type { Refused } from '../listener/listener.ts'
import { serveClientScript } from '../http/client-script.ts'
import type { RefusalReason } from '../model/gateway.ts'
import { gatewayAnswer } from '../http/gateway-answer.ts'
import { faultOfPlain } from '../http/plain-faults.ts'
import { hostName, servesHost } from '../route/route-table.ts'
import type { Route } from '../route/route.ts'
import type { Serving } from './serving.ts'

/** Answers plain HTTP: tickets by the route's guard, then the client script, then by a backend; 404 for anything else. */
export function servePlain(
  serving: Serving,
  request: IncomingMessage,
  response: ServerResponse,
  refused: Refused,
): void {
  const host = hostName(request.headers.host)
  const path = pathOf(request.url ?? '')
  const refuse = (reason: RefusalReason, { status, headers, body }: HttpAnswer, detail?: string): void => {
    refused(reason, { ip: request.socket.remoteAddress, host: request.headers.host, path, detail })
    response.writeHead(status, headers).end(body)
  }
  const issuer = issuerOf(serving, host, path, request)
  if (issuer !== null) {
    void issuer.guard.ticket(request, response)
    return
  }
  for (const { config } of serving.routes.values()) {
    if (config.clientPath !== path || !servesHost(config, host, serving.named)) continue
    serveClientScript(request, response)
    return
  }
  const plain = serving.plain.find(host, path)
  if (plain === null) {
    refuse('no-route', gatewayAnswer(404, 'GATEWAY_NO_ROUTE'))
    return
  }
  const fault = faultOfPlain(request)
  if (plain.refuses(request.url ?? '')) refuse('plain-http', gatewayAnswer(403, 'GATEWAY_HTTP_REFUSED'))
  else if (fault !== null) refuse('malformed', fault.answer, fault.detail)
  else {
    const verdict = plain.servesHost(request.headers.host)
    if (verdict === 'refuse') {
      refuse('host', gatewayAnswer(421, 'SALLY_HOST_NOT_SERVED'))
      return
    }
    if (verdict === 'would-refuse')
      refused('host-reported', { ip: request.socket.remoteAddress, host: request.headers.host, path })
    plain.httpProxy.handle(request, response)
  }
}

/** The route that a ticket is asked of: the one that serves the path in `?path=`. */
function issuerOf(
  { routes, table, named }: Serving,
  host: string,
  path: string,
  request: IncomingMessage,
): Route | null {
  const issuers = [...routes.values()].filter(
    ({ config }) => config.ticketPath === path && servesHost(config, host, named),
  )
  if (issuers.length < 2) return issuers[0] ?? null
  const asked = new URLSearchParams(request.url?.slice(path.length + 1)).get('path') ?? '/'
  const route = table.find(host, asked)
  return route !== null && issuers.includes(route) ? route : issuers[0]!
}

/** The path of a request target. */
export function pathOf(target: string): string {
  const query = target.indexOf('?')
  return query === -1 ? target : target.slice(0, query)
}

/** The first Host header, without having all headers made: most handshakes that are refused need no other. */
export function hostOf(rawHeaders: readonly string[]): string | undefined {
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!
    if (name.length === 4 && name.toLowerCase() === 'host') return rawHeaders[index + 1]
  }
  return undefined
}
