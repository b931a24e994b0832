import type { Guard, SallyEvent } from 'sallyport'

/** What a guard told so far, and a way to wait for more. */
export interface ToldEvents {
  /** In order; it grows. */
  readonly events: readonly SallyEvent[]
  /** Resolves with the first event that matches, past or future. */
  event(match: (event: SallyEvent) => boolean): Promise<SallyEvent>
}

/** Listens to a guard from now on. */
export function listenTo(guard: Pick<Guard<any, any>, 'on'>): ToldEvents {
  const events: SallyEvent[] = []
  const waiting = new Set<(event: SallyEvent) => void>()
  guard.on(event => {
    events.push(event)
    for (const listener of waiting) listener(event)
  })
  return {
    events,
    event(match) {
      const past = events.find(match)
      if (past !== undefined) return Promise.resolve(past)
      return new Promise(resolve => {
        const listener = (event: SallyEvent): void => {
          if (!match(event)) return
          waiting.delete(listener)
          resolve(event)
        }
        waiting.add(listener)
      })
    },
  }
}
