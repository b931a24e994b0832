import type { Runtime } from 'sallyport/internal'
import type { UpstreamConfig } from '../model/config.ts'
import { type BackendConnection, type BackendRequest, connectBackend } from './connect.ts'
import { type Failure, failure } from './failure.ts'
import { watchHealth } from './health.ts'
import { createLifeProbe, type LifeProbe } from './life-probe.ts'
import { createBackendStates } from './backend-state.ts'
import { Backend, type BackendLog, parseAddress } from './backend.ts'

/** A connection of the pool. */
export interface PooledConnection extends BackendConnection {
  /** The owner of the connection must decrement its count when the connection is gone. */
  readonly backend: Backend
}

/** The backends of one upstream. */
export interface Pool {
  readonly name: string
  readonly targets: readonly Backend[]
  readonly tls: UpstreamConfig['tls']
  /**
   * Opens a connection to a backend. If one cannot be reached, the next is tried, each once. If one answers 502, 503 or
   * 504, breaks off, or does not answer in time, one other is tried.
   */
  connect(request: BackendRequest, signal: AbortSignal | null): Promise<PooledConnection | Failure>
  /** The backend for a plain HTTP request, without those that were tried. Null if there is none. */
  pick(tried?: ReadonlySet<Backend>): Backend | null
  /** Reports that a plain HTTP request was answered (null), or why it was not. */
  report(backend: Backend, failed: Failure | null): void
  /** Ends the active checks. */
  stop(): void
}

/** The parameters of {@link createPool}. */
export interface PoolParts {
  readonly runtime: Runtime
  /** For tests: replaces its own probe. */
  readonly probe?: LifeProbe
}

/** How much is known against a target that is chosen. */
const HEALTHY = 0
const FAILING = 1
const EJECTED = 2

/** Compiles an upstream. Throws a `TypeError` for an invalid target. */
export function createPool(name: string, config: UpstreamConfig, log: BackendLog, parts: PoolParts): Pool {
  const { connectTimeoutMs, health, tls } = config
  const { runtime, probe = createLifeProbe(health?.path ?? '/', connectTimeoutMs, tls, runtime) } = parts
  const { now } = runtime
  const targets = config.targets.map(label => new Backend(parseAddress(label)))
  if (targets.length === 0) throw new TypeError(`upstreams.${name} has no target`)
  const states = createBackendStates({ name, targets, config, log, runtime, probe })
  const watched = health === null ? null : watchHealth(name, targets, health, tls, log, runtime)
  const choose = createChoice(targets, config.balance, now)

  return {
    name,
    targets,
    tls,
    report: states.report,
    pick: (tried = NONE) => choose(tried, EJECTED),
    async connect(request, signal) {
      const tried = new Set<Backend>()
      let failed = null as Failure | null
      let retried = false
      const deadline = now() + 2 * connectTimeoutMs
      for (;;) {
        const isFresh = failed === null || failed.code === 'GATEWAY_UPSTREAM_UNREACHABLE'
        const backend = choose(tried, isFresh ? EJECTED : FAILING)
        const timeoutMs = Math.min(connectTimeoutMs, deadline - now())
        if (backend === null || timeoutMs <= 0)
          return failed ?? failure('GATEWAY_UPSTREAM_NONE', `no backend of ${name} is up`)
        tried.add(backend)
        backend.open++
        const result = await connectBackend({ address: backend.address, tls, timeoutMs, runtime }, request, signal)
        if (signal?.aborted === true) {
          backend.open--
          if (result.ok) result.socket.destroy()
          return failure('GATEWAY_UPSTREAM_NONE', 'the client left meanwhile')
        }
        if (result.ok) {
          states.report(backend, null)
          return { ...result, backend }
        }
        backend.open--
        states.report(backend, result)
        failed = failed?.answered != null && result.answered === null ? failed : result
        // A backend that was not reached received nothing, so the next one may get the request. A request that was sent
        // is repeated once.
        if (result.code === 'GATEWAY_UPSTREAM_UNREACHABLE') continue
        if (retried || result.status < 502 || result.status > 504) return failed
        retried = true
      }
    },
    stop() {
      states.stop()
      watched?.stop()
    },
  }
}

/**
 * Chooses the next backend among those that were not tried: healthy ones first, then those that are used because no
 * other is left.
 */
function createChoice(
  targets: readonly Backend[],
  balance: UpstreamConfig['balance'],
  now: () => number,
): (tried: ReadonlySet<Backend>, most: number) => Backend | null {
  let turn = 0
  const chooseOf = (tried: ReadonlySet<Backend>, rank: number): Backend | null => {
    const time = now()
    let best: Backend | null = null
    for (let step = 0; step < targets.length; step++) {
      const backend = targets[(turn + step) % targets.length]!
      if (tried.has(backend) || rankOf(backend, time) !== rank) continue
      if (balance === 'round-robin') {
        turn = (turn + step + 1) % targets.length
        return backend
      }
      if (best === null || backend.open < best.open) best = backend
    }
    if (best !== null) turn = (turn + 1) % targets.length
    return best
  }
  return (tried, most) => {
    for (let rank = HEALTHY; rank <= most; rank++) {
      const backend = chooseOf(tried, rank)
      if (backend !== null) return backend
    }
    return null
  }
}

function rankOf(backend: Backend, time: number): number {
  if (!backend.answers) return Infinity
  return backend.isHealthy(time) ? HEALTHY : backend.isUsable(time) ? FAILING : EJECTED
}

const NONE: ReadonlySet<Backend> = new Set()
