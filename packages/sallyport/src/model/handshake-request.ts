import type { IncomingMessage } from 'node:http'

/**
 * An HTTP request as the doors see it. It is the same for Node's server, the first-bytes reader and web `Request`s. A
 * client controls everything in it except `ip` and `secure`.
 */
export interface HandshakeRequest {
  readonly method: string
  /** `1.1`, or `2.0` for Extended CONNECT. */
  readonly httpVersion: string
  /** The request target exactly as sent. */
  readonly target: string
  /** The part of the target before `?`, exactly as sent. */
  readonly path: string
  readonly query: URLSearchParams
  /**
   * IP address of the client. It is the address of the socket (`unix:` for a unix socket), or the nearest address that
   * trusted proxies report and that is not itself a trusted proxy.
   */
  readonly ip: string
  /** Whether TLS was used, on this socket or by the report of a trusted proxy. */
  readonly secure: boolean
  /** Whether the socket's peer is this machine, by loopback or a unix socket, and no proxy reported another client. */
  readonly loopback: boolean
  /**
   * The value of a header, by lower-case name. Undefined if it is absent. The values of repeated lines are joined by `,
   * `.
   */
  header(name: string): string | undefined
  /** The value of every line of a header, in order. */
  lines(name: string): readonly string[]
  /** All header lines as sent: name, value, name, value… */
  readonly rawHeaders: readonly string[]
  /** The value of a cookie; undefined when absent. */
  cookie(name: string): string | undefined
  /**
   * The object that the host gave: Node's request or a web `Request`. After the first access it is always the same
   * object. If no code accessed it while the handshake was judged, `serve()` may build it later from the same lines and
   * socket.
   */
  readonly raw: IncomingMessage | Request
}
