import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { configOf, createWorld, type GatewayWorld, route } from './gateway-world.ts'
import { closing } from './leftovers.ts'

/** A backend of plain HTTP. */
export interface App {
  readonly server: Server
  readonly target: string
  readonly requests: IncomingMessage[]
  readonly close: () => Promise<void>
}

export async function createApp(
  listener: (incoming: IncomingMessage, response: ServerResponse) => unknown,
): Promise<App> {
  const requests: IncomingMessage[] = []
  const server = createServer((incoming, response) => {
    requests.push(incoming)
    listener(incoming, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    server,
    target: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: closing(async () => {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    }),
  }
}

/** All of it, to the one backend. */
export const http = { path: '/', upstream: 'backend', timeoutMs: 5_000 }

/** A gateway whose plain HTTP all goes to this backend. */
export const serving = (target: string): Promise<GatewayWorld> => createWorld(configOf([target], [route({ http })]))
