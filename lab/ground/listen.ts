import type { Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

/** Only loopback is ever listened on. */
export const LOOPBACK = '127.0.0.1'

/** A listening server whose end leaves no socket open, upgraded ones among them. */
export interface Listening {
  readonly port: number
  close(): Promise<void>
}

/** Listens; port 0 picks a free one. Rejects with the listen error. */
export async function listen(server: Server, port = 0, host: string = LOOPBACK): Promise<Listening> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => sockets.delete(socket))
  })
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}
