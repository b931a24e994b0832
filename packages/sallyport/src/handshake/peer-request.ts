import { parseCookie } from 'cookie'
import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import type { AddressReader, ClientAddress } from './client-address.ts'
import type { HandshakeRequest } from './handshake-request.ts'

/** Views Node's request as the doors see one. The address is read once; later headers cannot change it. */
export function fromNode(request: IncomingMessage, readAddress: AddressReader): HandshakeRequest {
  const { socket } = request
  return new PeerRequest(
    request.method ?? '',
    request.httpVersion,
    request.url ?? '',
    request.rawHeaders,
    header => readAddress(socket.remoteAddress ?? '', (socket as Partial<TLSSocket>).encrypted === true, header),
    request,
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

export class PeerRequest implements HandshakeRequest {
  readonly method: string
  readonly httpVersion: string
  readonly target: string
  readonly path: string
  readonly ip: string
  readonly secure: boolean
  readonly loopback: boolean
  readonly rawHeaders: readonly string[]
  readonly raw: IncomingMessage | Request

  constructor(
    method: string,
    httpVersion: string,
    target: string,
    rawHeaders: readonly string[],
    address: (header: (name: string) => string | undefined) => ClientAddress,
    raw: IncomingMessage | Request,
  ) {
    this.method = method
    this.httpVersion = httpVersion
    this.target = target
    const query = target.indexOf('?')
    this.path = query === -1 ? target : target.slice(0, query)
    this.rawHeaders = rawHeaders
    this.raw = raw
    const { ip, secure, loopback } = address(name => this.header(name))
    this.ip = ip
    this.secure = secure
    this.loopback = loopback
  }

  get query(): URLSearchParams {
    return new URLSearchParams(this.target.slice(this.path.length + 1))
  }

  header(name: string): string | undefined {
    const lines = this.lines(name)
    return lines.length < 2 ? lines[0] : lines.join(', ')
  }

  lines(name: string): readonly string[] {
    const found: string[] = []
    for (let index = 0; index < this.rawHeaders.length; index += 2) {
      const sent = this.rawHeaders[index]!
      if (sent.length === name.length && sent.toLowerCase() === name) found.push(this.rawHeaders[index + 1]!)
    }
    return found
  }

  cookie(name: string): string | undefined {
    const header = this.header('cookie')
    if (header === undefined) return undefined
    const cookies = parseCookie(header)
    return Object.hasOwn(cookies, name) ? cookies[name] : undefined
  }
}
