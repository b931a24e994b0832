import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { freePort } from '../../../../test/support/free-port.ts'

export { freePort }

/** A real Redis of its own, on a free port of loopback; it ends with the test. */
export interface RedisServer {
  readonly port: number
  readonly pid: number
  readonly dir: string
  /** Starts it again after an end, on the same port and directory. */
  start(): Promise<void>
  kill(signal?: NodeJS.Signals): Promise<void>
  /** SIGSTOP and SIGCONT. */
  stop(): void
  go(): void
  /** Everything that it holds, commands seen since its start, bytes used. */
  admin: Redis
  close(): Promise<void>
}

/** Options of {@link startRedis}. */
export interface RedisServerOptions {
  readonly appendOnly?: boolean
  readonly cluster?: boolean
  /** It is a sentinel, and this is its configuration: it writes into the file what it learns. */
  readonly sentinel?: string
  readonly bind?: string
  readonly port?: number
  readonly args?: readonly string[]
}

const servers = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of servers) child.kill('SIGKILL')
})

/** The server under test: `SALLYPORT_REDIS_SERVER=/path/to/valkey-server` tries another than Debian's. */
export const SERVER_PROGRAM = process.env['SALLYPORT_REDIS_SERVER'] ?? 'redis-server'

/** Starts {@link SERVER_PROGRAM}; rejects with what to install where there is none. */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const { appendOnly = false, cluster = false, sentinel, bind = '127.0.0.1', args = [] } = options
  const port = options.port ?? (await freePort())
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-redis-'))
  const sentinelFile = join(dir, 'sentinel.conf')
  if (sentinel !== undefined) writeFileSync(sentinelFile, sentinel)
  let child: ChildProcess | null = null
  const host = bind === '0.0.0.0' ? '127.0.0.1' : bind
  const admin = new Redis({ host, port, lazyConnect: true, retryStrategy: () => 50, maxRetriesPerRequest: null })
  admin.on('error', () => undefined)

  const start = async (): Promise<void> => {
    const settings = ['--port', `${port}`, '--bind', bind, '--dir', dir, '--protected-mode', 'no']
    if (sentinel === undefined) settings.push('--save', '')
    else settings.unshift(sentinelFile, '--sentinel')
    if (appendOnly) settings.push('--appendonly', 'yes', '--appendfsync', 'everysec')
    if (cluster)
      settings.push('--cluster-enabled', 'yes', '--cluster-node-timeout', '1500', '--cluster-config-file', 'nodes.conf')
    child = spawn(SERVER_PROGRAM, [...settings, ...args], { stdio: 'ignore' })
    servers.add(child)
    const failed = once(child, 'error').then(([error]) => {
      throw new Error(`${SERVER_PROGRAM} did not start: apt-get install redis-server (${(error as Error).message})`)
    })
    const answers = (async () => {
      for (let nth = 0; nth < 200; nth++) {
        const probe = new Redis({ host, port, lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 })
        probe.on('error', () => undefined)
        try {
          await probe.connect()
          await probe.ping()
          return
        } catch {
          await wait(25)
        } finally {
          probe.disconnect()
        }
      }
      throw new Error(`${SERVER_PROGRAM} on port ${port} does not answer`)
    })()
    await Promise.race([answers, failed])
  }

  const kill = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
    const running = child
    if (running === null || running.exitCode !== null || running.signalCode !== null) return
    const ended = once(running, 'exit')
    running.kill('SIGCONT')
    running.kill(signal)
    await ended
    servers.delete(running)
  }

  await start()
  return {
    port,
    get pid() {
      return child?.pid ?? 0
    },
    dir,
    admin,
    start,
    kill,
    stop: () => void child?.kill('SIGSTOP'),
    go: () => void child?.kill('SIGCONT'),
    async close() {
      admin.disconnect()
      await kill()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
