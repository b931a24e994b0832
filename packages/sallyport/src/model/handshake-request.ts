import type { IncomingMessage } from 'node:http'

/**
 * An HTTP request as the doors see it: the same for Node's server, the first-bytes reader and web `Request`s.
 * Everything in it is the peer's word, except `ip` and `secure`, which a client cannot forge.
 */
export interface HandshakeRequest {
  readonly method: string
  /** `1.1`; `2.0` for Extended CONNECT. */
  readonly httpVersion: string
  /** The request target exactly as sent. */
  readonly target: string
  /** The target up to `?`, as sent. */
  readonly path: string
  readonly query: URLSearchParams
  /** The address of the client: of the socket (`unix:` where that is a unix socket), or the nearest one that trusted proxies do not vouch for. */
  readonly ip: string
  /** TLS, directly or by a trusted proxy's word. */
  readonly secure: boolean
  /** The socket's own peer is this machine, by loopback or a unix socket, and no proxy spoke for another. */
  readonly loopback: boolean
  /** The one value of a header, by lower-case name; undefined when absent. Repeated lines are joined by `, `. */
  header(name: string): string | undefined
  /** Every line of a header, in order. */
  lines(name: string): readonly string[]
  /** All header lines as sent: name, value, name, value… */
  readonly rawHeaders: readonly string[]
  /** The value of a cookie; undefined when absent. */
  cookie(name: string): string | undefined
  /**
   * What the host gave: Node's request or a web `Request`. Always the same object once it was asked for; where nobody
   * asked while the handshake was judged, `serve()` may make it again from the same lines and socket.
   */
  readonly raw: IncomingMessage | Request
}
