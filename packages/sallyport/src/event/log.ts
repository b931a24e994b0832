import type { Logger, SallyEvent } from '../model/event.ts'
import type { Clock, Timer, Timers } from '../model/runtime.ts'
import { quietly } from './fault.ts'

/**
 * An event as the logger gets it. `level` and `hostname` are named otherwise, because pino and its like write fields of
 * those names themselves, and two of a name in one JSON line read differently in every parser.
 */
export type LoggedEvent = Omit<SallyEvent, 'level' | 'hostname'> & {
  readonly severity: SallyEvent['level']
  readonly host?: string
}

/** Writes events to a logger in bounded volume. */
export interface EventLog {
  write(event: SallyEvent): void
  /** Writes what was only counted so far; at shutdown. */
  flush(): void
}

/** Kinds told apart; what comes beyond shares one line. */
const MAX_KINDS = 512

interface Kind {
  /** End of the window, in ms since the epoch. */
  due: number
  /** Events since the last line. */
  count: number
  last: SallyEvent
}

/**
 * The first event of a kind is logged at once, those that follow within `windowMs` are counted, and the count is logged
 * at the end of the window with the last of them as a sample. However many origins, addresses and paths an attack has,
 * it fills one line a kind and window. `failed` is called when the logger throws.
 */
export function createEventLog(
  logger: Logger,
  windowMs: number,
  runtime: Pick<Clock, 'now'> & Timers,
  failed: () => void = () => {},
): EventLog {
  const { now } = runtime
  const kinds = new Map<string, Kind>()
  let timer: Timer | null = null

  const line = (event: SallyEvent, count?: number): void => {
    const { level, hostname, ...rest } = event
    const fields: LoggedEvent = {
      ...rest,
      severity: level,
      ...(hostname !== undefined && { host: hostname }),
      ...(count !== undefined && { count }),
    }
    const message = `${event.code ?? event.kind}: ${event.description}`
    quietly(() => {
      if (level === 'info') return logger.info(fields, message)
      if (level === 'warn') return logger.warn(fields, message)
      return logger.error(fields, message)
    }, failed)
  }

  const tell = (kind: Kind): void => {
    const { count } = kind
    kind.count = 0
    line(kind.last, count)
  }

  /** A clock that was set back must not keep a window open for hours. */
  const over = (kind: Kind, at: number): boolean => kind.due <= at || kind.due - at > windowMs

  const arm = (at: number): void => {
    if (timer) return
    let next = Infinity
    for (const kind of kinds.values()) if (kind.count > 0) next = Math.min(next, kind.due - at)
    if (next === Infinity) return
    timer = runtime.setTimeout(sweep, Math.min(Math.max(next, 1), windowMs))
    timer.unref()
  }

  const sweep = (): void => {
    timer = null
    const at = now()
    for (const [key, kind] of kinds) {
      if (!over(kind, at)) continue
      if (kind.count > 0) {
        tell(kind)
        kind.due = at + windowMs
      } else {
        kinds.delete(key)
      }
    }
    arm(at)
  }

  const keyOf = (event: SallyEvent): string => {
    // What the policy says at start is finite, and each line of it counts.
    const which =
      event.kind === 'weakened'
        ? event.detail
        : event.kind === 'store' || event.kind === 'notice' || event.kind === 'reporting'
          ? event.description
          : `${event.code} ${event.enforced}`
    const key = `${event.kind} ${which}`
    return kinds.has(key) || kinds.size < MAX_KINDS ? key : 'other'
  }

  return {
    write(event) {
      const at = now()
      const key = keyOf(event)
      const kind = kinds.get(key)
      if (!kind || (kind.count === 0 && over(kind, at))) {
        kinds.set(key, { due: at + windowMs, count: 0, last: event })
        line(event)
        return
      }
      kind.count++
      kind.last = event
      arm(at)
    },
    flush() {
      if (timer) runtime.clearTimeout(timer)
      timer = null
      for (const kind of kinds.values()) if (kind.count > 0) tell(kind)
      kinds.clear()
    },
  }
}
