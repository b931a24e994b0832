import type { Runtime, Timer } from 'sallyport/internal'
import type { UpstreamConfig } from '../model/config.ts'
import type { Failure } from './failure.ts'
import type { LifeProbe } from './life-probe.ts'
import { remedyOf } from './remedy.ts'
import type { Backend, BackendLog } from './backend.ts'

/** What is known of the targets of an upstream, from real requests and from probes. */
export interface BackendStates {
  /** A request reached its backend (null), or failed. */
  report(backend: Backend, failed: Failure | null): void
  /** Ends the probes. */
  stop(): void
}

/** The parameters of {@link createBackendStates}. */
export interface BackendStatesOptions {
  readonly name: string
  readonly targets: readonly Backend[]
  readonly config: Pick<UpstreamConfig, 'failures' | 'ejectMs'>
  readonly log: BackendLog
  readonly runtime: Runtime
  readonly probe: LifeProbe
}

/** Doubt about one backend starts at most one probe in this time, in ms. */
const PROBE_PAUSE_MS = 1_000

/**
 * Decides which targets are skipped. A client chooses its request to a backend, so a failed request proves nothing. Any
 * answer shows that the backend is alive. A time-out or a broken answer only starts a probe. A backend is skipped if a
 * probe fails, or if it accepts no connection. The last usable backend is never skipped: it is probed until it answers.
 * A backend that answers requests but no probe is not skipped because of probes again. Otherwise a client that requests
 * what the backend does not serve could keep it out.
 */
export function createBackendStates(options: BackendStatesOptions): BackendStates {
  const { name, targets, config, log, runtime, probe } = options
  const { now } = runtime
  const probing = new Set<Backend>()
  const probedAt = new Map<Backend, number>()
  /** Skipped because of a probe, without an answer since. */
  const condemned = new Set<Backend>()
  /**
   * Backends that answer requests but not the probe: for example a server that closes unknown requests and has no
   * pages.
   */
  const mute = new Set<Backend>()
  const timers = new Map<Backend, Timer>()
  let stopped = false

  const calm = (backend: Backend): void => {
    runtime.clearTimeout(timers.get(backend))
    timers.delete(backend)
  }

  const alive = (backend: Backend): void => {
    const time = now()
    if (backend.failures > 0 || backend.failing || backend.ejectedUntil > time) {
      log.info({ upstream: name, target: backend.address.label }, 'the backend answers again')
      calm(backend)
    }
    condemned.delete(backend)
    backend.answeredAt = time
    backend.failures = 0
    backend.failing = false
    backend.ejectedUntil = 0
    if (backend.answers) backend.reason = null
  }

  const fail = (backend: Backend, facts: { readonly detail: string; readonly code?: string }): void => {
    const time = now()
    if (stopped || backend.failing || backend.ejectedUntil > time) return
    const remedy = remedyOf(facts.detail)
    const said = { upstream: name, target: backend.address.label, ...facts, ...(remedy !== null && { remedy }) }
    backend.reason = facts.detail
    if (targets.some(other => other !== backend && other.isUsable(time))) {
      backend.ejectedUntil = time + config.ejectMs
      log.warn({ ...said, forMs: config.ejectMs }, 'the backend is passed over')
    } else {
      backend.failing = true
      log.warn(said, 'the last backend fails; it is tried all the same')
    }
    watch(backend, Math.min(PROBE_PAUSE_MS, config.ejectMs))
  }

  const look = async (backend: Backend): Promise<void> => {
    if (stopped || probing.has(backend)) return
    probing.add(backend)
    const startedAt = now()
    probedAt.set(backend, startedAt)
    const answer = await probe(backend.address)
    probing.delete(backend)
    if (stopped) return
    if (answer === null) {
      mute.delete(backend)
      alive(backend)
      return
    }
    // Another request was answered meanwhile.
    if (answer.own || mute.has(backend) || backend.answeredAt >= startedAt) return
    fail(backend, { detail: `probe: ${answer.reason}` })
    condemned.add(backend)
  }

  /** Tests a skipped backend that answers requests: does the probe say anything about it? */
  const doubtProbe = async (backend: Backend): Promise<void> => {
    const answer = await probe(backend.address)
    if (stopped || answer === null || answer.own || mute.has(backend)) return
    mute.add(backend)
    const remedy = 'set health.path of the upstream to a page that it answers'
    const facts = { upstream: name, target: backend.address.label, detail: `probe: ${answer.reason}`, remedy }
    log.warn(facts, 'the backend answers requests, but no probe: it is passed over only where it takes no connection')
  }

  /** A real request was answered. */
  const heard = (backend: Backend): void => {
    const wasCondemned = condemned.has(backend)
    alive(backend)
    if (wasCondemned && !stopped) void doubtProbe(backend)
  }

  /** Probes a failing backend, with growing pauses, until it answers or its time to be tried again comes. */
  const watch = (backend: Backend, pauseMs: number): void => {
    calm(backend)
    const timer = runtime.setTimeout(() => {
      void look(backend).then(() => {
        const fails = backend.failing || backend.ejectedUntil > now()
        if (!stopped && fails) watch(backend, Math.min(pauseMs * 2, config.ejectMs))
      })
    }, pauseMs)
    timers.set(backend, timer.unref())
  }

  return {
    report(backend, failed) {
      if (failed === null || failed.evidence === 'alive') heard(backend)
      else if (failed.evidence === 'doubt') {
        if (now() - (probedAt.get(backend) ?? -Infinity) >= PROBE_PAUSE_MS) void look(backend)
      } else if (failed.evidence === 'unreachable') {
        backend.failures++
        if (backend.failures < config.failures) return
        fail(backend, { code: failed.code, detail: failed.detail })
        if (backend.failing) void look(backend)
      }
    },
    stop() {
      stopped = true
      for (const backend of timers.keys()) calm(backend)
    },
  }
}
