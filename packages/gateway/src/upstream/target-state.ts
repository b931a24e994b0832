import type { UpstreamConfig } from '../config/types.ts'
import type { Failure } from './failure.ts'
import type { LifeProbe } from './life-probe.ts'
import type { PoolLog } from './pool.ts'
import type { Target } from './target.ts'

/** What is known of the targets of an upstream, from real requests and from probes. */
export interface TargetStates {
  /** A request reached its target (null), or did not. */
  report(target: Target, failed: Failure | null): void
  /** Ends the probes. */
  stop(): void
}

/** What {@link createTargetStates} is made with. */
export interface TargetStatesOptions {
  readonly name: string
  readonly targets: readonly Target[]
  readonly config: Pick<UpstreamConfig, 'failures' | 'ejectMs'>
  readonly log: PoolLog
  readonly now: () => number
  readonly probe: LifeProbe
}

/** Doubt about one target starts at most one probe in this time, in ms. */
const PROBE_PAUSE_MS = 1_000

/**
 * Decides which targets are passed over. A client chooses what is asked of a backend, so what becomes of its request is no
 * proof: any answer shows that the target lives, and a time-out or a broken answer only starts a probe. A target is passed
 * over when a probe fails, or when nobody takes its connections. The last usable target never is: it is probed until it
 * answers.
 */
export function createTargetStates(options: TargetStatesOptions): TargetStates {
  const { name, targets, config, log, now, probe } = options
  const probing = new Set<Target>()
  const probedAt = new Map<Target, number>()
  const timers = new Map<Target, NodeJS.Timeout>()
  let stopped = false

  const calm = (target: Target): void => {
    clearTimeout(timers.get(target))
    timers.delete(target)
  }

  const alive = (target: Target): void => {
    const time = now()
    if (target.failures > 0 || target.failing || target.ejectedUntil > time) {
      log.info({ upstream: name, target: target.address.label }, 'the backend answers again')
      calm(target)
    }
    target.answeredAt = time
    target.failures = 0
    target.failing = false
    target.ejectedUntil = 0
    if (target.answers) target.reason = null
  }

  const fail = (target: Target, facts: { readonly detail: string; readonly code?: string }): void => {
    const time = now()
    if (stopped || target.failing || target.ejectedUntil > time) return
    const said = { upstream: name, target: target.address.label, ...facts }
    target.reason = facts.detail
    if (targets.some(other => other !== target && other.isUsable(time))) {
      target.ejectedUntil = time + config.ejectMs
      log.warn({ ...said, forMs: config.ejectMs }, 'the backend is passed over')
    } else {
      target.failing = true
      log.warn(said, 'the last backend fails; it is tried all the same')
    }
    watch(target, Math.min(PROBE_PAUSE_MS, config.ejectMs))
  }

  const look = async (target: Target): Promise<void> => {
    if (stopped || probing.has(target)) return
    probing.add(target)
    const startedAt = now()
    probedAt.set(target, startedAt)
    const answer = await probe(target.address)
    probing.delete(target)
    if (stopped) return
    if (answer === null) alive(target)
    // Somebody else got an answer meanwhile.
    else if (!answer.own && target.answeredAt < startedAt) fail(target, { detail: `probe: ${answer.reason}` })
  }

  /** Probes a target that fails, less and less often, until it answers or is tried again by its time. */
  const watch = (target: Target, pauseMs: number): void => {
    calm(target)
    const timer = setTimeout(() => {
      void look(target).then(() => {
        const fails = target.failing || target.ejectedUntil > now()
        if (!stopped && fails) watch(target, Math.min(pauseMs * 2, config.ejectMs))
      })
    }, pauseMs)
    timers.set(target, timer.unref())
  }

  return {
    report(target, failed) {
      if (failed === null || failed.evidence === 'alive') alive(target)
      else if (failed.evidence === 'doubt') {
        if (now() - (probedAt.get(target) ?? -Infinity) >= PROBE_PAUSE_MS) void look(target)
      } else if (failed.evidence === 'unreachable') {
        target.failures++
        if (target.failures < config.failures) return
        fail(target, { code: failed.code, detail: failed.detail })
        if (target.failing) void look(target)
      }
    },
    stop() {
      stopped = true
      for (const target of timers.keys()) calm(target)
    },
  }
}
