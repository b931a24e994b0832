import { parseCookie } from 'cookie'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { AddressReader, ClientAddress } from './client-address.ts'
import type { HandshakeRequest } from '../model/handshake-request.ts'
import { ownString, packLines, unpackLines } from './packed-lines.ts'
import { remoteOf } from './remote-address.ts'

/** Makes a request of Node's kind from what was read of it: what a host can make twice, a connection need not keep. */
export type RequestMaker = new (
  socket: Socket,
  read: { readonly target: string; readonly rawHeaders: readonly string[] },
) => IncomingMessage

/** Views Node's request as the doors see one. The address is read once; later headers cannot change it. */
export function fromNode(request: IncomingMessage, readAddress: AddressReader): HandshakeRequest {
  const { socket } = request
  return new PeerRequest(
    request.method ?? '',
    request.httpVersion,
    request.url ?? '',
    request.httpVersionMajor >= 2 ? http1Lines(request.rawHeaders) : request.rawHeaders,
    header => readAddress(remoteOf(socket), (socket as Partial<TLSSocket>).encrypted === true, header),
    request,
  )
}

/**
 * Header lines of a request over HTTP/2 as HTTP/1.1 has them, which is how the doors read requests (RFC 9113 §8.2.3, §8.3.1): a
 * Host for `:authority`, and one Cookie line of what browsers cut into several. A Host that differs from `:authority` stays
 * beside it, and two Host lines are served to nobody.
 */
export function http1Lines(rawHeaders: readonly string[]): readonly string[] {
  const lines: string[] = []
  const hosts = new Set<string>()
  const cookies: string[] = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!
    const value = rawHeaders[index + 1]!
    if (name === ':authority' || name === 'host') hosts.add(value)
    else if (name === 'cookie') cookies.push(value)
    else if (!name.startsWith(':')) lines.push(name, value)
  }
  for (const host of hosts) lines.push('host', host)
  if (cookies.length > 0) lines.push('cookie', cookies.join('; '))
  return lines
}

/** A handshake that was read before Node's parser. Node's request is made of it only where somebody asks for one. */
export interface ReadRequest {
  readonly target: string
  readonly rawHeaders: readonly string[]
}

/** Views a GET over HTTP/1.1 that was read without Node's parser. */
export function fromRead(
  read: ReadRequest,
  socket: Socket,
  maker: RequestMaker,
  readAddress: AddressReader,
): HandshakeRequest {
  return new PeerRequest(
    'GET',
    '1.1',
    read.target,
    read.rawHeaders,
    header => readAddress(remoteOf(socket), (socket as Partial<TLSSocket>).encrypted === true, header),
    socket,
    maker,
  )
}

/** Views a web `Request` (Bun, Deno, Hono, service platforms). `ip` is what the host knows of the peer. */
export function fromWeb(request: Request, readAddress: AddressReader, ip: string): HandshakeRequest {
  const url = new URL(request.url)
  const rawHeaders = [...request.headers].flat()
  if (!request.headers.has('host')) rawHeaders.push('host', url.host)
  const encrypted = url.protocol === 'https:' || url.protocol === 'wss:'
  return new PeerRequest(
    request.method,
    '1.1',
    url.pathname + url.search,
    rawHeaders,
    header => readAddress(ip, encrypted, header),
    request,
  )
}

/** Whether whoever sent it has left. */
export function isGone(request: HandshakeRequest): boolean {
  return request instanceof PeerRequest && request.socket?.destroyed === true
}

/** The SHA-256 fingerprint of the certificate that the client showed over TLS; null for none. */
export function clientCertificateOf(request: HandshakeRequest): string | null {
  if (!(request instanceof PeerRequest)) return null
  const socket = request.socket as Partial<TLSSocket> | null
  if (socket?.encrypted !== true || typeof socket.getPeerCertificate !== 'function') return null
  return socket.getPeerCertificate()?.fingerprint256 ?? null
}

