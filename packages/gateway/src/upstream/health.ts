import type { Runtime } from 'sallyport/internal'
import type { HealthConfig, UpstreamTls } from '../model/config.ts'
import { askStatus, plainRequest } from './http-status.ts'
import type { Address, Backend, BackendLog } from './backend.ts'

/** An active check of every backend of an upstream. */
export interface HealthWatch {
  stop(): void
}

/** Asks every backend in turn, on one timer. Status 2xx and 3xx means healthy. The first check runs at once. */
export function watchHealth(
  upstream: string,
  targets: readonly Backend[],
  config: HealthConfig,
  tls: UpstreamTls | null,
  log: BackendLog,
  runtime: Runtime,
): HealthWatch {
  let stopped = false
  const look = async (backend: Backend): Promise<void> => {
    const { reason, own } = await probe(backend.address, config, tls, runtime)
    // The gateway cannot check, for example without a descriptor. The former result stays.
    if (stopped || own) return
    const answers = reason === null
    if (answers !== backend.answers) {
      const facts = { upstream, target: backend.address.label, ...(reason !== null && { detail: reason }) }
      if (answers) log.info(facts, 'the backend answers its check again')
      else log.warn(facts, 'the backend fails its check')
    }
    backend.answers = answers
    backend.reason = reason
  }
  const all = (): void => {
    for (const backend of targets) void look(backend)
  }
  const timer = runtime.setInterval(all, config.intervalMs)
  timer.unref()
  all()
  return {
    stop() {
      stopped = true
      runtime.clearInterval(timer)
    },
  }
}

/** The result of a check. `reason` is null if the backend is healthy. `own`: the gateway could not check. */
export interface HealthAnswer {
  readonly reason: string | null
  readonly own: boolean
}

/** Checks a backend once. Never rejects. */
export async function probe(
  address: Address,
  config: HealthConfig,
  tls: UpstreamTls | null,
  runtime: Runtime,
): Promise<HealthAnswer> {
  const { path, timeoutMs } = config
  const answer = await askStatus({ address, tls, request: plainRequest(path, address), timeoutMs, runtime })
  if (answer.status === null) return answer
  return { reason: answer.status >= 200 && answer.status < 400 ? null : `it answers ${answer.status}`, own: false }
}
