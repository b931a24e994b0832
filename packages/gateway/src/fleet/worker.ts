import { ipcStore } from 'sallyport/store/ipc'
import { adminApi } from '../admin/admin-api.ts'
import { createMetrics } from '../admin/metrics.ts'
import { createLog } from '../runtime/log.ts'
import { parseConfigFully } from '../config/parse.ts'
import { type Asked, CHANNEL, isOurs, type ToPrimary, type ToWorker } from './fleet-frames.ts'
import { type Running, startRunning } from '../runtime/running.ts'

/** Beyond the time of the drain nothing is waited for. */
const PATIENCE_MS = 3000

const tell = (frame: ToPrimary): void => void process.send?.(frame, undefined, {}, () => {})

type Begin = Extract<ToWorker, { begin: unknown }>['begin']

/**
 * One process of several: it serves with the primary's text, secrets and store (what is in the file by now may be another
 * one, that was refused), answers the primary's questions, and leaves
 * when it is told to, or when the primary is gone. Never resolves: the process ends here.
 */
export async function work(file: string): Promise<never> {
  // Signals go to the primary, which tells us; a terminal's Ctrl-C goes to all.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {})
  const { text, ...secrets } = await new Promise<Begin>(resolve => {
    process.on('message', (message: unknown) => {
      if (isOurs(message) && 'begin' in (message as ToWorker)) resolve((message as { begin: Begin }).begin)
    })
  })
  const parsed = parseConfigFully(text, { file })
  const log = createLog(parsed.config.log, parsed.config.name)
  let running: Running
  try {
    running = await startRunning({ file, parsed, log, secrets, store: ipcStore })
  } catch (error) {
    tell({ channel: CHANNEL, failed: (error as Error).message })
    return new Promise(() => {})
  }
  const metrics = createMetrics(running)
  const endpoints = adminApi(running, metrics)

  const answer = async (what: Asked): Promise<{ readonly status: number; readonly body: unknown }> => {
    if (what.kind === 'metrics') return { status: 200, body: await metrics.json() }
    if (what.kind === 'refused') {
      running.countRefused()
      return { status: 200, body: null }
    }
    if (what.kind === 'reload') {
      const result = await running.reload(what.text)
      return { status: result.ok ? 200 : 422, body: result }
    }
    return endpoints[what.path]!.answer({ query: new URLSearchParams(what.query), body: what.body })
  }
  const leave = async (ms: number): Promise<void> => {
    const late = setTimeout(() => process.exit(0), ms + PATIENCE_MS)
    await running.close(ms)
    clearTimeout(late)
    process.exit(0)
  }

  process.on('message', (message: unknown) => {
    if (!isOurs(message)) return
    const frame = message as ToWorker
    if ('leave' in frame) void leave(frame.leave)
    if (!('ask' in frame)) return
    answer(frame.what).then(
      ({ status, body }) => tell({ channel: CHANNEL, answer: frame.ask, status, body }),
      () => tell({ channel: CHANNEL, answer: frame.ask, status: 500, body: { error: 'it failed' } }),
    )
  })
  // Without a primary there is no store: what is open is let go, and somebody else starts us again.
  process.on('disconnect', () => {
    log.error({ kind: 'shutdown' }, 'the primary is gone')
    void leave(running.config.drainMs)
  })
  tell({ channel: CHANNEL, ready: Object.fromEntries(running.gateway.ports) })
  return new Promise(() => {})
}
