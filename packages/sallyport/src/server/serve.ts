import { isLoopback } from '../model/loopback.ts'
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import { createServer as createHttpsServer, type ServerOptions as TlsOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Connection } from '../connection/connection.ts'
import { createDispatch, type AnyHandlers } from '../connection/handlers.ts'
import { withinOf } from '../guard/drain.ts'
import type { Delivery } from '../connection/services.ts'
import { refusalOf } from '../guard/refusal.ts'
import { insideOf } from '../guard/registry.ts'
import { socketOf } from '../node/upgrade-socket.ts'
import { createProxyCheck } from '../request/client-address.ts'
import type { Guard } from '../guard/guard.ts'
import type { Handlers } from '../model/message-types.ts'
import { show } from '../shape/shown.ts'
import type { SchemaMap } from '../model/schema-kinds.ts'
import { deny } from '../model/verdict.ts'
import type { Session } from '../model/session.ts'
import { createReception } from './engine.ts'
import { refuseSocket } from '../node/refuse-socket.ts'
import { installFirstBytesReader } from '../node/first-bytes-reader.ts'
import { hasTooManyLines, MOST_HEADER_LINES, readLines } from '../node/header-lines.ts'
import { requireServeOptions } from './serve-options.ts'
import { boundSockets } from '../node/socket-bounds.ts'
import { createSocketLosses } from '../node/socket-losses.ts'
import { cutUnread } from '../node/unread-answers.ts'

/** Default path for ticket requests of {@link serve}. */
export const TICKET_PATH = '/.sallyport/ticket'

/** The parameters of {@link serve}. */
export interface ServeOptions<S extends Session, M extends SchemaMap> {
  readonly guard: Guard<S, M>
  /** 0 chooses a free port. See `app.port`. */
  readonly port: number
  /** Default: every interface with TLS, and `localhost` without. */
  readonly host?: string
  /** Key and certificate, as for Node's https. Without them the server is plain and may only listen on loopback. */
  readonly tls?: TlsOptions
  /** The only path of the WebSocket. Default: every path. */
  readonly path?: string
  /** Path of the ticket endpoint. False for none. Default `/.sallyport/ticket`. */
  readonly ticketPath?: string | false
  /** Handles all other HTTP requests, for example an Express app. Default: 404. */
  readonly request?: RequestListener
  /** One handler for each type that `message.schema` declares. */
  readonly handlers?: Handlers<M, Connection<S>>
  /** Used instead of `handlers` if the policy has `dangerouslyAcceptAnyMessage`. */
  readonly message?: (message: unknown, connection: Connection<S>) => unknown
  /** Called when a connection may act. In first-message mode that is after its first message. */
  readonly open?: (connection: Connection<S>) => void
  readonly close?: (connection: Connection<S>, code: number) => void
  /** Gets an error of `open`, `close` or a handler. The peer gets only SALLY_HANDLER_FAILED. */
  readonly error?: (error: unknown, connection: Connection<S>) => void
}

/** A running server. */
export interface App {
  readonly port: number
  /** `wss://localhost:8443` */
  readonly url: string
  readonly server: Server
  /** Drains: refuses new connections, closes the open ones (1012) within the policy's time or `withinMs`, and stops. */
  close(options?: { readonly withinMs?: number }): Promise<void>
}

/** A request's headers must arrive within this time, in ms. A client that sends one byte a second is then cut. */
const HEADERS_MS = 10_000
const REQUEST_MS = 30_000
/** Sockets in addition to the connections of the policy, for plain HTTP and for handshakes under way. */
const SPARE_SOCKETS = 1_000
const NOT_FOUND = { status: 404, headers: { Connection: 'close' }, body: '{"code":"NOT_FOUND"}' }

/**
 * The secure server in one call: HTTPS, the ticket endpoint, the guarded WebSocket. Rejects with the error of listening
 * (a port in use: `EADDRINUSE`). Throws a `TypeError` for options that cannot be served safely.
 */
