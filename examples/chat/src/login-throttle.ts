/** Bounds guesses at one account's password. */
export interface LoginThrottle {
  /** False when this name has had its failures for the minute. */
  allows(name: string): boolean
  failed(name: string): void
  succeeded(name: string): void
}

const FAILURES = 8
const WINDOW_MS = 60_000
/** Names kept at once; the oldest is forgotten first. */
const NAMES = 1000

/** Counts failed sign-ins by name. `now` is in ms. */
export function createLoginThrottle(now: () => number = Date.now): LoginThrottle {
  const failures = new Map<string, { count: number; readonly since: number }>()
  const current = (name: string): { count: number; readonly since: number } | undefined => {
    const entry = failures.get(name)
    return entry !== undefined && now() - entry.since < WINDOW_MS ? entry : undefined
  }
  return {
    allows: name => (current(name)?.count ?? 0) < FAILURES,
    failed(name) {
      const entry = current(name) ?? { count: 0, since: now() }
      entry.count++
      failures.delete(name)
      failures.set(name, entry)
      if (failures.size > NAMES) failures.delete(failures.keys().next().value!)
    },
    succeeded: name => void failures.delete(name),
  }
}
