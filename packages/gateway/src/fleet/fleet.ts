import cluster, { type Worker } from 'node:cluster'
import type { Logger } from 'pino'
import { serveIpcStore } from 'sallyport/store/ipc'
import { type Asked, CHANNEL, isOurs, type ToPrimary, type ToWorker } from './fleet-frames.ts'
import { randomSecrets } from '../runtime/shared-parts.ts'

/** What one worker answered. */
export interface FleetAnswer {
  readonly worker: number
  readonly status: number
  readonly body: unknown
}

/** The workers of a gateway, seen from the primary: one port, one store, one set of secrets. */
export interface Fleet {
  readonly ports: { readonly [listener: string]: number }
  /** Workers that serve now. */
  readonly serving: number
  readonly size: number
  readonly restarts: number
  readonly draining: boolean
  /** Asks every worker that serves; one that does not answer in time counts as 504. */
  ask(what: Asked): Promise<readonly FleetAnswer[]>
  /** Workers that are started from now on begin with this text. */
  takeOn(text: string): void
  /** Lets all leave; resolves when none is left. */
  close(withinMs: number): Promise<void>
}

const ANSWER_MS = 15_000
/** A worker that ends sooner than this is started again after a wait, so that a fault does not burn a core. */
const QUICK_MS = 10_000
const MOST_WAIT_MS = 10_000

function send(worker: Worker, frame: ToWorker): void {
  if (worker.isConnected()) worker.send(frame, undefined, () => {})
}

/** Starts the workers. Rejects with what the first of them says that cannot start; then none runs. */
export async function startFleet(size: number, first: string, log: Logger): Promise<Fleet> {
  const store = serveIpcStore()
  const secrets = randomSecrets()
  const serving = new Set<Worker>()
  const waiting = new Map<number, { readonly worker: Worker; readonly resolve: (answer: FleetAnswer) => void }>()
  let text = first
  let serial = 0
  let restarts = 0
  let isSettled = false
  let quick = 0
  let ports: { readonly [listener: string]: number } = {}

  const begin = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = cluster.fork()
      const startedAt = Date.now()
      worker.on('online', () => send(worker, { channel: CHANNEL, begin: { ...secrets, text } }))
      worker.on('message', (message: unknown) => {
        if (!isOurs(message)) return
        const frame = message as ToPrimary
        if ('ready' in frame) {
          serving.add(worker)
          ports = frame.ready
          resolve()
        } else if ('failed' in frame) {
          reject(new Error(frame.failed))
          worker.process.kill('SIGKILL')
        } else {
          const asker = waiting.get(frame.answer)
          // Only who was asked can answer.
          if (asker?.worker === worker) asker.resolve({ worker: worker.id, status: frame.status, body: frame.body })
        }
      })
      worker.on('exit', (code, signal) => {
        const served = serving.delete(worker)
        for (const { worker: asked, resolve: answer } of waiting.values())
          if (asked === worker) answer({ worker: worker.id, status: 504, body: null })
        reject(new Error(`a worker ended before it served (${signal ?? code})`))
        if (isSettled || !served) return
        restarts++
        quick = Date.now() - startedAt < QUICK_MS ? quick + 1 : 0
        const waitMs = quick === 0 ? 0 : Math.min(MOST_WAIT_MS, 250 * 2 ** quick)
        log.error(
          { kind: 'worker', worker: worker.id, code, signal, waitMs },
          'a worker ended; another one takes its place',
        )
        setTimeout(again, waitMs)
      })
    })

  const again = (): void => {
    if (isSettled) return
    begin().catch((error: unknown) => {
      log.error({ kind: 'worker', reason: (error as Error).message }, 'a worker cannot start')
      if (!isSettled) setTimeout(again, MOST_WAIT_MS)
    })
  }

  const begun = await Promise.allSettled(Array.from({ length: size }, begin))
  const failed = begun.find(result => result.status === 'rejected')
  if (failed !== undefined) {
    isSettled = true
    for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGKILL')
    throw failed.reason
  }

  return {
    get ports() {
      return ports
    },
    get serving() {
      return serving.size
    },
    get restarts() {
      return restarts
    },
    get draining() {
      return isSettled
    },
    size,
    ask: what =>
      Promise.all(
        Array.from(
          serving,
          worker =>
            new Promise<FleetAnswer>(resolve => {
              const ask = ++serial
              const late = setTimeout(() => conclude({ worker: worker.id, status: 504, body: null }), ANSWER_MS)
              const conclude = (answer: FleetAnswer): void => {
                clearTimeout(late)
                waiting.delete(ask)
                resolve(answer)
              }
              waiting.set(ask, { worker, resolve: conclude })
              send(worker, { channel: CHANNEL, ask, what })
            }),
        ),
      ),
    takeOn(next) {
      text = next
    },
    async close(withinMs) {
      isSettled = true
      const left = Object.values(cluster.workers ?? {}).filter(worker => worker !== undefined)
      await Promise.all(
        left.map(
          worker =>
            new Promise<void>(resolve => {
              worker.once('exit', () => resolve())
              send(worker, { channel: CHANNEL, leave: withinMs })
              if (worker.isDead()) resolve()
            }),
        ),
      )
      store.close()
    },
  }
}
