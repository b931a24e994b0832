// A guarded Socket.IO server on loopback, and raw clients for it.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect as dial } from 'node:net'
import type { TestContext } from 'node:test'
import { createGuard, type SallyEvent } from 'sallyport'
import { guardSocketIo, type SocketIoOptions } from 'sallyport/adapters/socket-io'
import { Server, type ServerOptions } from 'socket.io'
import { io as connect, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client'
import { WebSocket } from 'ws'
import { z } from 'zod'

type Message = Parameters<typeof createGuard>[0]['message']
type Handshake = Parameters<typeof createGuard>[0]['handshake']

export interface HostOptions {
  readonly message?: Partial<Message>
  readonly handshake?: Partial<Handshake>
  readonly report?: boolean | readonly string[]
  readonly server?: Partial<ServerOptions>
  readonly adapter?: SocketIoOptions
}

export const SCHEMA = {
  say: z.object({ text: z.string().max(50_000) }),
  ask: z.object({}),
}

/** Starts a server whose users are named by the cookie `user`. It is closed after the test. */
export async function host(t: TestContext, options: HostOptions = {}) {
  const http = createServer((_request, response) => void response.writeHead(404).end()).listen(0, '127.0.0.1')
  await once(http, 'listening')
  const { port } = http.address() as AddressInfo
  const origin = `http://127.0.0.1:${port}`
  let lookups = 0
  const guard = createGuard({
    handshake: {
      origin: { allow: [origin] },
      session: (request: { cookie(name: string): string | undefined }) => {
        lookups++
        const user = request.cookie('user')
        return user === undefined ? null : { id: `session of ${user}`, user }
      },
      ticket: { carrier: 'query', dangerouslyWithoutTicket: true },
      ...options.handshake,
    },
    message: { schema: SCHEMA, rate: { dangerouslyOff: true }, strikes: 100, ...options.message },
    ...(options.report !== undefined && { report: options.report }),
  } as unknown as Parameters<typeof createGuard>[0])
  const events: SallyEvent[] = []
  guard.on(event => events.push(event))
  const io = new Server(http, { maxHttpBufferSize: 65_536, ...options.server })
  guardSocketIo(io, guard, options.adapter)
  const clients: (Socket | WebSocket)[] = []
  t.after(async () => {
    for (const client of clients) client.close()
    await guard.drain({ withinMs: 0 })
    await io.close()
  })
  const headers = { Origin: origin, Cookie: 'user=ann' }

  return {
    io,
    http,
    guard,
    port,
    origin,
    headers,
    events,
    lookups: () => lookups,
    denials: () => events.flatMap(event => (event.kind === 'denial' ? [event.code] : [])),
    /** The denial of that code, once it is emitted. */
    async denial(code: string): Promise<SallyEvent> {
      for (;;) {
        const found = events.find(event => event.kind === 'denial' && event.code === code)
        if (found !== undefined) return found
        await new Promise(resolve => setTimeout(resolve, 5))
      }
    },
    /** The real client, connected. */
    async client(
      transport: 'polling' | 'websocket' | 'both',
      given: Partial<ManagerOptions & SocketOptions> & { readonly namespace?: string } = {},
    ): Promise<Socket> {
      const { namespace = '', ...rest } = given
      const socket = connect(origin + namespace, {
        transports: transport === 'both' ? ['polling', 'websocket'] : [transport],
        forceNew: true,
        reconnection: false,
        extraHeaders: headers,
        ...rest,
      })
      clients.push(socket)
      await new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve)
        socket.once('connect_error', reject)
      })
      return socket
    },
    /** A WebSocket without any client library. Resolves after Engine.IO's open packet. */
    async raw(sid = '', extra: Record<string, string> = {}): Promise<Raw> {
      const socket = new WebSocket(
        `ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket${sid === '' ? '' : `&sid=${sid}`}`,
        { headers: { ...headers, ...extra } },
      )
      clients.push(socket)
      const raw = readable(socket)
      await once(socket, 'open')
      if (sid === '') await raw.next(text => text.startsWith('0{'))
      return raw
    },
    /** Sends one HTTP request as it is written, and answers with the whole response. */
    async send(method: string, target: string, lines: Record<string, string> = {}, body?: string | Buffer) {
      const socket = dial(port, '127.0.0.1')
      const bytes = Buffer.from(body ?? '')
      const head = [
        `${method} ${target} HTTP/1.1`,
        `Host: 127.0.0.1:${port}`,
        ...('Connection' in lines ? [] : ['Connection: close']),
        ...(body === undefined ? [] : [`Content-Length: ${bytes.length}`]),
        ...Object.entries(lines).map(([name, value]) => `${name}: ${value}`),
      ].join('\r\n')
      socket.write(Buffer.concat([Buffer.from(`${head}\r\n\r\n`), bytes]))
      let text = ''
      socket.on('data', chunk => (text += chunk.toString()))
      socket.on('error', () => undefined)
      await new Promise(resolve => socket.once('close', resolve))
      return { status: Number(text.slice(9, 12)), text, body: text.slice(text.indexOf('\r\n\r\n') + 4) }
    },
    /** Opens a polling session by hand: its sid, once it has joined the main namespace. */
    async poller(lines: Record<string, string> = headers): Promise<Poller> {
      const base = '/socket.io/?EIO=4&transport=polling'
      const opened = await this.send('GET', base, lines)
      const { sid } = JSON.parse(/\{.*\}/s.exec(opened.body)![0]) as { sid: string }
      const target = `${base}&sid=${sid}`
      const poller: Poller = {
        sid,
        post: (body, more = {}) => this.send('POST', target, { ...lines, ...more }, body),
        poll: (more = {}) => this.send('GET', target, { ...lines, ...more }),
      }
      await poller.post('40')
      await poller.poll()
      return poller
    },
  }
}

export interface Poller {
  readonly sid: string
  post(
    body: string | Buffer,
    lines?: Record<string, string>,
  ): Promise<{ readonly status: number; readonly text: string }>
  poll(
    lines?: Record<string, string>,
  ): Promise<{ readonly status: number; readonly text: string; readonly body: string }>
}

export interface Raw {
  readonly socket: WebSocket
  /** Sends one packet. */
  send(packet: string | Buffer): void
  /** The next packet that came and is like that. */
  next(like: (text: string) => boolean): Promise<string>
  readonly closed: Promise<number>
}

function readable(socket: WebSocket): Raw {
  const came: string[] = []
  const waiting: { readonly like: (text: string) => boolean; readonly resolve: (text: string) => void }[] = []
  socket.on('error', () => undefined)
  socket.on('message', data => {
    const text = (data as Buffer).toString()
    const index = waiting.findIndex(({ like }) => like(text))
    if (index === -1) came.push(text)
    else waiting.splice(index, 1)[0]!.resolve(text)
  })
  return {
    socket,
    send: packet => socket.send(packet),
    next: like =>
      new Promise(resolve => {
        const index = came.findIndex(like)
        if (index === -1) waiting.push({ like, resolve })
        else resolve(came.splice(index, 1)[0]!)
      }),
    closed: new Promise(resolve => socket.once('close', resolve)),
  }
}

/** What comes with the next event of that name. Not `events.once`, to which `error` is an error. */
export function next(socket: Socket, name: string): Promise<unknown[]> {
  return new Promise(resolve => socket.once(name, (...given: unknown[]) => resolve(given)))
}
