import type { UpstreamConfig } from '../config/types.ts'
import { type BackendConnection, type BackendRequest, connectBackend } from './connect.ts'
import { type Failure, failure } from './failure.ts'
import { watchHealth } from './health.ts'
import { parseAddress, Target } from './target.ts'

/** What changes with a backend, told to the operator. */
export interface PoolLog {
  info(facts: object, message: string): void
  warn(facts: object, message: string): void
}

/** A connection of the pool. */
export interface PooledConnection extends BackendConnection {
  /** Whoever has the connection counts it off when it is gone. */
  readonly target: Target
}

/** The backends of one upstream. */
export interface Pool {
  readonly name: string
  readonly targets: readonly Target[]
  readonly tls: UpstreamConfig['tls']
  /** Opens a connection to a backend; one that cannot be reached is passed over for the next, each tried once. */
  connect(request: BackendRequest, signal: AbortSignal | null): Promise<PooledConnection | Failure>
  /** The backend for a plain HTTP request; null when none answers. */
  pick(): Target | null
  /** Tells of a plain HTTP request that reached its backend or did not. */
  report(target: Target, failed: Failure | null): void
  /** Ends the active checks. */
  stop(): void
}

/** Compiles an upstream. Throws a `TypeError` for a target that is none. */
export function createPool(name: string, config: UpstreamConfig, log: PoolLog, now: () => number = Date.now): Pool {
  const targets = config.targets.map(label => new Target(parseAddress(label)))
  if (targets.length === 0) throw new TypeError(`upstreams.${name} has no target`)
  let turn = 0

  const isUp = (target: Target): boolean => target.answers && target.ejectedUntil <= now()

  const choose = (tried: ReadonlySet<Target>): Target | null => {
    let best: Target | null = null
    for (let step = 0; step < targets.length; step++) {
      const target = targets[(turn + step) % targets.length]!
      if (tried.has(target) || !isUp(target)) continue
      if (config.balance === 'round-robin') {
        turn = (turn + step + 1) % targets.length
        return target
      }
      if (best === null || target.open < best.open) best = target
    }
    turn = (turn + 1) % targets.length
    return best
  }

  const report = (target: Target, failed: Failure | null): void => {
    if (failed === null) {
      if (target.failures > 0) log.info({ upstream: name, target: target.address.label }, 'the backend answers again')
      target.failures = 0
      target.ejectedUntil = 0
      if (target.answers) target.reason = null
      return
    }
    if (!failed.blames) return
    target.failures++
    if (target.failures < config.failures) return
    target.ejectedUntil = now() + config.ejectMs
    target.reason = failed.detail
    log.warn(
      { upstream: name, target: target.address.label, code: failed.code, detail: failed.detail, forMs: config.ejectMs },
      'the backend is passed over',
    )
  }

  const health = config.health === null ? null : watchHealth(name, targets, config.health, config.tls, log)

  return {
    name,
    targets,
    tls: config.tls,
    report,
    pick: () => choose(NONE),
    async connect(request, signal) {
      const tried = new Set<Target>()
      let last: Failure | null = null
      const deadline = now() + config.connectTimeoutMs
      for (;;) {
        const target = choose(tried)
        const timeoutMs = deadline - now()
        if (target === null || timeoutMs <= 0) {
          return last ?? failure('GATEWAY_UPSTREAM_NONE', `no backend of ${name} is up`)
        }
        tried.add(target)
        target.open++
        const result = await connectBackend({ address: target.address, tls: config.tls, timeoutMs }, request, signal)
        if (signal?.aborted === true || !result.ok) target.open--
        if (!result.ok) {
          if (signal?.aborted !== true) report(target, result)
          last = result
          if (result.code === 'GATEWAY_UPSTREAM_UNREACHABLE' && signal?.aborted !== true) continue
          return result
        }
        if (signal?.aborted === true) {
          result.socket.destroy()
          return failure('GATEWAY_UPSTREAM_NONE', 'the client left meanwhile')
        }
        report(target, null)
        return { ...result, target }
      }
    },
    stop: () => health?.stop(),
  }
}

const NONE: ReadonlySet<Target> = new Set()