export async function serve<S extends Session, M extends SchemaMap>(options: ServeOptions<S, M>): Promise<App> {
  requireServeOptions(options)
  const { guard, tls, path, ticketPath = TICKET_PATH } = options
  const { core, observer } = insideOf(guard)
  const { policy } = core
  const host = options.host ?? (tls === undefined ? 'localhost' : undefined)
  if (tls === undefined && (host === undefined || !isLoopback(host))) {
    throw new TypeError(
      `serve: host is ${show(host)}, without tls; plain ws:// may stand on loopback alone: give tls: { key, cert }`,
    )
  }
  const delivery = deliveryOf(options)

  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const { url = '' } = request
    if (hasTooManyLines(request)) {
      const denial = deny('SALLY_REQUEST_TOO_LARGE', { reason: 'many-lines', most: MOST_HEADER_LINES })
      observer.unreadable(denial, request.socket.remoteAddress ?? '')
      const { status, headers, body } = refusalOf(denial)
      response.writeHead(status, headers).end(body)
    } else if (ticketPath !== false && (url === ticketPath || url.startsWith(`${ticketPath}?`))) {
      void guard.ticket(request, response)
    } else if (options.request !== undefined) {
      options.request(request, response)
    } else {
      response.writeHead(404, { 'Content-Type': 'application/json' }).end('{"code":"NOT_FOUND"}')
    }
  }
  const { headerBytes, targetBytes } = policy.handshake.request
  const limits = {
    // Node also counts the request line. The door judges all that is within these bounds.
    maxHeaderSize: headerBytes + targetBytes + 1024,
    headersTimeout: HEADERS_MS,
    requestTimeout: REQUEST_MS,
    connectionsCheckingInterval: 1_000,
    insecureHTTPParser: false,
  }
  const server =
    tls === undefined
      ? // The first-bytes reader and the engine set it on the sockets that are kept.
        createHttpServer({ ...limits, noDelay: false }, answer)
      : createHttpsServer({ handshakeTimeout: HEADERS_MS, minVersion: 'TLSv1.2', ...tls, ...limits }, answer)
  readLines(server, policy.handshake.request.headers)
  cutUnread(server)

  const reception = createReception(core, delivery)
  const isServed = (target: string | undefined): boolean => path === undefined || target?.split('?', 1)[0] === path
  server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    const socket = socketOf(request, stream).setTimeout(0)
    bounds.upgraded(socket)
    if (isServed(request.url)) reception.upgrade(request, socket, head)
    else refuseSocket(socket, NOT_FOUND)
  })
  const firstBytes = installFirstBytesReader(server, HEADERS_MS, (read, socket) => {
    bounds.upgraded(socket)
    if (isServed(read.target)) reception.read(read, socket)
    else refuseSocket(socket, NOT_FOUND)
  })
  const losses = createSocketLosses(observer)
  const bounds = boundSockets(server, {
    most: (policy.handshake.connections?.total ?? 10_000) + SPARE_SOCKETS,
    isProxy: createProxyCheck(policy.proxy),
    lost: losses.note,
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    const ip = (socket as Duplex & { remoteAddress?: string }).remoteAddress ?? ''
    if (error.code === 'ERR_TLS_HANDSHAKE_TIMEOUT') {
      // An answer would wait for a TLS handshake that never completes, and so would the socket.
      observer.unreadable(deny('SALLY_REQUEST_MALFORMED', { reason: 'tls', error: error.code }), ip)
      socket.destroy()
      return
    }
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy()
      return
    }
    const status = error.code === 'HPE_HEADER_OVERFLOW' ? 431 : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400
    const code = status === 431 ? 'SALLY_REQUEST_TOO_LARGE' : 'SALLY_REQUEST_MALFORMED'
    observer.unreadable(deny(code, { reason: 'parser', error: String(error.code) }), ip)
    refuseSocket(socket, { status, headers: { Connection: 'close' }, body: `{"code":"${code}"}` })
  })

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  const { port } = server.address() as AddressInfo
  const shown =
    host === undefined || host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host
  const url = `${tls === undefined ? 'ws' : 'wss'}://${shown}:${port}${path ?? ''}`
  const named = URL.parse(url)
  if (named !== null) core.serveHost(named.hostname)
  return {
    port,
    url,
    server,
    async close(closing) {
      const withinMs = withinOf('app.close', closing)
      const stopped = new Promise<void>(resolve => server.close(() => resolve()))
      // A socket that is not read does not keep the process alive. The process would end before the last peer got its
      // close frame.
      const awake = setInterval(() => undefined, 60_000)
      try {
        await guard.drain(withinMs === undefined ? undefined : { withinMs })
        firstBytes.close()
        losses.stop()
        server.closeAllConnections()
        await stopped
      } finally {
        clearInterval(awake)
      }
    },
  }
}

function deliveryOf<S extends Session, M extends SchemaMap>(options: ServeOptions<S, M>): Delivery {
  const { guard, handlers, message, open, close, error } = options
  if ((handlers === undefined) === (message === undefined)) {
    throw new TypeError(
      'serve: give handlers (one for each type in message.schema), or message where any message is accepted',
    )
  }
  if (message !== undefined && guard.policy.message.schema !== null) {
    throw new TypeError('serve: message.schema declares types: give handlers, one for each, instead of message')
  }
  const typed = <T>(connection: T): Connection<S> => connection as unknown as Connection<S>
  return {
    message:
      message === undefined
        ? createDispatch(guard.policy, handlers as unknown as AnyHandlers)
        : (subject, connection) => message(subject.value, typed(connection)),
    ...(open && { open: connection => open(typed(connection)) }),
    ...(close && { closed: (connection, code) => close(typed(connection), code) }),
    ...(error && { failed: (thrown, connection) => error(thrown, typed(connection)) }),
  }
}
