import type { Socket } from 'node:net'
import type { Server, TLSSocket } from 'node:tls'

/** The socket below TLS, which the types of TLSSocket lack. */
interface SecureSocket extends TLSSocket {
  readonly _parent?: Socket | null
}

/**
 * Records the connections whose TLS handshake is unfinished. The server does not report them, but it waits for each of
 * them, as long as `handshakeTimeout`, before it has closed.
 *
 * @returns cuts these connections
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
    // If a version of Node does not report which one it was, none is cut: it could be a WebSocket that must be drained.
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
