import type { Code, ControlId } from '../model/verdict.ts'
import type { CountersSnapshot, DenialCount } from './counts.ts'
import { exposition } from './exposition.ts'
import { cleanPath } from './redact.ts'

/** Counts, whether anybody listens or not. What is called per message adds to a number and allocates nothing. */
export interface Counters {
  denied(control: ControlId, code: Code, path: string, enforced: boolean): void
  opened(path: string): void
  closed(): void
  messageIn(bytes: number): void
  /** `bytes`: of all of them. */
  messageOut(bytes: number, messages?: number): void
  ticketIssued(): void
  listenerFailed(): void
  logFailed(): void
  snapshot(): CountersSnapshot
  /** Prometheus text exposition format 0.0.4; serve it as `text/plain; version=0.0.4`. */
  prometheus(): string
}

/** Routes learned where none are declared. */
const MAX_ROUTES = 32
/** Counts of denials: more than codes × routes × 2, for up to 124 codes. A test fails before they are too few. */
const MAX_DENIALS = 8192

/**
 * Counters with bounded labels. `routes`: the declared paths; without them the first 32 paths of accepted connections
 * are learned. A refused peer can create no label: its path counts as `other`.
 */
export function createCounters(routes: readonly string[] | null = null, reporting: readonly string[] = []): Counters {
  const opened = new Map<string, number>()
  const learns = routes === null
  for (const route of routes ?? []) opened.set(cleanPath(route), 0)
  const denials = new Map<string, { -readonly [Key in keyof DenialCount]: DenialCount[Key] }>()
  const total = {
    opened: 0,
    closed: 0,
    messagesIn: 0,
    messagesOut: 0,
    bytesIn: 0,
    bytesOut: 0,
    tickets: 0,
    listener: 0,
    log: 0,
  }

  const routeOf = (path: string): string => {
    // Most paths are clean; cleaning is for the others.
    if (opened.has(path)) return path
    const route = cleanPath(path)
    return opened.has(route) ? route : 'other'
  }

  const snapshot = (): CountersSnapshot => ({
    denials: Array.from(denials.values(), denial => ({ ...denial })),
    opened: total.opened,
    closed: total.closed,
    open: total.opened - total.closed,
    openedByRoute: Object.fromEntries(opened),
    messagesIn: total.messagesIn,
    messagesOut: total.messagesOut,
    bytesIn: total.bytesIn,
    bytesOut: total.bytesOut,
    ticketsIssued: total.tickets,
    reporting,
    listenerFailures: total.listener,
    logFailures: total.log,
  })

  return {
    denied(control, code, path, enforced) {
      const route = routeOf(path)
      const key = `${control} ${code} ${enforced} ${route}`
      const known = denials.get(key)
      if (known) {
        known.count++
      } else if (denials.size < MAX_DENIALS) {
        denials.set(key, { control, code, route, enforced, count: 1 })
      } else {
        const rest = denials.get('other') ?? {
          control: 'other',
          code: 'other',
          route: 'other',
          enforced: true,
          count: 0,
        }
        rest.count++
        denials.set('other', rest)
      }
    },
    opened(path) {
      total.opened++
      let route = routeOf(path)
      if (route === 'other' && learns && opened.size < MAX_ROUTES) route = cleanPath(path)
      opened.set(route, (opened.get(route) ?? 0) + 1)
    },
    closed() {
      total.closed++
    },
    messageIn(bytes) {
      total.messagesIn++
      total.bytesIn += bytes
    },
    messageOut(bytes, messages = 1) {
      total.messagesOut += messages
      total.bytesOut += bytes
    },
    ticketIssued() {
      total.tickets++
    },
    listenerFailed() {
      total.listener++
    },
    logFailed() {
      total.log++
    },
    snapshot,
    prometheus: () => exposition(snapshot()),
  }
}
