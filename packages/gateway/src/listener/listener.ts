import { readFileSync } from 'node:fs'
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https'
import { createServer as createNetServer, type Server as NetServer, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { Server as TlsServer, type TLSSocket } from 'node:tls'
import { refuseSocket } from 'sallyport/embed'
import {
  boundSockets,
  cutUnread,
  hasTooManyLines,
  installFirstBytesReader,
  readLines,
  type ReadReceiver,
  socketOf,
} from 'sallyport/internal'
import type { ListenerConfig, TlsFiles } from '../model/config.ts'
import type { RefusalReason } from '../model/gateway.ts'
import { gatewayAnswer } from '../http/gateway-answer.ts'
import type { RefusalSample } from './refusals.ts'
import { createTrust, endsOf, readProxied } from './proxied.ts'

/** What a listener gives on. */
export interface ListenerHandlers {
  /** A clean WebSocket handshake, the first of its connection, which Node's parser has not seen. */
  readonly read: ReadReceiver
  /** Any other handshake, or upgrade, that Node's parser read. */
  readonly upgrade: (request: IncomingMessage, socket: Socket, head: Buffer) => void
  /** Any other request. */
  readonly request: (request: IncomingMessage, response: ServerResponse) => void
  /** What came to nothing before it was a request. */
  readonly refused: Refused
  /** Whether an address is a reverse proxy, which many clients share. */
  readonly isProxy: (address: string) => boolean
}

/** Hears of what is refused. */
export type Refused = (reason: RefusalReason, sample: RefusalSample) => void

/** A door to the outside. */
export interface Listener {
  readonly config: ListenerConfig
  /** The bound port; null before `listen`, and for a unix socket. */
  readonly port: number | null
  /** Rejects with the listen error. */
  listen(): Promise<void>
  /** The most connections at once; beyond them those are cut that have sent no request. */
  limit(connections: number): void
  /** Reads the certificate files again: for connections from now on. Throws, and keeps the old one, when they do not fit. */
  renewCertificate(): void
  /** Stops listening and cuts what is no WebSocket. */
  close(): Promise<void>
}

/** A request's headers must be here within this time, in ms: one byte a second ends at it. */
const HEADERS_MS = 10_000
const REQUEST_MS = 300_000
const BOUNDS = {
  // What is within these bounds a route's own policy judges.
  maxHeaderSize: 65_536,
  headersTimeout: HEADERS_MS,
  requestTimeout: REQUEST_MS,
  connectionsCheckingInterval: 1_000,
  insecureHTTPParser: false,
  // An upgrade to anything else (h2c) is declined by answering the request as it is (RFC 9110 §7.8), where Node can.
  shouldUpgradeCallback: ({ headers }: IncomingMessage): boolean => /\bwebsocket\b/i.test(headers.upgrade ?? ''),
} as const

/** RFC 9110 §4.1 asks for 8000: to tell what a backend could read in a target costs the more the longer it is. */
const TARGET_CHARACTERS = 8192

function excessOf(request: IncomingMessage): { readonly status: number; readonly detail: string } | null {
  if (hasTooManyLines(request)) return { status: 431, detail: 'header lines' }
  return (request.url?.length ?? 0) > TARGET_CHARACTERS ? { status: 414, detail: 'request target' } : null
}

/** Refuses a request with too many header lines, or too long a target; gives on any other. */
function withinBounds({ request, refused }: ListenerHandlers): ListenerHandlers['request'] {
  return (asked, response) => {
    const excess = excessOf(asked)
    if (excess === null) {
      request(asked, response)
      return
    }
    refused('too-large', { ip: asked.socket.remoteAddress, detail: excess.detail })
    const { status, headers, body } = gatewayAnswer(excess.status, 'SALLY_REQUEST_TOO_LARGE')
    response.writeHead(status, headers).end(body)
  }
}

function createServer(tls: TlsFiles | null, request: ListenerHandlers['request']): Server | HttpsServer {
  return tls === null
    ? // Set by the first-bytes reader and the engine on what is kept.
      createHttpServer({ ...BOUNDS, noDelay: false }, request)
    : createHttpsServer(
        {
          handshakeTimeout: HEADERS_MS,
          minVersion: 'TLSv1.2',
          ALPNProtocols: ['http/1.1'],
          ...readTls(tls),
          ...BOUNDS,
        },
        request,
      )
}

/** Makes a listener. Throws when its certificate cannot be read. */
export function createListener(config: ListenerConfig, handlers: ListenerHandlers): Listener {
  const { tls, proxyProtocol } = config
  const request = withinBounds(handlers)
  const server = createServer(tls, request)
  readLines(server)
  cutUnread(server)
  server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    const socket = socketOf(request, stream).setTimeout(0)
    bounds.upgraded(socket)
    handlers.upgrade(request, socket, head)
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) =>
    refuseUnreadable(error, socket as Socket, handlers.refused),
  )
  const firstBytes = installFirstBytesReader(server, HEADERS_MS, (read, socket) => {
    bounds.upgraded(socket)
    handlers.read(read, socket)
  })
  const isTrusted = createTrust(proxyProtocol?.trust ?? [])
  const { front, cutWaiting } =
    proxyProtocol === null
      ? { front: server, cutWaiting: () => undefined }
      : createFront(server, isTrusted, handlers.refused)
  const bounds = boundSockets(server, {
    most: Infinity,
    // Its own and its backend's.
    descriptorsEach: 2,
    front,
    isProxy: address => isTrusted(address) || handlers.isProxy(address),
    lost: (loss, ip) => handlers.refused(loss, { ip }),
  })

  return {
    config,
    get port() {
      const address = front.address()
      return typeof address === 'object' && address !== null ? address.port : null
    },
    listen: () => bind(front, config.address),
    limit: bounds.limit,
    renewCertificate() {
      if (tls !== null) (server as HttpsServer).setSecureContext({ minVersion: 'TLSv1.2', ...readTls(tls) })
    },
    close: () =>
      new Promise(resolve => {
        if (!front.listening) {
          resolve()
          return
        }
        front.close(() => resolve())
        cutWaiting()
        firstBytes.close()
        server.closeAllConnections()
      }),
  }
}

