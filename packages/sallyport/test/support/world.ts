import { once } from 'node:events'
import { createGuard, type Guard, type Session } from 'sallyport'
import { type App, serve, type ServeOptions } from 'sallyport/server'
import { WebSocket } from 'ws'
import { z } from 'zod'
import { listenTo, type ToldEvents } from './told-events.ts'
import { freePort } from '../../../../test/support/free-port.ts'

export { freePort }

/** Signed-in sessions by the value of the cookie `sid`; `down` makes the store fail. */
export interface Accounts {
  readonly sessions: Map<string, Session>
  down: boolean
}

export const chatSchema = z.object({ type: z.literal('chat'), message: z.string().max(1000) })

/** A guarded chat server with its honest client, for tests. */
export interface World extends ToldEvents {
  readonly app: App
  readonly guard: Guard<Session, any>
  readonly port: number
  readonly origin: string
  readonly accounts: Accounts
  /** Handled messages, in order. */
  readonly handled: unknown[]
  ticket(sid: string, path?: string): Promise<string>
  /** Opens an honest connection: ticket fetched, Origin right. */
  connect(sid?: string, path?: string): Promise<WebSocket>
  /** A raw client for what an honest one would not do. */
  client(options?: {
    sid?: string
    origin?: string
    protocols?: string[]
    path?: string
    headers?: Record<string, string>
  }): WebSocket
  close(): Promise<void>
}

type PolicyPart = { handshake?: object; message?: object; lifetime?: object } & Record<string, unknown>

/** Starts one. `policy` is laid over the default one, section by section. */
export async function createWorld(
  policy: PolicyPart = {},
  options: Partial<ServeOptions<Session, any>> = {},
): Promise<World> {
  const port = await freePort()
  const origin = `http://localhost:${port}`
  const accounts: Accounts = {
    sessions: new Map([
      ['ann-1', { id: 'ann-1', user: 'ann' }],
      ['bob-1', { id: 'bob-1', user: 'bob' }],
    ]),
    down: false,
  }
  const handled: unknown[] = []
  const { handshake, message, lifetime, ...rest } = policy
  const guard = createGuard({
    handshake: {
      origin: { allow: [origin] },
      session(request) {
        if (accounts.down) throw new Error('the session store is down')
        return accounts.sessions.get(request.cookie('sid') ?? '') ?? null
      },
      rate: {
        perIp: { attempts: 100_000, per: '1 minute' },
        perUser: { attempts: 100_000, per: '1 minute' },
        total: { attempts: 100_000, per: '1 minute' },
      },
      ...handshake,
    },
    message: { schema: { chat: chatSchema }, ...message },
    lifetime: { ...lifetime },
    ...rest,
  } as Parameters<typeof createGuard>[0]) as Guard<Session, any>
  const told = listenTo(guard)
  const echo = {
    handlers: {
      chat(said: { message: string }, connection: { send(value: object): boolean }) {
        handled.push(said)
        connection.send({ type: 'chat', message: `echo ${said.message}` })
      },
    },
  }
  const app = await serve({
    guard,
    port,
    ...(options.message || options.handlers ? {} : echo),
    ...options,
  } as ServeOptions<Session, any>)

  const world: World = {
    app,
    guard,
    port,
    origin,
    ...told,
    accounts,
    handled,
    async ticket(sid, path = '/ws') {
      const response = await fetch(`${origin}/.sallyport/ticket?path=${encodeURIComponent(path)}`, {
        method: 'POST',
        // An idle connection kept alive would count among the server's.
        headers: { origin, cookie: `sid=${sid}`, connection: 'close' },
      })
      if (!response.ok) throw new Error(`no ticket: ${response.status} ${await response.text()}`)
      return ((await response.json()) as { ticket: string }).ticket
    },
    client({ sid, origin: from = origin, protocols = [], path = '/ws', headers = {} } = {}) {
      const socket = new WebSocket(`ws://localhost:${port}${path}`, protocols, {
        origin: from,
        headers: { ...(sid !== undefined && { cookie: `sid=${sid}` }), ...headers },
      })
      socket.on('error', () => {})
      return socket
    },
    async connect(sid = 'ann-1', path = '/ws') {
      const ticket = await world.ticket(sid, path)
      const socket = world.client({ sid, path, protocols: ['sallyport.v1', `sallyport.ticket.${ticket}`] })
      await once(socket, 'open')
      return socket
    },
    async close() {
      await app.close({ withinMs: 0 })
    },
  }
  return world
}

/** The HTTP answer that a client got instead of an upgrade. */
export function refusalOf(
  socket: WebSocket,
): Promise<{ status: number; body: string; headers: NodeJS.Dict<string | string[]> }> {
  return new Promise((resolve, reject) => {
    socket.once('open', () => reject(new Error('the handshake was accepted')))
    socket.once('unexpected-response', (_request, response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (body += chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body, headers: response.headers }))
    })
  })
}

/** The next message, parsed. */
export async function nextMessage(socket: WebSocket): Promise<any> {
  const [data] = await once(socket, 'message')
  return JSON.parse(String(data))
}

/** The next messages as text; none is lost when several come in one read. */
export function nextTexts(socket: WebSocket, count: number): Promise<string[]> {
  return new Promise(resolve => {
    const texts: string[] = []
    const listener = (data: unknown): void => {
      if (texts.push(String(data)) < count) return
      socket.off('message', listener)
      resolve(texts)
    }
    socket.on('message', listener)
  })
}

/** The close code and reason. */
export async function closeOf(socket: WebSocket): Promise<{ code: number; reason: string }> {
  const [code, reason] = await once(socket, 'close')
  return { code: code as number, reason: String(reason) }
}
