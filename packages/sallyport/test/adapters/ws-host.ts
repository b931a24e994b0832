import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { TestContext } from 'node:test'
import { createGuard, type Guard, type Session } from 'sallyport'
import { type ServerOptions, WebSocket, WebSocketServer } from 'ws'
import { listenTo, type ToldEvents } from '../support/told-events.ts'
import { freePort } from '../support/world.ts'

/** An app's own HTTP server beside a guard, as it stands before `ws` is added. */
export interface Host extends ToldEvents {
  readonly port: number
  readonly origin: string
  readonly server: Server
  readonly guard: Guard<Session, any>
  /** Opens a client and waits until it is open. */
  open(path?: string, protocols?: string[], options?: object): Promise<WebSocket>
  client(path?: string, protocols?: string[], options?: object): WebSocket
  close(): Promise<void>
}

type Sections = {
  readonly handshake?: object
  readonly message?: object
  readonly lifetime?: object
  readonly port?: number
  readonly report?: readonly string[]
}

/** A guard for anybody, where the policy does not say otherwise. */
export async function guardFor(
  port: number,
  { handshake, message, lifetime, report = [] }: Sections = {},
): Promise<Guard<Session, any>> {
  return createGuard({
    handshake: {
      origin: { allow: [`http://localhost:${port}`] },
      session: { dangerouslyAnonymous: true },
      ticket: { dangerouslyWithoutTicket: true },
      ...handshake,
    },
    message: { schema: { dangerouslyAcceptAnyMessage: true }, ...message },
    lifetime: { ...lifetime },
    report,
  } as Parameters<typeof createGuard>[0]) as unknown as Guard<Session, any>
}

export async function createHost(sections: Sections = {}): Promise<Host> {
  const port = await freePort()
  const origin = `http://localhost:${port}`
  const guard = await guardFor(port, sections)
  const told = listenTo(guard)
  const server = createServer((_request, response) => response.writeHead(404).end())
  server.listen(port, 'localhost')
  await once(server, 'listening')
  const host: Host = {
    port,
    origin,
    server,
    guard,
    ...told,
    client(path = '/', protocols = [], options = {}) {
      const socket = new WebSocket(`ws://localhost:${port}${path}`, protocols, { origin, ...options })
      socket.on('error', () => {})
      return socket
    },
    async open(path, protocols, options) {
      const socket = host.client(path, protocols, options)
      await once(socket, 'open')
      return socket
    },
    async close() {
      await guard.drain({ withinMs: 0 })
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
  return host
}

/** A host that is closed after the test. */
export async function started(t: TestContext, ...sections: Parameters<typeof createHost>): Promise<Host> {
  const host = await createHost(...sections)
  t.after(() => host.close())
  return host
}

/** Makes the app's own server of `ws`. */
export const attach = (options: object): WebSocketServer => new WebSocketServer(options as ServerOptions)
