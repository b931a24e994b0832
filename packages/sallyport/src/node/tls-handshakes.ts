import type { Socket } from 'node:net'
import type { Server, TLSSocket } from 'node:tls'

/** What of a TLS socket is not in its types: the socket below it. */
interface SecureSocket extends TLSSocket {
  readonly _parent?: Socket | null
}

/**
 * Knows the connections whose TLS handshake is under way, which the server tells nobody of: it would wait for each of them,
 * as long as `handshakeTimeout`, before it has closed.
 *
 * @returns cuts them
 */
export function watchHandshakes(server: Server): () => void {
  const handshaking = new Set<Socket>()
  function gone(this: Socket): void {
    handshaking.delete(this)
  }
  server.on('connection', (below: Socket) => {
    handshaking.add(below)
    below.on('close', gone)
  })
  server.on('secureConnection', ({ _parent: below }: SecureSocket) => {
    // Should a Node not tell which of them it was, none is cut: that one may be a WebSocket that is to drain.
    if (below == null) handshaking.clear()
    else {
      handshaking.delete(below)
      below.off('close', gone)
    }
  })
  return () => {
    for (const below of handshaking) below.destroy()
  }
}
