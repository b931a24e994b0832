// The gateway is a way in like every other: it passes the same suite, before a backend that is the suite's app.
import { createGuard } from 'sallyport'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'
import { adapterConformance } from '../../../sallyport/test/adapters/conformance/adapter-conformance.ts'
import { createApp } from '../../../sallyport/test/adapters/conformance/app.ts'
import { ticketOf } from '../../../sallyport/test/adapters/conformance/http-host.ts'
import { sectionsOf, sessionOf } from '../../../sallyport/test/adapters/conformance/policy.ts'
import { dialWebSocket } from '../../../sallyport/test/adapters/conformance/raw-websocket.ts'
import type { Client } from '../../../sallyport/test/adapters/conformance/way-in.ts'
import { listenTo } from '../../../sallyport/test/support/told-events.ts'
import { freePort } from '../../../../test/support/free-port.ts'
import { createGateway } from '../../src/runtime/gateway.ts'
import { configOf, route } from '../support/gateway-world.ts'

/** The backend: the suite's app on a bare server of `ws`. */
async function startBackend() {
  const app = createApp()
  const http = createServer()
  const server = new WebSocketServer({ server: http, maxPayload: 1 << 20 })
  server.on('connection', socket => {
    const connection = {
      send: (message: object) => socket.send(JSON.stringify(message)),
      close: (code: number) => socket.close(code),
    }
    socket.on('message', (data: Buffer) => app.handle(JSON.parse(data.toString()), connection))
    socket.on('error', () => undefined)
    socket.on('close', app.closed)
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  return {
    app,
    target: `ws://127.0.0.1:${(http.address() as AddressInfo).port}`,
    async close() {
      for (const socket of server.clients) socket.terminate()
      await new Promise(resolve => http.close(resolve))
    },
  }
}

adapterConformance({
  name: 'the gateway',
  cannot: {},
  async start(part) {
    const port = await freePort()
    const origin = `http://localhost:${port}`
    const backend = await startBackend()
    const { handshake, message, lifetime, report } = sectionsOf(part, origin)
    const listener = { name: 'main', address: { host: 'localhost', port }, tls: null, proxyProtocol: null }
    const routes = [{ ...route(), policy: { handshake, message, lifetime, ...(report && { report }) } as never }]
    const config = configOf([backend.target], routes, {}, { listeners: [listener] })
    const gateway = createGateway({
      config,
      guardOf: ({ policy }) =>
        createGuard({ ...policy, handshake: { ...policy.handshake, session: sessionOf } } as never),
      log: { info() {}, warn() {}, error() {} },
    })
    await gateway.listen()
    const guard = gateway.guards.get('chat')!
    const clients = new Set<Client>()
    return {
      origin,
      guard,
      app: backend.app.record,
      ...listenTo(guard),
      ticket: sid => ticketOf(origin, sid, '/ws'),
      async dial(dialling) {
        const client = await dialWebSocket({ port, path: '/ws' }, dialling)
        clients.add(client)
        return client
      },
      async close() {
        for (const client of clients) client.cut()
        await gateway.close(0)
        await backend.close()
      },
    }
  },
})
