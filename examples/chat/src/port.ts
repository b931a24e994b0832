import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'

/** The only address that anything of the demonstration listens on. */
export const LOOPBACK = '127.0.0.1'

/** A port that another program holds. The message says what to do. */
export class PortBusyError extends Error {
  readonly code = 'CHAT_PORT_BUSY'
  readonly port: number

  constructor(port: number, flag: string) {
    super(
      `Port ${port} is in use by another program (another \`npm start\`?).\n` +
        `End that program, or choose another port: npm start -- --${flag} ${port === 65535 ? 0 : port + 1}`,
    )
    this.port = port
  }
}

/**
 * Makes sure of a port before anything is built on it: an origin names its port, and the policy names the origin.
 * Returns it, or a free one for 0; throws PortBusyError.
 */
export async function claimPort(port: number, flag: string): Promise<number> {
  const probe = createServer()
  await listen(probe, port, flag)
  const address = probe.address()
  await new Promise(resolve => probe.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : port
}

/** A PortBusyError where that is what an error of `listen` means; else the error itself. */
export function busyOr(error: unknown, port: number, flag: string): unknown {
  return (error as NodeJS.ErrnoException | null)?.code === 'EADDRINUSE' ? new PortBusyError(port, flag) : error
}

/** Listens on loopback; a busy port is a PortBusyError. */
export function listen(server: Server, port: number, flag: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => reject(busyOr(error, port, flag))
    server.once('error', failed)
    server.listen(port, LOOPBACK, () => {
      server.off('error', failed)
      resolve()
    })
  })
}

/**
 * Before a server listens: the function that stops it and cuts what is open. Node's own list of connections lacks those
 * whose TLS handshake is not over, and a server that is closed waits for them.
 */
export function stopper(server: Server): () => Promise<void> {
  const open = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  })
  return () =>
    new Promise(resolve => {
      server.close(() => resolve())
      for (const socket of open) socket.destroy()
    })
}
