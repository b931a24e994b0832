import { createConnection, createServer, type Socket } from 'node:net'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

/** A TCP proxy on loopback that can hold every byte back, in both directions together, for a while. */
export interface SlowProxy {
  readonly port: number
  /** Ms added to each round trip. */
  delayMs: number
  close(): Promise<void>
}

/** Forwards to `target` on loopback. */
export async function startSlowProxy(target: number): Promise<SlowProxy> {
  const sockets = new Set<Socket>()
  const proxy = { delayMs: 0 }
  const pass = (from: Socket, to: Socket): void => {
    // In order, whatever the delay was changed to meanwhile.
    let last = Promise.resolve()
    from.on('data', chunk => {
      const due = performance.now() + proxy.delayMs / 2
      last = last.then(async () => {
        const left = due - performance.now()
        if (left > 0) await new Promise(resolve => setTimeout(resolve, left))
        to.write(chunk)
      })
    })
    from.on('error', () => to.destroy())
    from.on('close', () => to.destroy())
  }
  const server = createServer(socket => {
    const upstream = createConnection(target, '127.0.0.1')
    for (const end of [socket, upstream]) {
      sockets.add(end)
      end.setNoDelay(true)
      end.on('close', () => sockets.delete(end))
    }
    pass(socket, upstream)
    pass(upstream, socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return Object.assign(proxy, {
    port: (server.address() as AddressInfo).port,
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  })
}