/** The server of Node's that accepted its connection; null where there is none. */
export function serverOf(request: HandshakeRequest): object | null {
  if (!(request instanceof PeerRequest)) return null
  const socket = request.socket as { readonly server?: object | null } | null
  return socket?.server ?? null
}

export class PeerRequest implements HandshakeRequest {
  readonly method: string
  readonly httpVersion: string
  target: string
  path: string
  readonly ip: string
  readonly secure: boolean
  readonly loopback: boolean
  // No private fields: what is derived from a request must be able to read it.
  /** Packed, once at rest. */
  private held: readonly string[] | string
  /** At rest, the socket that it is made for again. */
  private host: IncomingMessage | Request | Socket
  private maker: RequestMaker | null
  private isAsked = false

  constructor(
    method: string,
    httpVersion: string,
    target: string,
    rawHeaders: readonly string[],
    address: (header: (name: string) => string | undefined) => ClientAddress,
    host: IncomingMessage | Request | Socket,
    maker: RequestMaker | null = null,
  ) {
    this.method = method
    this.httpVersion = httpVersion
    this.target = target
    const query = target.indexOf('?')
    this.path = query === -1 ? target : target.slice(0, query)
    this.held = rawHeaders
    this.host = host
    this.maker = maker
    const { ip, secure, loopback } = address(name => this.header(name))
    this.ip = ip
    this.secure = secure
    this.loopback = loopback
  }

  get rawHeaders(): readonly string[] {
    return typeof this.held === 'string' ? unpackLines(this.held) : this.held
  }

  get raw(): IncomingMessage | Request {
    this.isAsked = true
    if (this.maker !== null) {
      this.host = new this.maker(this.host as Socket, this)
      this.maker = null
    }
    return this.host as IncomingMessage | Request
  }

  /**
   * Keeps but what cannot be made again, once the connection is open: nobody may look here for hours. A request that
   * somebody has seen stays the same object, for what they may have written on it.
   */
  rest(maker: RequestMaker): void {
    const { host, held } = this
    if (this.isAsked || typeof held === 'string' || (this.maker === null && !(host instanceof maker))) return
    const packed = packLines(held)
    if (packed === null) return
    this.held = packed
    const socket = host instanceof maker ? host.socket : (host as Socket)
    this.host = socket
    this.maker = maker
    // The address, which Node keeps once it was asked for, and asks the kernel for again.
    if ('_peername' in socket) socket._peername = undefined
    const whole = this.path === this.target
    this.target = ownString(this.target)
    this.path = whole ? this.target : ownString(this.path)
  }

  /** The socket that it came over; null for a web `Request`. */
  get socket(): Socket | null {
    const { host } = this
    if (host instanceof Request) return null
    return 'headers' in host ? host.socket : host
  }

  get query(): URLSearchParams {
    return new URLSearchParams(this.target.slice(this.path.length + 1))
  }

  header(name: string): string | undefined {
    let found: string | undefined
    const { rawHeaders } = this
    for (let index = 0; index < rawHeaders.length; index += 2) {
      const sent = rawHeaders[index]!
      if (sent.length !== name.length || sent.toLowerCase() !== name) continue
      const value = rawHeaders[index + 1]!
      found = found === undefined ? value : `${found}, ${value}`
    }
    return found
  }

  lines(name: string): readonly string[] {
    const found: string[] = []
    const { rawHeaders } = this
    for (let index = 0; index < rawHeaders.length; index += 2) {
      const sent = rawHeaders[index]!
      if (sent.length === name.length && sent.toLowerCase() === name) found.push(rawHeaders[index + 1]!)
    }
    return found
  }

  cookie(name: string): string | undefined {
    const header = this.header('cookie')
    if (header === undefined) return undefined
    const cookies = parseCookie(header)
    const value = Object.hasOwn(cookies, name) ? cookies[name] : undefined
    // A session's id is kept for as long as the connection: not with it the whole request that it was cut from.
    return value === undefined || /[^ -~]/.test(value) ? value : ownString(value)
  }
}
