import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { type Connection, createGuard, type Guard, type Session } from 'sallyport'
import { serve } from 'sallyport/server'
import { connect as connectTls } from 'node:tls'
import { WebSocketServer } from 'ws'
import { CERTIFICATE, KEY } from '../../../../test/support/certificates.ts'
import { HANDSHAKE, open, type RawClient } from '../server/engine-server.ts'
import { listenTo, type ToldEvents } from '../support/told-events.ts'
import { freePort } from '../support/world.ts'

/** How sockets are opened. */
export type Way = 'serve' | 'tls' | 'ws'
/** Why a connection is held. */
export type State = 'full' | 'judged' | 'delayed' | 'slow' | 'paused'

/** A server with one connection that is held back, and its raw client. */
export interface Held extends ToldEvents {
  readonly guard: Guard<Session, any>
  readonly peer: RawClient
  /** The server's end of the connection. */
  readonly socket: Socket
  readonly connection: Connection
  /** Messages that were handled. */
  readonly handled: readonly string[]
  /** Resolves once the app was told of the end. */
  readonly closed: Promise<void>
  /** Resets the connection. */
  reset(): void
  /** Lets the handler end. */
  release(): void
}

export interface HeldOptions {
  readonly way: Way
  readonly state: State
  readonly lifetime?: object
  readonly message?: object
  /** When the session expires, in ms from now. */
  readonly expiresIn?: number
}

const POLICIES: Readonly<Record<State, object>> = {
  full: { concurrency: { handlers: 1, countListeners: true } },
  paused: { concurrency: { handlers: 1, countListeners: true } },
  slow: {},
  judged: { authorize: () => new Promise(() => {}) },
  delayed: { rate: { messages: 1, per: '1 hour', exceed: 'delay', bytes: '1 GB' } },
}

/** Bytes that are sent behind a full limit. */
const FLOOD = 4_000_000

/** Opens a connection and brings it into the state. */
export async function held(t: TestContext, options: HeldOptions): Promise<Held> {
  const { way, state, expiresIn } = options
  const port = await freePort()
  const scheme = way === 'tls' ? 'https' : 'http'
  let peer: RawClient | undefined
  // First: a server waits for a peer that does not answer its close frame.
  t.after(() => peer?.socket.destroy())
  const guard = createGuard({
    handshake: {
      origin: { allow: [`${scheme}://localhost:${port}`] },
      session: () => ({ id: 's1', user: 'ann', ...(expiresIn !== undefined && { expiresAt: Date.now() + expiresIn }) }),
      ticket: { dangerouslyWithoutTicket: true },
    },
    message: {
      schema: { dangerouslyAcceptAnyMessage: true },
      format: { data: 'text' },
      ...(state !== 'delayed' && { rate: { dangerouslyOff: true } }),
      size: { controlFrames: { frames: 10_000, per: '1 s' } },
      ...POLICIES[state],
      ...options.message,
    },
    lifetime: {
      ...(state === 'slow' && { backpressure: { bytes: '64 KiB', for: '1 minute' } }),
      ...options.lifetime,
    },
  } as Parameters<typeof createGuard>[0]) as unknown as Guard<Session, any>
  const told = listenTo(guard)
  const handled: string[] = []
  const gate = Promise.withResolvers<void>()
  const opened = Promise.withResolvers<Connection>()
  const began = Promise.withResolvers<void>()
  const closed = Promise.withResolvers<void>()
  const sockets: Socket[] = []
  const handle = (text: string, connection: Connection): Promise<void> | undefined => {
    handled.push(text)
    began.resolve()
    if (state !== 'slow') return state === 'delayed' ? undefined : gate.promise
    connection.send('x'.repeat(8_000_000))
    return undefined
  }
  if (way !== 'ws') {
    const app = await serve({
      guard,
      port,
      ...(way === 'tls' && { host: 'localhost', tls: { key: KEY, cert: CERTIFICATE } }),
      close: () => closed.resolve(),
      open: (connection: Connection) => opened.resolve(connection),
      message: (message: unknown, connection: Connection) => handle(String(message), connection),
    } as never)
    app.server.prependListener(way === 'tls' ? 'secureConnection' : 'connection', (socket: Socket) =>
      sockets.push(socket),
    )
    t.after(() => app.close({ withinMs: 0 }))
  } else {
    const server = createServer()
    server.on('connection', socket => sockets.push(socket))
    const wss = new WebSocketServer({ noServer: true, ...guard.ws() })
    server.on('upgrade', guard.upgrade(wss, '/chat'))
    wss.on('connection', socket => {
      const connection = guard.connection(socket)
      opened.resolve(connection)
      socket.on('close', () => closed.resolve())
      // oxlint-disable-next-line typescript/no-misused-promises -- as apps write it
      socket.on('message', data => handle(String(data as Buffer), connection))
    })
    server.listen(port, 'localhost')
    await once(server, 'listening')
    t.after(async () => {
      await guard.drain({ withinMs: 0 })
      server.closeAllConnections()
      server.close()
    })
  }
  const handshake = HANDSHAKE.replace('Host: app.test', `Host: localhost:${port}`).replace(
    'Origin: https://app.test',
    `Origin: ${scheme}://localhost:${port}`,
  )
  const wire = connect(port, 'localhost')
  wire.on('error', () => undefined)
  const dial = (): Socket => (way === 'tls' ? connectTls({ socket: wire, rejectUnauthorized: false }) : wire)
  peer = await open({ dial }, handshake)
  const connection = await opened.promise
  const [socket] = sockets
  if (state === 'slow') peer.socket.pause()
  peer.send('first')
  if (state !== 'judged') await began.promise
  // Behind what holds it: it waits.
  peer.send('second')
  if (state === 'paused') {
    for (let sent = 0; sent < FLOOD; sent += 1_000) peer.send('x'.repeat(1_000))
    while (!socket!.isPaused()) await new Promise(setImmediate)
  }
  return {
    ...told,
    guard,
    peer,
    socket: socket!,
    connection,
    handled,
    closed: closed.promise,
    reset: () => wire.resetAndDestroy(),
    release: () => gate.resolve(),
  }
}

/** Resolves once the connection's signal aborts. */
export async function aborted({ connection: { signal } }: Held): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
}
