import { kindOf } from '../shape/shown.ts'
import type { Runtime } from '../model/runtime.ts'
import type { Unsubscribe } from '../model/store.ts'
import { type Catalogue, createCatalogue, type DenialTable } from './catalogue.ts'
import { type Counters, createCounters } from './counters.ts'
import type { EventsSection, SallyEvent } from '../model/event.ts'
import { createEventLog } from './log.ts'
import { quietly } from './fault.ts'
import { createRedactor } from './redact.ts'

/** What a guard tells: events to whoever listens, counts to whoever asks. */
export interface Events {
  /** Calls `listener` with every event until it is unsubscribed. What it throws reaches nobody; it is counted, and logged once. */
  on(listener: (event: SallyEvent) => void): Unsubscribe
  emit(event: SallyEvent): void
  /** Whether an event would reach anybody. Ask before building one. */
  readonly listening: boolean
  readonly counters: Counters
  readonly describe: Catalogue
  /** Writes to the log what was only counted so far. */
  flush(): void
}

/** What {@link createEvents} is made with. */
export interface EventsOptions {
  readonly policy: EventsSection
  readonly denials: DenialTable
  /** The policy's `name`. */
  readonly name: string
  readonly runtime: Runtime
  /** Paths that counters tell apart; null learns them from accepted connections. */
  readonly routes?: readonly string[] | null
  /** Controls that only report. */
  readonly reporting?: readonly string[]
}

interface Listener {
  readonly call: (event: SallyEvent) => void
  failed: boolean
}

/** Joins listeners, bounded log, counters and catalogue. */
export function createEvents({ policy, name, runtime, denials, routes = null, reporting = [] }: EventsOptions): Events {
  const { now } = runtime
  const counters = createCounters(routes, reporting)
  const describe = createCatalogue({ name, now, denials, redactor: createRedactor(policy.hashKey, runtime) })
  const log = policy.log && createEventLog(policy.log, policy.windowMs, runtime, () => counters.logFailed())
  const listeners = new Set<Listener>()

  const fail = (listener: Listener): void => {
    counters.listenerFailed()
    if (listener.failed) return
    listener.failed = true
    const fields = { kind: 'failure', datetime: new Date(now()).toISOString(), appid: name }
    const message = 'a listener of events throws; it is called on, and this is said once'
    quietly(
      () => policy.log?.error(fields, message),
      () => counters.logFailed(),
    )
  }

  return {
    on(call) {
      // A kind of event in its place, as emitters take it, would be a listener that fails in silence.
      if (typeof call !== 'function') {
        throw new TypeError(
          `guard.on takes the listener alone, for every kind of event, not ${kindOf(call)}; write guard.on(event => …)`,
        )
      }
      const listener: Listener = { call, failed: false }
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
    emit(event) {
      log?.write(event)
      for (const listener of listeners)
        quietly(
          () => listener.call(event),
          () => fail(listener),
        )
    },
    get listening() {
      return log !== null || listeners.size > 0
    },
    counters,
    describe,
    flush: () => log?.flush(),
  }
}
