import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'

/** Port of the backend, from `--backend=…`. */
export const BACKEND_PORT = Number(process.argv.find(argument => argument.startsWith('--backend='))?.slice(10))

/** Tells the parent where to connect; answers each line of its input with the proxy's resident memory; ends with it. */
export function readyProxy(port: number, pid: number = process.pid): void {
  process.stdout.write(`${JSON.stringify({ port, pid })}\n`)
  process.on('SIGTERM', () => process.exit(0))
  process.stdin.on('end', () => process.exit(0))
  process.stdin.on('data', () => {
    if (pid === process.pid) for (let round = 0; round < 3; round++) (globalThis as { gc?: () => void }).gc?.()
    const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
    process.stdout.write(`${JSON.stringify({ rss: Number(kilobytes) * 1024 })}\n`)
  })
}

/** A port that was free a moment ago, for a proxy that cannot pick one. */
export async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>(resolve => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as AddressInfo
  await new Promise(resolve => probe.close(resolve))
  return port
}

/** Resolves once somebody listens. */
export async function listening(port: number): Promise<void> {
  for (;;) {
    const reached = await new Promise<boolean>(resolve => {
      const socket = connect(port, '127.0.0.1')
      socket.on('connect', () => resolve(true))
      socket.on('error', () => resolve(false))
      socket.on('close', () => resolve(false))
      setTimeout(() => socket.destroy(), 500).unref()
      socket.on('connect', () => socket.destroy())
    })
    if (reached) return
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}