function bind(front: NetServer, address: ListenerConfig['address']): Promise<void> {
  return new Promise((resolve, reject) => {
    front.once('error', reject)
    const bound = (): void => {
      front.off('error', reject)
      resolve()
    }
    if ('socket' in address) front.listen(address.socket, bound)
    else front.listen(address.port, address.host, bound)
  })
}

function readTls({ cert, key }: TlsFiles): { cert: Buffer; key: Buffer } {
  return { cert: readFileSync(cert), key: readFileSync(key) }
}

/** A server whose connections begin with a PROXY header, before TLS. */
interface Front {
  readonly front: NetServer
  /** Cuts those whose header has not come yet. */
  readonly cutWaiting: () => void
}

function createFront(server: Server | HttpsServer, isTrusted: (address: string) => boolean, refused: Refused): Front {
  const front = createNetServer({ noDelay: true })
  /** TLS wraps a socket in another, which asks the kernel for both of its ends: by them it is found again. */
  const named = new Map<string, string>()
  const isTls = server instanceof TlsServer
  const cutWaiting = readProxied(
    front,
    isTrusted,
    (socket, address, ends) => {
      if (isTls && address !== null) {
        named.set(ends, address)
        socket.once('close', () => named.delete(ends))
      }
      server.emit('connection', socket)
      // TLS reads the socket below this one by itself.
      if (!isTls) socket.resume()
    },
    (ip, detail) => refused('proxy-header', { ip, detail }),
  )
  server.prependListener('secureConnection', (socket: TLSSocket) => {
    const address = named.get(endsOf(socket))
    if (address !== undefined) Object.defineProperty(socket, 'remoteAddress', { value: address })
  })
  return { front, cutWaiting }
}

function refuseUnreadable(error: NodeJS.ErrnoException, socket: Socket, refused: Refused): void {
  const { code = '' } = error
  const isTls = /^(?:ERR_SSL_|ERR_TLS_|EPROTO)/.test(code)
  // A peer that is gone has asked for nothing.
  if (!isTls && (code === 'ECONNRESET' || !socket.writable)) {
    socket.destroy()
    return
  }
  const tell = (reason: RefusalReason): void => refused(reason, { ip: socket.remoteAddress, detail: code })
  if (isTls) {
    tell('tls')
    socket.destroy()
  } else if (code === 'HPE_HEADER_OVERFLOW') {
    tell('too-large')
    refuseSocket(socket, gatewayAnswer(431, 'SALLY_REQUEST_TOO_LARGE'))
  } else {
    const isLate = code === 'ERR_HTTP_REQUEST_TIMEOUT'
    tell(isLate ? 'timeout' : 'malformed')
    refuseSocket(socket, gatewayAnswer(isLate ? 408 : 400, 'SALLY_REQUEST_MALFORMED'))
  }
}
