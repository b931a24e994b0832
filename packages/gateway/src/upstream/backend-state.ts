import type { UpstreamConfig } from '../model/config.ts'
import type { Failure } from './failure.ts'
import type { LifeProbe } from './life-probe.ts'
import type { PoolLog } from './pool.ts'
import { remedyOf } from './remedy.ts'
import type { Target } from './backend.ts'

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
 * answers. A target that answers requests but no probe is not passed over by probes again: whoever asks it for what it does
 * not serve could keep it out.
 */
export function createTargetStates(options: TargetStatesOptions): TargetStates {
  const { name, targets, config, log, now, probe } = options
  const probing = new Set<Target>()
  const probedAt = new Map<Target, number>()
  /** Passed over because of a probe, and not heard of since. */
  const condemned = new Set<Target>()
  /** Answer requests, and not the probe: a server that closes what it does not know, and has no pages. */
  const mute = new Set<Target>()
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
    condemned.delete(target)
    target.answeredAt = time
    target.failures = 0
    target.failing = false
    target.ejectedUntil = 0
    if (target.answers) target.reason = null
  }

  const fail = (target: Target, facts: { readonly detail: string; readonly code?: string }): void => {
    const time = now()
    if (stopped || target.failing || target.ejectedUntil > time) return
    const remedy = remedyOf(facts.detail)
    const said = { upstream: name, target: target.address.label, ...facts, ...(remedy !== null && { remedy }) }
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
    if (answer === null) {
      mute.delete(target)
      alive(target)
      return
    }
    // Somebody else got an answer meanwhile.
    if (answer.own || mute.has(target) || target.answeredAt >= startedAt) return
    fail(target, { detail: `probe: ${answer.reason}` })
    condemned.add(target)
  }

  /** Whether the probe, by which a target was passed over that answers, says anything about it. */
  const doubtProbe = async (target: Target): Promise<void> => {
    const answer = await probe(target.address)
    if (stopped || answer === null || answer.own || mute.has(target)) return
    mute.add(target)
    const remedy = 'set health.path of the upstream to a page that it answers'
    const facts = { upstream: name, target: target.address.label, detail: `probe: ${answer.reason}`, remedy }
    log.warn(facts, 'the backend answers requests, but no probe: it is passed over only where it takes no connection')
  }

  /** A real request was answered. */
  const heard = (target: Target): void => {
    const wasCondemned = condemned.has(target)
    alive(target)
    if (wasCondemned && !stopped) void doubtProbe(target)
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
      if (failed === null || failed.evidence === 'alive') heard(target)
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
