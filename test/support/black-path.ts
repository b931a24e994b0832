import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A path to a server on loopback that can go black: from then on nothing comes through, and no end is told either. */
export interface BlackPath {
  readonly port: number
  black: boolean
  /** Lets everything through again; the connections that went black are reset, as by a NAT that knows them no more. */
  clear(): void
  /** Resolves once so many chunks have gone from clients to the server in all. */
  passed(chunks: number): Promise<void>
  close(): Promise<void>
}

/** Opens one to a port. */
export async function openPath(target: number): Promise<BlackPath> {
  const sockets = new Set<Socket>()
  let count = 0
  const waiting: { chunks: number; resolve: () => void }[] = []
  const server = createServer({ allowHalfOpen: true }, near => {
    const far = connect({ port: target, host: 'localhost', allowHalfOpen: true })
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one)
      one.on('error', () => undefined)
      one.on('data', chunk => {
        if (path.black) return
        other.write(chunk)
        if (one === near) count++
        for (const { chunks, resolve } of waiting) if (count >= chunks) resolve()
      })
      one.on('end', () => path.black || other.end())
      one.on('close', () => {
        sockets.delete(one)
        if (!path.black) other.destroy()
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const path: BlackPath = {
    port: (server.address() as AddressInfo).port,
    black: false,
    async passed(chunks) {
      if (count < chunks) await new Promise<void>(resolve => waiting.push({ chunks, resolve }))
    },
    clear() {
      path.black = false
      for (const socket of sockets) socket.destroy()
    },
    async close() {
      server.close()
      for (const socket of sockets) socket.destroy()
      await once(server, 'close')
    },
  }
  return path
}
