/** Texts that are remembered for a time; the oldest gives way where there is no room. */
export interface Remembered {
  set(key: string, value: string, ttlMs: number, now: number): void
  get(key: string, now: number): string | null
  delete(key: string): void
  readonly size: number
  clear(): void
}

interface Entry {
  readonly value: string
  /** Ms since the epoch. */
  readonly until: number
  readonly ttlMs: number
}

/** Looked at per new text: more than one, so that what is over goes faster than new texts come. */
const SWEEP = 2

/** At most `most` texts. Without a timer: what is over goes as others come, or when it is asked for. */
export function createRemembered(most: number): Remembered {
  const entries = new Map<string, Entry>()
  /** A clock that was set back must not keep a text for hours. */
  const isOver = ({ until, ttlMs }: Entry, now: number): boolean => until <= now || until - now > ttlMs

  return {
    set(key, value, ttlMs, now) {
      entries.delete(key)
      let looked = 0
      for (const [oldest, entry] of entries) {
        if (entries.size < most && (looked++ >= SWEEP || !isOver(entry, now))) break
        entries.delete(oldest)
      }
      entries.set(key, { value, until: now + ttlMs, ttlMs })
    },
    get(key, now) {
      const entry = entries.get(key)
      if (entry === undefined) return null
      if (!isOver(entry, now)) return entry.value
      entries.delete(key)
      return null
    },
    delete: key => void entries.delete(key),
    get size() {
      return entries.size
    },
    clear: () => entries.clear(),
  }
}
