import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { pinned } from '../servers.ts'
import { freePort } from '../../test/support/free-port.ts'

/** What a process of the site does. */
export type Role = 'app' | 'auth' | 'backend'

/** What `honest/server.ts` is started with. */
export interface ServerSetup {
  readonly role: Role
  readonly port: number
  readonly anonymous: boolean
  /** Null: none is set, as in a first deployment. */
  readonly secret: string | null
  readonly redis: number | null
}

/** What a process of the site counted. */
export interface ServerStats {
  /** Session look-ups in each second since its start. */
  readonly lookups: readonly number[]
  readonly denials: Readonly<Record<string, number>>
}

/** A site that an office uses. */
export interface Site {
  readonly port: number
  start(): Promise<void>
  /** Restarts what the scenario restarts; resolves when the new one listens, with the time of that. */
  restart(signal: 'SIGTERM' | 'SIGKILL', awayMs: number): Promise<number>
  stats(): Promise<ServerStats>
  close(): Promise<void>
}

const PROGRAM = fileURLToPath(new URL('server.ts', import.meta.url))
const GATEWAY = fileURLToPath(new URL('../../packages/gateway/src/cli/main.ts', import.meta.url))
const children = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})

async function startServer(setup: ServerSetup): Promise<ChildProcess> {
  const [command, args] = pinned(0, 'node', [PROGRAM, JSON.stringify(setup)])
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  children.add(child)
  await once(child, 'message')
  return child
}

async function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  children.delete(child)
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill(signal)
  await ended
}

async function statsOf(child: ChildProcess): Promise<ServerStats> {
  const answer = once(child, 'message')
  child.send('stats')
  return (await answer)[0] as ServerStats
}

/** `serve()` with the default policy. */
export async function createAppSite(
  options: Partial<Pick<ServerSetup, 'anonymous' | 'secret' | 'redis'>> = {},
): Promise<Site> {
  const setup: ServerSetup = {
    role: 'app',
    port: await freePort(),
    anonymous: false,
    secret: null,
    redis: null,
    ...options,
  }
  let app: ChildProcess | null = null
  return {
    port: setup.port,
    async start() {
      app = await startServer(setup)
    },
    async restart(signal, awayMs) {
      await end(app!, signal)
      await wait(awayMs)
      app = await startServer(setup)
      return performance.now()
    },
    stats: () => statsOf(app!),
    close: () => end(app!, 'SIGKILL'),
  }
}

/** The gateway as its command line runs it, an auth endpoint that takes 20 ms, and a backend. */
export async function createGatewaySite(restarts: 'gateway' | 'backend'): Promise<Site> {
  const [port, authPort, backendPort] = [await freePort(), await freePort(), await freePort()]
  const file = join(mkdtempSync(join(tmpdir(), 'sallyport-honest-')), 'gateway.yaml')
  writeFileSync(
    file,
    `listeners: { public: { address: '127.0.0.1:${port}' } }
upstreams: { app: { targets: ['ws://127.0.0.1:${backendPort}'] } }
drain: 1 s
routes:
  office:
    path: /ws
    upstream: app
    session: { forwardAuth: { url: 'http://127.0.0.1:${authPort}/whoami', userHeader: X-User, sessionHeader: X-Session } }
    handshake: { origin: { allow: ['http://127.0.0.1:${port}'] } }
    message: { schema: { dangerouslyAcceptAnyMessage: true } }
`,
  )
  const base = { anonymous: false, secret: null, redis: null }
  let auth: ChildProcess | null = null
  let backend: ChildProcess | null = null
  let gateway: ChildProcess | null = null
  const startGateway = async (): Promise<ChildProcess> => {
    const [command, args] = pinned(0, 'node', [GATEWAY, 'run', '-c', file])
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'ignore'] })
    children.add(child)
    await listens(port)
    return child
  }
  const startBackend = (): Promise<ChildProcess> => startServer({ ...base, role: 'backend', port: backendPort })
  return {
    port,
    async start() {
      auth = await startServer({ ...base, role: 'auth', port: authPort })
      backend = await startBackend()
      gateway = await startGateway()
    },
    async restart(signal, awayMs) {
      await end(restarts === 'gateway' ? gateway! : backend!, signal)
      await wait(awayMs)
      if (restarts === 'gateway') gateway = await startGateway()
      else backend = await startBackend()
      return performance.now()
    },
    stats: () => statsOf(auth!),
    async close() {
      await Promise.all([gateway!, backend!, auth!].map(child => end(child, 'SIGKILL')))
    },
  }
}

/** Resolves once a connection to the port is accepted. */
async function listens(port: number): Promise<void> {
  for (;;) {
    const socket = createConnection({ port, host: '127.0.0.1' })
    const isOpen = await new Promise<boolean>(resolve => {
      socket.once('connect', () => resolve(true))
      socket.once('error', () => resolve(false))
    })
    socket.destroy()
    if (isOpen) return
    await wait(20)
  }
}
