import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { createGuard, type Guard, type Session } from 'sallyport'
import { listenTo, type ToldEvents } from '../../support/told-events.ts'
import { freePort } from '../../support/world.ts'
import { createApp } from './app.ts'
import { policyOf } from './policy.ts'
import { dialWebSocket, type Target } from './raw-websocket.ts'
import type { Client, PolicyPart, Running } from './way-in.ts'

/** What a way in over HTTP is set up on. */
export interface Host extends ToldEvents {
  readonly port: number
  readonly origin: string
  readonly guard: Guard<Session, any>
  readonly app: ReturnType<typeof createApp>
}

/** A guard and an app for a port that is free. */
export async function createHost(part: PolicyPart): Promise<Host> {
  const port = await freePort()
  const origin = `http://localhost:${port}`
  const guard = createGuard(policyOf(part, origin)) as unknown as Guard<Session, any>
  return { port, origin, guard, app: createApp(), ...listenTo(guard) }
}

/** An HTTP server of the app's own, which answers ticket requests. */
export async function listen({ port, guard }: Host): Promise<Server> {
  const server = createServer((request, response) => void guard.ticket(request, response))
  server.listen(port, 'localhost')
  await once(server, 'listening')
  return server
}

/** A ticket for the session that the cookie `sid` names. */
export async function ticketOf(origin: string, sid: string, path: string, headers = {}): Promise<string> {
  const response = await fetch(`${origin}/.sallyport/ticket?path=${encodeURIComponent(path)}`, {
    method: 'POST',
    headers: { origin, cookie: `sid=${sid}`, connection: 'close', ...headers },
  })
  if (!response.ok) throw new Error(`no ticket: ${response.status} ${await response.text()}`)
  return ((await response.json()) as { readonly ticket: string }).ticket
}

/** The running server of a host. `stop` ends what was started on it. */
export function runningOn(host: Host, stop: () => Promise<void>, target: Partial<Target> = {}): Running {
  const { port, origin, guard, app, events, event } = host
  const { path = '/ws' } = target
  const clients = new Set<Client>()
  return {
    origin,
    guard,
    events,
    event,
    app: app.record,
    ticket: sid => ticketOf(origin, sid, path.split('?', 1)[0]!),
    async dial(dialling) {
      const client = await dialWebSocket({ port, path, ...target }, dialling)
      clients.add(client)
      return client
    },
    async close() {
      for (const client of clients) client.cut()
      await guard.drain({ withinMs: 0 })
      await stop()
    },
  }
}

/** Stops an HTTP server and the sockets that are still on it. */
export async function stopServer(server: Server): Promise<void> {
  const stopped = new Promise(resolve => server.close(resolve))
  server.closeAllConnections()
  await stopped
}
