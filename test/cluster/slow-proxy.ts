import { once } from 'node:events'
import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'

/** A TCP proxy on loopback that can hold every byte back, in both directions together, for a while. */
export interface SlowProxy {
  readonly port: number
  /** Ms added to each round trip. */
  delayMs: number
  close(): Promise<void>
}

/** Forwards to `target` on loopback, on a thread of its own: what else the test does would be latency too. */
export async function startSlowProxy(target: number): Promise<SlowProxy> {
  const worker = new Worker(new URL(import.meta.url), { workerData: { target } })
  const [port] = (await once(worker, 'message')) as [number]
  let delayMs = 0
  return {
    port,
    get delayMs() {
      return delayMs
    },
    set delayMs(ms) {
      delayMs = ms
      worker.postMessage(ms, [])
    },
    async close() {
      await worker.terminate()
    },
  }
}

async function serve(target: number): Promise<void> {
  let delayMs = 0
  parentPort?.on('message', (ms: number) => (delayMs = ms))
  const pass = (from: Socket, to: Socket): void => {
    // In order, whatever the delay was changed to meanwhile.
    let last = Promise.resolve()
    from.on('data', chunk => {
      const due = performance.now() + delayMs / 2
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
    for (const end of [socket, upstream]) end.setNoDelay(true)
    pass(socket, upstream)
    pass(upstream, socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  parentPort?.postMessage((server.address() as AddressInfo).port, [])
}

if (!isMainThread) await serve((workerData as { target: number }).target)
