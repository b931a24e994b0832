import type { Runtime, Timer } from 'sallyport/internal'
import type { GatewayLog } from '../model/gateway.ts'

/** Warnings that clients can cause. The number of each kind is bounded. */
export interface BoundedWarnings {
  /** `kind` must come from a bounded set, for example a code and a status. */
  warn(kind: string, facts: object, message: string): void
  /** Writes the warnings that were only counted so far. */
  stop(): void
}

const WINDOW_MS = 10_000
/** Most lines of one kind in a window. */
const MOST_LINES = 20

interface Kind {
  lines: number
  untold: number
  facts: object
  message: string
  readonly timer: Timer
}

/**
 * Writes the first lines of each kind at once. After ten seconds it writes how many more there were, with the last one.
 */
export function createBoundedWarnings(log: Pick<GatewayLog, 'warn'>, runtime: Runtime): BoundedWarnings {
  const kinds = new Map<string, Kind>()

  const end = (name: string, kind: Kind): void => {
    runtime.clearTimeout(kind.timer)
    kinds.delete(name)
    if (kind.untold > 0) log.warn({ ...kind.facts, count: kind.untold }, kind.message)
  }

  return {
    warn(name, facts, message) {
      let kind = kinds.get(name)
      if (kind === undefined) {
        const made: Kind = {
          lines: 0,
          untold: 0,
          facts,
          message,
          timer: runtime.setTimeout(() => end(name, made), WINDOW_MS).unref(),
        }
        kinds.set(name, (kind = made))
      }
      if (kind.lines < MOST_LINES) {
        kind.lines++
        log.warn(facts, message)
        return
      }
      kind.untold++
      kind.facts = facts
      kind.message = message
    },
    stop() {
      for (const [name, kind] of kinds) end(name, kind)
    },
  }
}
