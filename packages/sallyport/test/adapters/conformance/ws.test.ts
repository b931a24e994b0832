import type { Server } from 'node:http'
import type { Connection } from 'sallyport'
import { type WebSocket, WebSocketServer } from 'ws'
import { adapterConformance } from './adapter-conformance.ts'
import { createHost, type Host, listen, runningOn, stopServer } from './http-host.ts'

/** Both take sockets of `ws`; handlers get typed messages. */
function serveSockets({ guard, app }: Host, server: WebSocketServer): void {
  server.on('connection', (socket: WebSocket) => {
    const handle = (message: unknown, connection: Connection): void => app.handle(message, connection)
    guard.handle(socket, { chat: handle, bulk: handle, leave: handle })
    socket.on('close', (code: number) => app.closed(code))
  })
}

adapterConformance({
  name: 'guard.ws()',
  cannot: {},
  async start(part) {
    const host = await createHost(part)
    const server: Server = await listen(host)
    serveSockets(host, new WebSocketServer({ server, path: '/ws', ...host.guard.ws() }))
    return runningOn(host, () => stopServer(server))
  },
})

adapterConformance({
  name: 'guard.upgrade()',
  cannot: {},
  async start(part) {
    const host = await createHost(part)
    const server = await listen(host)
    const sockets = new WebSocketServer({ noServer: true, ...host.guard.ws() })
    serveSockets(host, sockets)
    server.on('upgrade', host.guard.upgrade(sockets, '/ws'))
    return runningOn(host, () => stopServer(server))
  },
})
