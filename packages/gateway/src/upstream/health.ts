import type { HealthConfig, UpstreamTls } from '../config/types.ts'
import { openSocket } from './connect.ts'
import type { PoolLog } from './pool.ts'
import type { Address, Target } from './target.ts'

/** An active check of every target of an upstream. */
export interface HealthWatch {
  stop(): void
}

/** Greatest part of an answer that is looked at, in bytes: its status line is in it. */
const LOOK_BYTES = 32

/** Asks every target in turn, on one timer: 2xx and 3xx are well. The first look is at once. */
export function watchHealth(
  upstream: string,
  targets: readonly Target[],
  config: HealthConfig,
  tls: UpstreamTls | null,
  log: PoolLog,
): HealthWatch {
  let stopped = false
  const look = async (target: Target): Promise<void> => {
    const reason = await probe(target.address, config, tls)
    if (stopped) return
    const answers = reason === null
    if (answers !== target.answers) {
      const facts = { upstream, target: target.address.label, ...(reason !== null && { detail: reason }) }
      if (answers) log.info(facts, 'the backend answers its check again')
      else log.warn(facts, 'the backend fails its check')
    }
    target.answers = answers
    target.reason = reason
  }
  const all = (): void => {
    for (const target of targets) void look(target)
  }
  const timer = setInterval(all, config.intervalMs)
  timer.unref()
  all()
  return {
    stop() {
      stopped = true
      clearInterval(timer)
    },
  }
}

/** Null when the target is well, or why not. Never rejects. */
export function probe(address: Address, config: HealthConfig, tls: UpstreamTls | null): Promise<string | null> {
  return new Promise(resolve => {
    const socket = openSocket(address, tls)
    let read = ''
    const finish = (reason: string | null): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(reason)
    }
    const timer = setTimeout(() => finish(`no answer within ${config.timeoutMs} ms`), config.timeoutMs)
    timer.unref()
    socket.on('error', (error: NodeJS.ErrnoException) => finish(error.code ?? error.name))
    socket.on('close', () => finish('the connection closed before an answer'))
    socket.on('data', (chunk: Buffer) => {
      read += chunk.toString('latin1', 0, LOOK_BYTES)
      const status = /^HTTP\/1\.[01] (\d{3})/.exec(read)?.[1]
      if (status !== undefined) finish(status[0] === '2' || status[0] === '3' ? null : `it answers ${status}`)
      else if (read.length >= LOOK_BYTES) finish('it does not answer in HTTP/1.1')
    })
    socket.once(address.tls ? 'secureConnect' : 'connect', () => {
      socket.write(`GET ${config.path} HTTP/1.1\r\nHost: ${address.host}\r\nConnection: close\r\n\r\n`, 'latin1')
    })
  })
}
