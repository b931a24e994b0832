import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A server of the comparison. */
export interface Peer {
  readonly name: string
  readonly file: string
  readonly args?: readonly string[]
  readonly runtime: 'node' | 'bun'
  readonly protocol: 'ws' | 'socket.io'
  readonly admission: 'none' | 'csrf' | 'ticket'
  readonly tls?: boolean
}

/** A running server. */
export interface Running {
  readonly peer: Peer
  readonly port: number
  readonly pid: number
  /** Resident memory after a collection of garbage, in bytes. */
  memory(): Promise<number>
  stop(): Promise<void>
}

export const WS: Peer = { name: 'ws, bare', file: 'ws-bare.ts', runtime: 'node', protocol: 'ws', admission: 'none' }
export const SEED: Peer = {
  name: 'ws + verifyClient + Joi + limiter',
  file: 'ws-seed.ts',
  runtime: 'node',
  protocol: 'ws',
  admission: 'csrf',
}
export const AJV: Peer = { name: 'ws + Ajv', file: 'ws-ajv.ts', runtime: 'node', protocol: 'ws', admission: 'none' }
export const SOCKET_IO: Peer = {
  name: 'Socket.IO',
  file: 'socket-io.ts',
  runtime: 'node',
  protocol: 'socket.io',
  admission: 'none',
}
export const BUN: Peer = {
  name: 'Bun.serve, bare',
  file: 'bun-serve.ts',
  runtime: 'bun',
  protocol: 'ws',
  admission: 'none',
}
export const BUN_SCHEMA: Peer = { ...BUN, name: 'Bun.serve + TypeBox', args: ['--schema'] }
export const SALLYPORT: Peer = {
  name: 'sallyport, every control on',
  file: 'sallyport.ts',
  runtime: 'node',
  protocol: 'ws',
  admission: 'ticket',
}
export const NGINX: Peer = {
  name: 'nginx before ws (its own CPU alone)',
  file: 'nginx.ts',
  runtime: 'node',
  protocol: 'ws',
  admission: 'none',
}
export const WS_TLS: Peer = { ...WS, name: 'ws, bare, on TLS', args: ['--tls'], tls: true }
export const SALLYPORT_TLS: Peer = { ...SALLYPORT, name: 'sallyport on TLS', args: ['--tls'], tls: true }

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const BUN_BINARY = here('node_modules/.bin/bun')
const started = new Set<ChildProcess>()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1))
process.on('exit', () => {
  for (const child of started) child.kill()
})

/** The command that runs a file on one core: the servers have the first, the load has the second. */
export function pinned(core: 0 | 1, runtime: 'node' | 'bun', args: readonly string[]): [string, string[]] {
  const command =
    runtime === 'bun'
      ? [BUN_BINARY, ...args]
      : [process.execPath, '--expose-gc', '--conditions=sallyport-source', ...args]
  return ['taskset', ['-c', String(core), ...command]]
}

/** Starts a server; it ends with this process. */
export async function startServer(peer: Peer): Promise<Running> {
  const [command, args] = pinned(0, peer.runtime, [here(`servers/${peer.file}`), ...(peer.args ?? [])])
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  started.add(child)
  const ended = once(child, 'exit')
  const lines = createInterface(child.stdout)
  const line = (await Promise.race([once(lines, 'line'), ended]))[0] as string | number | null
  if (typeof line !== 'string') throw new Error(`${peer.name} ended with ${line} before it was ready`)
  const { port, pid } = JSON.parse(line) as { readonly port: number; readonly pid: number }
  return {
    peer,
    port,
    pid,
    async memory() {
      // Twice: the first look lets what was pending come to rest.
      for (let look = 0; ; look++) {
        const answered = once(lines, 'line')
        child.stdin.write('memory\n')
        const { rss } = JSON.parse(String((await answered)[0])) as { readonly rss: number }
        if (look === 1) return rss
        await new Promise(resolve => setTimeout(resolve, 1000))
      }
    },
    async stop() {
      child.kill()
      await ended
      started.delete(child)
    },
  }
}

/** A load that goes on until it is told to stop. */
export interface Holding<Result> {
  readonly result: Result
  release(): Promise<void>
}

/** Runs a load that prints one object and then holds what it has until its input ends. */
export async function holdLoad<Result>(file: string, load: object): Promise<Holding<Result>> {
  const [command, args] = pinned(1, 'bun', [here(file), JSON.stringify(load)])
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  started.add(child)
  const ended = once(child, 'exit')
  const line = (await Promise.race([once(createInterface(child.stdout), 'line'), ended]))[0] as string | number | null
  const result = JSON.parse(String(line)) as Result & { readonly error?: string }
  if (typeof line !== 'string' || result.error !== undefined)
    throw new Error(result.error ?? `the load ended with ${line}`)
  return {
    result,
    async release() {
      child.stdin.end()
      await ended
      started.delete(child)
    },
  }
}

/** Runs a load on the other core; gives the object that it prints last. */
export async function runLoad<Result>(file: string, load: object): Promise<Result> {
  const [command, args] = pinned(1, 'bun', [here(file), JSON.stringify(load)])
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  started.add(child)
  let last = '{"error":"the load printed nothing"}'
  for await (const line of createInterface(child.stdout)) last = line
  started.delete(child)
  const result = JSON.parse(last) as Result & { readonly error?: string }
  if (result.error !== undefined) throw new Error(result.error)
  return result
}
