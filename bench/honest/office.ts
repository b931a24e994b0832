import { openPage, openRawClient, type Person } from './people.ts'

/** How long a run waits for people before it gives up, in ms. */
export const PATIENCE_MS = 60_000
/** One in so many is a native client and no page. */
const RAW_EVERY = 10

/** An office: its people, and when each came in. */
export interface Office {
  readonly people: readonly Person[]
  readonly inside: () => number
  /** Resolves with the time when so many are in at once; null after the patience. */
  reached(count: number): Promise<number | null>
  leave(): void
}

/** Opens an office, a person for each session cookie; null is a visitor without one. */
export function openOffice(port: number, sids: readonly (string | null)[]): Office {
  const waiting = new Set<{ readonly count: number; readonly done: (at: number) => void }>()
  let inside = 0
  const watcher = {
    opened() {
      inside++
      for (const one of waiting) {
        if (inside < one.count) continue
        waiting.delete(one)
        one.done(performance.now())
      }
    },
    ended() {
      inside--
    },
  }
  const people = sids.map((sid, nth) =>
    sid !== null && nth % RAW_EVERY === RAW_EVERY - 1
      ? openRawClient(port, sid, watcher)
      : openPage(port, sid, watcher),
  )
  return {
    people,
    inside: () => inside,
    async reached(count) {
      if (inside >= count) return performance.now()
      const timer = Promise.withResolvers<null>()
      const timeout = setTimeout(() => timer.resolve(null), PATIENCE_MS)
      const come = new Promise<number>(done => waiting.add({ count, done }))
      const at = await Promise.race([come, timer.promise])
      clearTimeout(timeout)
      return at
    },
    leave() {
      for (const person of people) person.leave()
    },
  }
}
