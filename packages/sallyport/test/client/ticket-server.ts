import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'

/** How the ticket endpoint answers. */
export interface TicketAnswer {
  readonly status: number
  readonly body?: string
  readonly headers?: { readonly [name: string]: string }
}

/** A server with a ticket endpoint and a WebSocket, which tells what it saw. */
export interface TicketServer {
  readonly url: string
  readonly tickets: readonly string[]
  /** Method and target of each request of the endpoint. */
  readonly asked: readonly string[]
  /** Target and offered subprotocols of each handshake. */
  readonly handshakes: readonly { readonly target: string; readonly offered: string }[]
  /** Resolves with the next connection. */
  readonly next: () => Promise<WebSocket>
  readonly close: () => Promise<void>
}

/** Starts one on loopback. `answer` replaces the endpoint's answer to its nth request, `serve` gets each connection. */
export async function startTicketServer(options: {
  readonly answer?: (nth: number) => TicketAnswer | null
  readonly serve?: (socket: WebSocket, request: IncomingMessage, nth: number) => void
}): Promise<TicketServer> {
  const tickets: string[] = []
  const asked: string[] = []
  const handshakes: { target: string; offered: string }[] = []
  const http = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    const answer = options.answer?.(asked.length)
    if (answer) {
      response.writeHead(answer.status, answer.headers).end(answer.body)
      return
    }
    const ticket = `TICKET-${tickets.length}-${'x'.repeat(40)}`
    tickets.push(ticket)
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ ticket, expiresIn: 30 }))
  })
  const sockets = new WebSocketServer({
    server: http,
    handleProtocols: names => [...names].find(name => !name.startsWith('sallyport.ticket.')) ?? false,
  })
  sockets.on('connection', (socket, request) => {
    handshakes.push({ target: request.url ?? '', offered: request.headers['sec-websocket-protocol'] ?? '' })
    socket.on('error', () => {})
    options.serve?.(socket, request, handshakes.length)
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  return {
    url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}/ws`,
    tickets,
    asked,
    handshakes,
    next: () => new Promise(resolve => sockets.once('connection', resolve)),
    async close() {
      for (const socket of sockets.clients) socket.terminate()
      sockets.close()
      http.closeAllConnections()
      http.close()
      await once(http, 'close')
    },
  }
}
